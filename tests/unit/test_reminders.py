"""Levels of reminding and limits of stuck cases: what holds when, what is refused (三级提醒)."""

import shutil
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from gridgis.errors import ProfileInvalid
from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.model.reminders import DEFAULT_REMINDERS, Reminder, current_level, reminder_window

TOY = Path(__file__).resolve().parents[1] / "data" / "toy" / "profile"
DUE = datetime(2024, 3, 5, 12, tzinfo=UTC)
LEVELS = tuple(
    Reminder("dispose", level, "x", "x", Decimal(hours))
    for level, hours in enumerate(("-4", "-0.5", "24"), start=1)
)
ROW = '[[reminders]]\nlevel = {0}\nname = "N"\nstage = "{1}"\nhours = {2}\n'


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the toy profile."""
    target = tmp_path / "toy"
    shutil.copytree(TOY, target)
    return target


def add(folder, text):
    """Write more tables into a profile and read it."""
    with (folder / "city.toml").open("a") as handle:
        handle.write(f"\n{text}")
    return load_profile(folder).ledger


@pytest.mark.parametrize(
    ("hours", "level"),
    [(-4.01, None), (-4, 1), (-0.51, 1), (-0.5, 2), (0, 2), (23.99, 2), (24, 3), (9999, 3)],
)
def test_a_level_holds_from_its_very_moment(hours, level):
    """The highest level that has been reached is the current one; borders belong to it."""
    found = current_level(LEVELS, "dispose", DUE, DUE + timedelta(hours=hours))
    assert (found.level if found else None) == level


def test_no_deadline_and_no_level_remind_of_nothing():
    """Without a deadline, or in a stage without levels, there is no reminder."""
    assert current_level(LEVELS, "dispose", None, DUE) is None
    assert current_level(LEVELS, "dispatch", DUE, DUE + timedelta(days=9)) is None


def test_the_window_is_the_earliest_reminder():
    """Due soon is what the first reminder is about; without one before it, nothing is."""
    assert reminder_window(LEVELS, "dispose") == timedelta(hours=4)
    assert reminder_window(LEVELS, "dispatch") == timedelta(0)
    assert reminder_window(LEVELS[2:], "dispose") == timedelta(0)
    assert reminder_window(DEFAULT_REMINDERS, "dispatch") == timedelta(minutes=30)


def test_rows_are_read_in_the_order_of_levels(folder):
    """Rows may stand in any order, with half hours and a label that they are an example."""
    text = (
        ROW.format(2, "dispose", 0)
        + ROW.format(1, "dispose", -1.5)
        + 'status = "sample"\n'
        + "[stuck]\nhand_backs = 3\nunowned_hours = 0.5\n"
    )
    rules = add(folder, text)
    assert [(r.level, r.hours, r.sample) for r in rules.reminders] == [
        (1, Decimal("-1.5"), True),
        (2, Decimal(0), False),
    ]
    assert (rules.stuck.hand_backs, rules.stuck.unowned) == (3, timedelta(minutes=30))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (ROW.format(1, "dispatch", 1) + ROW.format(2, "dispatch", 1), "not after those of"),
        (ROW.format(1, "dispatch", 1) * 2, "listed twice"),
        (ROW.format(1, "close", 1), "unknown stage"),
        (ROW.format(10, "dispatch", 1), "no small whole number"),
        (ROW.format("true", "dispatch", 1), "no small whole number"),
        (ROW.format(1, "dispatch", '"1"'), "no number of hours"),
        (ROW.format(1, "dispatch", "nan"), "no number of hours"),
        (ROW.format(1, "dispatch", 0.001), "no number of hours"),
        (ROW.format(1, "dispatch", 99999), "no number of hours"),
        (ROW.format(1, "dispatch", 1) + "hour = 2\n", "unknown key"),
        ('[[reminders]]\nlevel = 1\nstage = "dispatch"\n', "missing: name"),
        ("[stuck]\nhand_backs = 0\n", "no whole number above 0"),
        ("[stuck]\nunowned_hours = -1\n", "no positive number"),
        ("[stuck]\nhours = 24\n", "unknown key"),
    ],
)
def test_bad_rows_are_refused_with_their_place(text, named, folder):
    """Every fault names table, row, value and remedy."""
    with pytest.raises(ProfileInvalid, match=named):
        add(folder, text)


@pytest.mark.parametrize("name", shipped_profiles())
def test_shipped_levels_are_three_and_labelled(name):
    """A shipped city has three levels for each stage, and says that they are an example."""
    rules = load_profile(shipped_profiles()[name]).ledger
    for stage in ("dispatch", "dispose"):
        assert [r.level for r in rules.reminders if r.stage == stage] == [1, 2, 3]
    assert all(r.sample for r in rules.reminders)
    assert rules.stuck.sample
