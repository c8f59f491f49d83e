"""Deadlines over a work calendar agree with counting the hours one by one (时限计算)."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from sqlalchemy import text

from gridgis.model.rules import Limit, Rule, WorkCalendar
from gridgis.store.engine import begin
from gridgis.store.rules import save_rules

ZONE = "Europe/Helsinki"
CALENDAR = WorkCalendar(
    (2023, 2024),
    ((time(9), time(12)), (time(13), time(17))),
    {date(2024, 1, 1): "holiday", date(2024, 3, 29): "holiday", date(2024, 3, 30): "workday"},
)


@pytest.fixture
def city(toy):
    """Return the toy city with a calendar and limits."""
    profile = toy.profile()
    limits = (
        Rule("S", None, None, Limit("dispose", "", 2, "work_days")),
        Rule("S01", None, date(2024, 3, 1), Limit("dispose", "", 4, "work_hours")),
        Rule("S01", date(2024, 3, 1), None, Limit("dispose", "", 24, "urgent_hours")),
    )
    rules = replace(profile.ledger, calendar=CALENDAR, limits=limits)
    with begin(toy.engine) as tx:
        save_rules(tx, replace(profile, ledger=rules))
    return toy


def counted(start, seconds):
    """Return the moment after so many working seconds, span by span."""
    left = seconds
    for begins, ends in CALENDAR.spans(ZONE):
        opened = max(begins, start)
        if opened >= ends:
            continue
        length = (ends - opened).total_seconds()
        if left <= length:
            return opened + timedelta(seconds=left)
        left -= length
    return None


def asked(city, start, amount, unit):
    """Return what the database says."""
    with begin(city.engine) as tx:
        values = {"start": start, "amount": amount, "unit": unit}
        return tx.scalar(text("SELECT core.deadline(:start, :amount, :unit)"), values)


def test_deadlines_agree_with_counting(city):
    """300 random starts and amounts, at night, on holidays and over the change of the clock."""
    draw = random.Random(5)  # noqa: S311 - a test
    first = datetime(2023, 1, 3, tzinfo=UTC)
    for _ in range(300):
        start = first + timedelta(seconds=draw.randrange(720 * 86_400))
        amount = draw.choice([1, 2, 3, 7, 10])
        unit = draw.choice(["work_hours", "work_days"])
        seconds = amount * (3_600 if unit == "work_hours" else 7 * 3_600)
        found = asked(city, start, amount, unit)
        wanted = counted(start, seconds)
        assert found == wanted, (start, amount, unit)


def test_urgent_hours_are_natural_hours(city):
    """紧急小时 run through the night; beyond the calendar working time has no end."""
    start = datetime(2024, 3, 30, 22, tzinfo=UTC)
    assert asked(city, start, 5, "urgent_hours") == start + timedelta(hours=5)
    assert asked(city, datetime(2024, 12, 31, 20, tzinfo=UTC), 1, "work_days") is None
    assert asked(city, datetime(2019, 1, 1, tzinfo=UTC), 1, "work_days") is None
    night = datetime(2022, 12, 31, 22, 10, tzinfo=UTC)  # ten past midnight of the first day
    assert asked(city, night, 7, "work_hours") == asked(city, night, 1, "work_days") is not None


def test_the_limit_of_the_day_and_the_longest_code_hold(city):
    """A subcategory's own limit beats its group's, on the days on which it holds."""
    with begin(city.engine) as tx:

        def due(code, start):
            values = {"code": code, "start": start}
            return tx.scalar(text("SELECT core.disposal_due(:code, :start)"), values)

        february = datetime(2024, 2, 27, 8, tzinfo=UTC)  # Tuesday, 10:00 local
        march = datetime(2024, 3, 5, 8, tzinfo=UTC)
        assert due("S0101", february) == datetime(2024, 2, 27, 13, tzinfo=UTC)
        assert due("S0101", march) == march + timedelta(hours=24)
        assert due("S0502", march) == datetime(2024, 3, 7, 8, tzinfo=UTC)
        assert due("B0101", march) is None


def test_limits_of_many_cases_take_no_time(city):
    """20,000 deadlines take seconds: each is two look-ups in the calendar."""
    with begin(city.engine) as tx:
        tx.execute(text("SET LOCAL statement_timeout = '20s'"))
        found = tx.scalar(text("""
            SELECT count(core.disposal_due('S0502', t))
            FROM generate_series(timestamptz '2024-01-03', '2024-12-01', interval '24 minutes') AS t
        """))  # fmt: skip
    assert found > 19_000
