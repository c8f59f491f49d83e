"""
The rules of a city's case ledger as dated data: limits, weights, types, calendar (台账规则).

Rules are given for a subcategory or a prefix of its code; the longest code that matches on the day
wins. Days are half open: `valid_to` is the first day without the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from zoneinfo import ZoneInfo

from gridgis.model.reminders import StuckLimits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gridgis.model.reminders import Reminder

ONE = Decimal(1)
LIMIT_UNITS = ("work_hours", "work_days", "urgent_hours")
LIMIT_STAGES = ("dispatch", "dispose")
SATURDAY = 5
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class AssessmentType:
    """A type of assessment that the closing table counts (考核类型)."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Regime:
    """A reporting regime: counts of two regimes are no trend (统计口径时期)."""

    name: str
    name_en: str
    valid_from: date | None
    valid_to: date | None


class Dated(Protocol):
    """Anything that holds for a code between two days."""

    @property
    def code(self) -> str:
        """Subcategory, or a prefix of it."""

    @property
    def valid_from(self) -> date | None:
        """First day."""

    @property
    def valid_to(self) -> date | None:
        """First day without it."""


@dataclass(frozen=True, slots=True)
class Rule(Generic[V]):
    """A value for a code between two days."""

    code: str
    valid_from: date | None
    valid_to: date | None
    value: V
    sample: bool = False
    """Not the city's own rule but an example; reports say so."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a stage may take (处置时限)."""

    stage: str
    """`dispatch` or `dispose`."""
    condition: str
    """立案条件; empty holds for any."""
    amount: Decimal
    unit: str
    """`work_hours` 工作时, `work_days` 工作日 or `urgent_hours` 紧急小时 (natural hours)."""


@dataclass(frozen=True, slots=True)
class RuleSpan:
    """What holds for one subcategory between two days."""

    subcategory_code: str
    valid_from: date | None
    valid_to: date | None
    assessment_type: str | None
    base_weight: Decimal


@dataclass(frozen=True, slots=True)
class WorkCalendar:
    """Working hours of some whole years (工作日历)."""

    years: tuple[int, ...]
    hours: tuple[tuple[time, time], ...]
    """Half-open parts of a working day, in order."""
    days: dict[date, str] = field(default_factory=dict)
    """Days that differ from Monday to Friday: `holiday` or `workday` (调休)."""

    def is_working(self, day: date) -> bool:
        """Tell whether people work on a day."""
        kind = self.days.get(day)
        return kind == "workday" if kind else day.weekday() < SATURDAY

    @property
    def day_hours(self) -> Decimal:
        """Working hours of a whole working day: what 工作日 counts."""
        seconds = sum(_seconds(end) - _seconds(start) for start, end in self.hours)
        return Decimal(seconds) / 3600

    def spans(self, time_zone: str) -> Iterator[tuple[datetime, datetime]]:
        """Yield the working spans of all years, in order."""
        zone = ZoneInfo(time_zone)
        day, last = date(self.years[0], 1, 1), date(self.years[-1], 12, 31)
        while day <= last:
            if self.is_working(day):
                for start, end in self.hours:
                    yield (
                        datetime.combine(day, start, tzinfo=zone),
                        datetime.combine(day, end, tzinfo=zone),
                    )
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class LedgerRules:
    """All rules of a city's ledger (台账规则)."""

    types: tuple[AssessmentType, ...] = ()
    assessments: tuple[Rule[str], ...] = ()
    weights: tuple[Rule[Decimal], ...] = ()
    limits: tuple[Rule[Limit], ...] = ()
    calendar: WorkCalendar | None = None
    regimes: tuple[Regime, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    """Empty: the built-in ones hold."""
    stuck: StuckLimits = field(default_factory=StuckLimits)

    @property
    def sample(self) -> bool:
        """Whether weights, types or limits are examples (样例数据)."""
        flags = (*(r.sample for r in self.assessments), *(r.sample for r in self.weights),
                 *(r.sample for r in self.limits))  # fmt: skip
        return any(flags)

    def rule(self, subcategory_code: str, day: date) -> tuple[str | None, Decimal]:
        """Return assessment type and base weight of a subcategory on a day (考核类型、折算系数)."""
        assessed = best(self.assessments, subcategory_code, day)
        weighted = best(self.weights, subcategory_code, day)
        return (assessed.value if assessed else None, weighted.value if weighted else ONE)

    def spans(self, subcategory_codes: Iterable[str]) -> Iterator[RuleSpan]:
        """Yield what holds for each subcategory, between the days on which something changes."""
        for code in subcategory_codes:
            for start, end in _between([*self.assessments, *self.weights], code):
                kind, weight = self.rule(code, start or date.min)
                yield RuleSpan(code, start, end, kind, weight)


def best(rules: Sequence[Rule[V]], code: str, day: date) -> Rule[V] | None:
    """Return the rule of the longest matching code that holds on a day."""
    fitting = [r for r in rules if code.startswith(r.code) and holds(r, day)]
    return max(fitting, key=lambda r: len(r.code), default=None)


def holds(rule: Dated | Regime, day: date) -> bool:
    """Tell whether a rule holds on a day."""
    return (rule.valid_from is None or rule.valid_from <= day) and (
        rule.valid_to is None or day < rule.valid_to
    )


def _between(rules: Sequence[Dated], code: str) -> Iterator[tuple[date | None, date | None]]:
    """Yield the spans between all first and last days of the rules that match a code."""
    days = {
        day
        for rule in rules
        if code.startswith(rule.code)
        for day in (rule.valid_from, rule.valid_to)
        if day is not None
    }
    edges: list[date | None] = [None, *sorted(days), None]
    yield from pairwise(edges)


def _seconds(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second
