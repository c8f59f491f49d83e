"""The sets behind the figures of a report, counted by hand (报表事实)."""

import re
from decimal import Decimal

import pytest

from gridgis.model.figures import FACTS, sliced
from gridgis.model.period import Period
from gridgis.report.counts import Counts
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file
from gridgis.store.engine import begin
from gridgis.store.report import read_counts, read_rows

ZONE = "Europe/Helsinki"
CASES = "Ticket,Kind,Channel,Area,Fixed on the spot,Reported,Taken in,Deadline,Closed,Voided"
MAPPING = """
[columns]
case_no = "Ticket"
subcategory = "Kind"
source = "Channel"
stated_region = "Area"
self_handled = "Fixed on the spot"
reported_at = "Reported"
accepted_at = "Taken in"
due_at = "Deadline"
closed_at = "Closed"
voided_at = "Voided"
"""
ROWS = [  # times without their year, 2024
    # due in March, closed in time; late; still open; closed in April
    "A-1,Litter,inspector,North Side,no,03-01 08:00,03-01 09:00,03-05 09:00,03-05 09:00,",
    "A-2,Litter,inspector,North Side,no,03-01 08:00,03-01 09:00,03-05 09:00,03-06 09:00,",
    "A-3,Graffiti,warden,South Side,no,03-01 08:00,03-01 09:00,03-31 23:59,,",
    "A-4,Graffiti,warden,,no,03-01 08:00,03-01 09:00,03-05 09:00,04-01 00:00,",
    # due before March: closed in February (out), in March (carried, closed), never (carried)
    "B-1,Litter,phone,North Side,no,02-01 08:00,02-01 09:00,02-05 09:00,02-29 23:59,",
    "B-2,Litter,phone,North Side,no,02-01 08:00,02-01 09:00,02-05 09:00,03-01 00:00,",
    "B-3,Litter,phone,South Side,no,02-01 08:00,02-01 09:00,02-05 09:00,,",
    # closed before the month it is due in: counts there; due in April: out; void: out; own: out
    "C-1,Litter,app,North Side,no,02-20 08:00,02-20 09:00,03-01 00:00,02-21 09:00,",
    "C-2,Litter,app,North Side,no,03-20 08:00,03-20 09:00,04-01 00:00,,",
    "C-3,Litter,app,North Side,no,03-20 08:00,03-20 09:00,03-25 00:00,,03-21 09:00",
    "C-4,Litter,warden,North Side,yes,03-20 08:00,,,03-20 09:00,",
]
EXPECTED = {
    "due": "A-1 A-2 A-3 A-4 C-1",
    "on_time": "A-1 C-1",
    "overdue": "A-2 A-3 A-4",
    "cumulative": "A-1 A-2 A-3 A-4 B-2 B-3 C-1",
    "closed": "A-1 A-2 B-2 C-1",
    "unclosed": "A-3 A-4 B-3",
    "closed_due": "A-1 A-2 C-1",
    "carried_over": "B-2 B-3",
}


@pytest.fixture(scope="module")
def march():
    """Return March 2024 in the toy city."""
    return Period.month("2024-03", ZONE)


def dated(row):
    """Return a row with its year."""
    names = row.replace("inspector", "City inspector").replace("warden", "Area warden")
    return re.sub(r"(?<=,)(?=[0-9]{2}-)", "2024-", names)


@pytest.fixture
def city(toy, tmp_path):
    """Return the toy city with these cases."""
    (tmp_path / "m.toml").write_text(MAPPING)
    (tmp_path / "cases.csv").write_text("\n".join([CASES, *map(dated, ROWS)]) + "\n")
    request = ImportRequest(mapping=str(tmp_path / "m.toml"))
    result = import_file(toy, tmp_path / "cases.csv", request)
    assert result.accepted == len(ROWS)
    return toy


@pytest.mark.parametrize("measure", EXPECTED)
def test_closing_sets_by_hand(measure, city, march):
    """Who is due, on time, carried over and closed follows from due and closing time alone."""
    with begin(city.engine) as tx:
        rows = read_rows(tx, sliced("closing", measure), march, after=None, limit=None)
    assert " ".join(str(row["case_no"]) for row in rows) == EXPECTED[measure]


def test_intake_counts_accepted_and_own(city, march):
    """Accepted cases count by their acceptance, own ones by their report, void ones too."""
    with begin(city.engine) as tx:
        counts = Counts.of({"intake": read_counts(tx, FACTS["intake"], march)})
    assert counts.sum(sliced("intake", "n")) == 7
    assert counts.sum(sliced("intake", "n", self_handled=False)) == 6
    assert counts.sum(sliced("intake", "n", region_key="unlocated")) == 1
    assert counts.sum(sliced("intake", "n", source=("wechat", "hotline_12345"))) == 2


@pytest.mark.parametrize("name", FACTS)
def test_rows_and_counts_agree(name, city, march):
    """Every fact answers, and the rows of a measure sum to its count."""
    fact = FACTS[name]
    with begin(city.engine) as tx:
        counts = Counts.of({name: read_counts(tx, fact, march)})
        for measure in fact.measures:
            rows = read_rows(tx, sliced(name, measure), march, after=None, limit=None)
            weights = sum((Decimal(str(row.get("weight", 1))) for row in rows), Decimal(0))
            assert counts.sum(sliced(name, measure)) == weights


def test_rows_come_in_pages(city, march):
    """A page goes on after the last key of the one before."""
    with begin(city.engine) as tx:
        first = read_rows(tx, sliced("closing", "due"), march, after=None, limit=2)
        rest = read_rows(tx, sliced("closing", "due"), march, after="A-2", limit=None)
    assert [row["case_no"] for row in first] == ["A-1", "A-2"]
    assert [row["case_no"] for row in rest] == ["A-3", "A-4", "C-1"]


def test_a_slice_of_nothing_known_is_refused():
    """A fact has no measures but its own."""
    with pytest.raises(KeyError, match="closing has no colour"):
        sliced("closing", "due", colour="red")
