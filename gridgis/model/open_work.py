"""
Open work: tasks not dispatched and cases not closed at a moment (待办).

Two stages with two units of account: `dispatch` counts tasks, `dispose` counts cases; they are
never added up to one figure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.codes import check_category, check_division, check_region
from gridgis.errors import InputError
from gridgis.model.measure import Unit
from gridgis.model.rules import LIMIT_STAGES

if TYPE_CHECKING:
    from datetime import datetime

    from gridgis.model.reminders import Reminder, StuckLimits

STAGE_UNITS = {"dispatch": Unit.TASKS, "dispose": Unit.CASES}
"""What each stage counts."""
STAGE_LABELS = {"dispatch": ("待派遣", "to dispatch"), "dispose": ("待结案", "to close")}
STATES = {
    "overdue": ("超期", "overdue"),
    "due_soon": ("临期", "due soon"),
    "in_time": ("期内", "in time"),
    "no_limit": ("无时限", "no limit"),
}
"""Every open item is in one of these; at the very moment it is due by, it is not overdue yet."""
APART = {"suspended": ("挂账", "suspended"), "restricted": ("受限类", "restricted classes")}
"""Counted apart: suspended cases are listed only if asked for, restricted classes never."""
PROPOSALS = {"act_first": ("先行处置", "act first"), "whistle": ("吹哨", "whistle")}
"""What is proposed for a stuck item: fix it before the owner is known, or call all together."""
LATENESS_HOURS = (1, 4, 8, 24, 72, 168)
"""Borders of the classes of lateness (超期时长分级), half open."""
GROUPINGS = ("lateness", "subcategory", "street", "region", "organisation")


@dataclass(frozen=True, slots=True)
class WorkFilter:
    """Which open items are meant; everything given must hold (待办筛选)."""

    stage: str | None = None
    state: str | None = None
    """None: all but the suspended ones."""
    stuck: bool | None = None
    district: str | None = None
    """Management region: a district or a zone."""
    street: str | None = None
    category: str | None = None
    restricted: bool = False
    """Cases of restricted classes (受限类) too: for local analysts, never for the service."""

    def __post_init__(self) -> None:
        """
        Check every value.

        Raises
        ------
        InputError
            Naming the value, the rule and the remedy.
        """
        check_word("stage", self.stage, LIMIT_STAGES)
        check_word("state", self.state, (*STATES, "suspended"))
        if self.district is not None:
            check_region(self.district)
        if self.street is not None:
            check_division(self.street, digits=9)
        if self.category is not None:
            check_category(self.category)


@dataclass(frozen=True, slots=True)
class WorkRules:
    """By which rules work is judged (提醒与滞留规则)."""

    reminders: tuple[Reminder, ...]
    stuck: StuckLimits
    built_in: bool
    """The city states no reminders: the built-in ones hold."""


@dataclass(frozen=True, slots=True)
class WorkView:
    """Open work at one moment."""

    chosen: WorkFilter
    at: datetime
    rules: WorkRules


def check_word(name: str, value: str | None, allowed: tuple[str, ...]) -> None:
    """Refuse a word that is not in a list, naming the list."""
    if value is not None and value not in allowed:
        raise InputError(f"{name} {value!r}: expected one of {', '.join(allowed)}")


def late_hours(limit_at: datetime | None, at: datetime) -> float | None:
    """Return hours after a limit, to two decimals; negative: hours left (超期时长)."""
    return None if limit_at is None else round((at - limit_at).total_seconds() / 3600, 2)


def lateness_class(number: int) -> tuple[str, str, str]:
    """Return code, Chinese and English label of the n-th class of lateness."""
    if number == 0:
        first = LATENESS_HOURS[0]
        return f"0-{first}", f"不足{first}小时", f"less than {first} h"
    low = LATENESS_HOURS[number - 1]
    if number == len(LATENESS_HOURS):
        return f"{low}-", f"{low}小时以上", f"{low} h and more"
    high = LATENESS_HOURS[number]
    return f"{low}-{high}", f"{low}至不足{high}小时", f"{low} to less than {high} h"
