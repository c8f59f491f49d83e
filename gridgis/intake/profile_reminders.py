"""Read reminders and limits of open work from a profile (三级提醒与滞留规则读取)."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

from gridgis.intake.profile_folder import FREE_COLUMNS
from gridgis.model.reminders import Reminder, StuckLimits
from gridgis.model.rules import LIMIT_STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridgis.intake.profile_folder import ProfileFolder

TOP_LEVEL = 9
LONGEST_HOURS = 8784
"""A year: further from a deadline no reminder makes sense."""


def read_reminders(source: ProfileFolder, spec: Mapping[str, object]) -> tuple[Reminder, ...]:
    """Read the levels of reminding; a higher level comes later."""
    needed = ("level", "name", "stage")
    found: dict[tuple[str, int], tuple[str, Reminder]] = {}
    for where, row in source.tables(spec, "reminders", needed):
        reminder = _reminder(source, where, row)
        if reminder is None:
            continue
        key = reminder.stage, reminder.level
        if key in found:
            source.fault(where, f"{key[0]} {key[1]}", "the level is listed twice", "keep one row")
        found[key] = where, reminder
    ordered = [found[key] for key in sorted(found)]
    for (_, one), (where, next_one) in pairwise(ordered):
        if one.stage == next_one.stage and next_one.hours <= one.hours:
            source.fault(where, str(next_one.hours), "hours are not after those of the level below",
                         "a higher level comes later")  # fmt: skip
    return tuple(reminder for _, reminder in ordered)


def read_stuck(source: ProfileFolder, spec: Mapping[str, object]) -> StuckLimits:
    """Read from when on a case is stuck."""
    given, where, default = source.table(spec, "stuck"), "city.toml [stuck]", StuckLimits()
    _check_keys(source, where, given, ("hand_backs", "unowned_hours"))
    hand_backs = given.get("hand_backs", default.hand_backs)
    hours = _hours(given.get("unowned_hours", default.unowned_hours))
    if not isinstance(hand_backs, int) or isinstance(hand_backs, bool) or hand_backs < 1:
        source.fault(where, str(hand_backs), "hand_backs is no whole number above 0",
                     "write hand_backs = 2")  # fmt: skip
        return default
    if hours is None or hours <= 0:
        source.fault(where, str(given["unowned_hours"]), "unowned_hours is no positive number",
                     "natural hours, at most 2 decimals: write unowned_hours = 24")  # fmt: skip
        return default
    return StuckLimits(hand_backs, hours, given.get("status") == "sample")


def _reminder(source: ProfileFolder, where: str, row: Mapping[str, object]) -> Reminder | None:
    _check_keys(source, where, row, ("level", "name", "name_en", "stage", "hours"))
    stage, name = source.text(where, row, "stage"), source.text(where, row, "name")
    level, hours = row["level"], _hours(row.get("hours"))
    source.one_of(where, "stage", stage, LIMIT_STAGES)
    if not isinstance(level, int) or isinstance(level, bool) or not 1 <= level <= TOP_LEVEL:
        source.fault(where, str(level), "level is no small whole number",
                     f"1 is the first level, {TOP_LEVEL} the last")  # fmt: skip
        return None
    if hours is None:
        source.fault(where, str(row.get("hours", "")), "hours is no number of hours",
                     "natural hours after the deadline; -0.5 is half an hour before")  # fmt: skip
        return None
    english = source.text(where, row, "name_en", name)
    return Reminder(stage, level, name, english, hours, row.get("status") == "sample")


def _hours(given: object) -> Decimal | None:
    """Return natural hours of at most two decimals."""
    if not isinstance(given, int | float | Decimal) or isinstance(given, bool):
        return None
    hours = Decimal(str(given))
    fits = hours.is_finite() and abs(hours) <= LONGEST_HOURS and hours == round(hours, 2)
    return hours if fits else None


def _check_keys(
    source: ProfileFolder, where: str, row: Mapping[str, object], known: tuple[str, ...]
) -> None:
    """Report keys of a TOML table that mean nothing: a misspelt one would be ignored."""
    for key in sorted(set(row) - {*known, *FREE_COLUMNS}):
        source.fault(where, key, "unknown key", f"allowed: {', '.join(known)}")
