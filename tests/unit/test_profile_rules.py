"""Dated rules of a profile: which one holds on a day, and what is refused (台账规则)."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from gridgis.errors import ProfileInvalid
from gridgis.intake.profile import load_profile

TOY = Path(__file__).resolve().parents[1] / "data" / "toy" / "profile"
TYPES = """
[[assessment_types]]
code = "creation"
name = "Creation"
[[assessment_types]]
code = "hazard"
name = "Hazard"
[calendar]
years = [2024, 2025]
hours = ["09:00-12:00", "13:00-17:00"]
[[regimes]]
name = "Paused"
valid_from = 2024-11-01
"""
GOOD = {
    "assessment.csv": "code,assessment_type,valid_from,valid_to\nS,creation,,\nS05,hazard,,\n",
    "weights.csv": "code,weight,valid_from,valid_to\nS,2,,\nS0101,3,,2024-03-01\n"
    "S0101,1.5,2024-03-01,\n",
    "sla.csv": "code,stage,condition,amount,unit\nS,dispose,,2,work_days\n",
    "calendar.csv": "day,kind,name\n2024-10-01,holiday,National day\n2024-10-12,workday,\n",
}


@pytest.fixture
def folder(tmp_path):
    """Return a copy of the toy profile with rule tables."""
    target = tmp_path / "toy"
    shutil.copytree(TOY, target)
    with (target / "city.toml").open("a") as handle:
        handle.write(TYPES)
    for name, text in GOOD.items():
        (target / name).write_text(text)
    return target


def test_the_longest_code_of_the_day_wins(folder):
    """A subcategory's own rule beats that of its group, on the days on which it holds."""
    rules = load_profile(folder).ledger
    assert rules.rule("S0101", date(2024, 2, 29)) == ("creation", Decimal(3))
    assert rules.rule("S0101", date(2024, 3, 1)) == ("creation", Decimal("1.5"))
    assert rules.rule("S0502", date(2024, 3, 1)) == ("hazard", Decimal(2))
    assert rules.rule("B0101", date(2024, 3, 1)) == (None, Decimal(1))


def test_spans_cover_all_days_once(folder):
    """The spans of a subcategory meet at the days on which something changes."""
    spans = list(load_profile(folder).ledger.spans(["S0101", "B0101"]))
    assert [(s.subcategory_code, s.valid_from, s.valid_to) for s in spans] == [
        ("S0101", None, date(2024, 3, 1)),
        ("S0101", date(2024, 3, 1), None),
        ("B0101", None, None),
    ]


def test_the_calendar_knows_holidays_and_make_up_days(folder):
    """A holiday has no hours, a make-up Saturday has; a day counts seven hours here."""
    calendar = load_profile(folder).ledger.calendar
    assert [calendar.is_working(date(2024, 10, day)) for day in (1, 2, 12, 13)] == [
        False, True, True, False,
    ]  # fmt: skip
    assert calendar.day_hours == 7
    spans = list(calendar.spans("Asia/Shanghai"))
    assert len(spans) == 2 * sum(
        calendar.is_working(date.fromordinal(n))
        for n in range(date(2024, 1, 1).toordinal(), date(2026, 1, 1).toordinal())
    )
    assert spans[0][0].isoformat() == "2024-01-01T09:00:00+08:00"


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        ("weights.csv", "code,weight,valid_from,valid_to\nS,2,,\nS,3,2024-01-01,\n", "overlaps"),
        ("weights.csv", "code,weight\nS,0\n", "no positive number"),
        ("weights.csv", "code,weight\nS01011,1\n", "code is malformed"),
        ("assessment.csv", "code,assessment_type\nS,cleaning\n", "unknown assessment_type"),
        ("sla.csv", "code,stage,amount,unit\nS,dispose,1,days\n", "unknown unit"),
        ("calendar.csv", "day,kind\n2026-01-01,holiday\n", "does not cover this year"),
        ("calendar.csv", "day,kind\n2024-01-01,holiday\n2024-01-01,workday\n", "listed twice"),
    ],
)
def test_bad_rules_are_refused(file, text, named, folder):
    """Overlapping versions, unknown words and days outside the calendar are named."""
    (folder / file).write_text(text)
    with pytest.raises(ProfileInvalid, match=named):
        load_profile(folder)


def test_a_gap_in_the_calendar_is_refused(folder):
    """A year between two others must be there, or deadlines would be wrong."""
    toml = folder / "city.toml"
    toml.write_text(toml.read_text().replace("[2024, 2025]", "[2023, 2025]"))
    with pytest.raises(ProfileInvalid, match="a gap between the years"):
        load_profile(folder)
