"""Working time over many moments at once (工作时间推算)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from gridgis.errors import ProfileInvalid
from gridgis.model.rules import LIMIT_STAGES, best

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from gridgis.model.rules import LedgerRules, Limit, Rule, WorkCalendar

    Times = NDArray[np.datetime64]
    Spans = NDArray[np.timedelta64]
    Integers = NDArray[np.int64]
    Texts = NDArray[np.object_]

V = TypeVar("V")
HOUR_S = 3600
NEVER = np.datetime64("NaT", "s")
_ALL = slice(None)


class Clock:
    """
    The working hours of a calendar, in local seconds.

    It tells the deadlines that the limits of the profile give, as the store does.
    """

    def __init__(self, calendar: WorkCalendar, time_zone: str) -> None:
        spans = [(a.replace(tzinfo=None), b.replace(tzinfo=None))
                 for a, b in calendar.spans(time_zone)]  # fmt: skip
        self._starts, self._ends = (
            np.array([span[side] for span in spans], "datetime64[s]").astype(np.int64)
            for side in (0, 1)
        )
        lengths = self._ends - self._starts
        self._before = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self.day_s = int(calendar.day_hours * HOUR_S)

    def worked(self, times: Times) -> Integers:
        """Return the working seconds from the start of the calendar to each time."""
        moments = times.astype("datetime64[s]").astype(np.int64)
        last = np.searchsorted(self._starts, moments, side="right") - 1
        inside = np.minimum(moments, self._ends[last]) - self._starts[last]
        return np.asarray(self._before[last] + inside, dtype=np.int64)

    def after(self, worked: Integers) -> Times:
        """Return when so many working seconds are over: the earliest such time."""
        last = np.searchsorted(self._before, worked, side="left") - 1
        moments = self._starts[last] + worked - self._before[last]
        return np.asarray(moments, dtype=np.int64).astype("datetime64[s]")

    def later(self, times: Times, seconds: Integers | int) -> Times:
        """Return each time moved on by working seconds."""
        return self.after(self.worked(times) + seconds)


def calendar_of(rules: LedgerRules) -> WorkCalendar:
    """
    Return the calendar of a profile.

    Raises
    ------
    ProfileInvalid
        If it has none.
    """
    if rules.calendar is None:
        raise ProfileInvalid("a demo ledger needs the [calendar] of city.toml: limits count by it")
    return rules.calendar


class Deadlines:
    """The limits of a profile for the subcategories and days of many cases (派遣与处置时限)."""

    def __init__(self, rules: LedgerRules, clock: Clock, codes: Texts, days: Times) -> None:
        self._clock = clock
        self._limits = {}
        for stage in LIMIT_STAGES:
            own = [rule for rule in rules.limits
                   if rule.value.stage == stage and not rule.value.condition]  # fmt: skip
            limits, at = by_code_and_day(codes, days, partial(_limit, own))
            amounts = np.array([self._seconds(limit) for limit in limits], dtype=np.int64)
            urgent = np.array([limit.unit == "urgent_hours" for limit in limits])
            self._limits[stage] = (amounts[at], urgent[at])

    def of(self, stage: str, times: Times, cases: Integers | slice = _ALL) -> Times:
        """Return the deadline of a stage that begins at each time, for all or some cases."""
        amount, urgent = (part[cases] for part in self._limits[stage])
        natural = times + amount.astype("timedelta64[s]")
        return np.where(urgent, natural, self._clock.later(times, amount))

    def _seconds(self, limit: Limit) -> int:
        return int(limit.amount * (self._clock.day_s if limit.unit == "work_days" else HOUR_S))


def by_code_and_day(
    codes: Texts, days: Times, find: Callable[[str, date], V]
) -> tuple[list[V], Integers]:
    """Look something up once per subcategory and day; return what was found, and whose it is."""
    code_at, names = factorize(codes)
    dates, day_at = np.unique(days.astype("datetime64[D]"), return_inverse=True)
    pairs, at = np.unique(code_at * len(dates) + day_at, return_inverse=True)
    whole_days = dates.astype(object)
    found = [find(names[pair // len(dates)], whole_days[pair % len(dates)]) for pair in pairs]
    return found, at


def factorize(texts: Texts) -> tuple[Integers, list[str]]:
    """Return whose number each text is, and the texts; faster than sorting them."""
    known: dict[str, int] = {}
    codes = [known.setdefault(text, len(known)) for text in texts]
    return np.array(codes, dtype=np.int64), list(known)


def part_of(span: Spans | np.timedelta64, part: NDArray[np.float64] | float) -> Spans:
    """Return a part of a span of time, in whole seconds."""
    seconds = np.asarray(span, dtype="timedelta64[s]").astype(np.int64)
    return np.asarray(seconds * part).astype(np.int64).astype("timedelta64[s]")


def _limit(limits: Sequence[Rule[Limit]], code: str, day: date) -> Limit:
    found = best(limits, code, day)
    if found is None:
        raise ProfileInvalid(f"sla.csv: no limit for {code} on {day}: a demo ledger needs one")
    return found.value
