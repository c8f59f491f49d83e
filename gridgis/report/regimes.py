"""Changes of the reporting regime between two months (统计口径变化)."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from gridgis.model.rules import Regime
    from gridgis.report.wording import Said, Words


@dataclass(frozen=True, slots=True)
class Change:
    """A day on which a regime begins or ends."""

    day: date
    """The first day of the regime, or the first day without it."""
    regime: Regime
    begins: bool


def changes_between(regimes: Iterable[Regime], start: date, end: date) -> tuple[Change, ...]:
    """
    Return the changes after the first day of one month and before the end of another.

    Parameters
    ----------
    start, end : date
        First day of the earlier month; first day after the later one.

    Returns
    -------
    tuple of Change
        By day. Counts of the months are comparable if there is none.
    """
    found = [
        Change(day, regime, begins)
        for regime in regimes
        for day, begins in ((regime.valid_from, True), (regime.valid_to, False))
        if day is not None and start < day < end
    ]
    return tuple(sorted(found, key=lambda change: (change.day, change.regime.name, change.begins)))


def tell_changes(words: Words, changes: Iterable[Change]) -> Said:
    """Return what changed on which day."""
    return words.join(
        "clauses",
        [
            words.say(
                "regime_begins" if change.begins else "regime_ends",
                regime=words.either(change.regime.name, change.regime.name_en),
                day=day_text(words, change.day),
            )
            for change in changes
        ],
    )


def day_text(words: Words, day: date) -> str:
    """Return a day as it is written."""
    values = {"year": str(day.year), "month": str(day.month), "day": str(day.day)}
    return words.say("day", **values, name=calendar.month_name[day.month]).text
