"""
When a task or case is due soon, to be reminded of, or stuck (临期、三级提醒、滞留).

Hours are natural hours; deadlines themselves come from the limits of the ledger.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Reminder:
    """A level of reminding before or after a deadline (三级提醒)."""

    stage: str
    """`dispatch` or `dispose`."""
    level: int
    name: str
    name_en: str
    hours: Decimal
    """Natural hours after the deadline; negative: before it."""
    sample: bool = False
    """Not the city's own level but an example; answers say so."""

    @property
    def after(self) -> timedelta:
        """How long after the deadline the level is reached; negative: before it."""
        return length(self.hours)


@dataclass(frozen=True, slots=True)
class StuckLimits:
    """From when on a case is stuck (滞留)."""

    hand_backs: int = 2
    """So many hand-backs (回退)."""
    unowned_hours: Decimal = Decimal(24)
    """More natural hours since acceptance without dispatch and organisation."""
    sample: bool = False

    @property
    def unowned(self) -> timedelta:
        """The hours as a length of time."""
        return length(self.unowned_hours)


DEFAULT_REMINDERS = tuple(
    Reminder(stage, level, f"{word}级提醒", f"Level {level}", Decimal(hours))
    for stage, all_hours in (("dispatch", ("-0.5", "0", "2")), ("dispose", ("-4", "0", "24")))
    for level, (word, hours) in enumerate(zip("一二三", all_hours, strict=True), start=1)
)
"""Levels of a city that states none: shortly before the deadline, at it, well after it."""


def current_level(
    reminders: Iterable[Reminder], stage: str, due_at: datetime | None, at: datetime
) -> Reminder | None:
    """Return the highest level that a task or case has reached at a moment, if any (提醒级别)."""
    if due_at is None:
        return None
    reached = [r for r in reminders if r.stage == stage and due_at + r.after <= at]
    return max(reached, key=lambda r: r.level, default=None)


def reminder_window(reminders: Iterable[Reminder], stage: str) -> timedelta:
    """Return how long before a deadline the first reminder comes: then it is due soon (临期)."""
    before = (-r.after for r in reminders if r.stage == stage)
    return max([timedelta(0), *before])


def length(hours: Decimal) -> timedelta:
    """Return hours as a length of time."""
    return timedelta(seconds=float(hours * SECONDS_PER_HOUR))
