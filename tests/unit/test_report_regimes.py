"""A comparison across a change of the reporting regime says so (统计口径变化)."""

import dataclasses
from datetime import date
from pathlib import Path

import pytest

from gridgis.intake.profile import load_profile
from gridgis.model.rules import LedgerRules, Regime
from gridgis.report.build import build_report
from gridgis.report.compare import change_text
from gridgis.report.counts import Counts
from gridgis.report.material import Extras, collect, month_before
from gridgis.report.regimes import changes_between, tell_changes
from gridgis.report.wording import words_of

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
PAUSED = Regime("暂停", "Paused", date(2024, 11, 1), date(2025, 2, 1))


@pytest.mark.parametrize(("start", "end", "days"), [
    (date(2024, 10, 1), date(2024, 12, 1), ["2024-11-01"]),  # October and November
    (date(2024, 11, 1), date(2025, 1, 1), []),  # November and December
    (date(2024, 10, 1), date(2024, 11, 1), []),  # October alone: the day after does not count
    (date(2023, 11, 1), date(2025, 3, 1), ["2024-11-01", "2025-02-01"]),
])  # fmt: skip
def test_changes_lie_between_the_months(start, end, days):
    """From the day after the first of the earlier month to the last of the later one."""
    assert [str(change.day) for change in changes_between([PAUSED], start, end)] == days


def test_beginning_and_end_are_told():
    """The sentence names regime and day, in the language of the report."""
    changes = changes_between([PAUSED], date(2024, 1, 1), date(2026, 1, 1))
    assert tell_changes(words_of("zh"), changes).text == (
        "“暂停”自2024年11月1日起实行；“暂停”自2025年2月1日起结束"
    )
    assert "“Paused” ended on 1 February 2025" in tell_changes(words_of("en"), changes).text


@pytest.fixture(scope="module")
def profile():
    """Return the toy city with a regime that begins in November 2024."""
    toy = load_profile(TOY / "profile")
    return dataclasses.replace(toy, ledger=LedgerRules(regimes=(PAUSED,)))


def counts(cases, on_time=50):
    """Return counts of so many cases, and of 100 tasks."""
    row = {"region_key": "990901", "self_handled": False, "case_kind": "event", "n": cases * 100}
    task = {"region_key": "990901", "due": 10000, "on_time": on_time * 100}
    return Counts.of({"intake": [row], "tasks": [task | {"overdue": 10000 - task["on_time"]}]})


def block(model, key):
    """Return a block of a model."""
    return next(b for section in model.sections for b in section.blocks if b.key == key)


def test_sentence_table_and_chart_say_that_the_regime_changed(profile):
    """October and November follow different regimes; so do the November before and October."""
    model = build_report(profile, counts(90), month="2024-11", previous=counts(100),
                         year_ago=counts(80))  # fmt: skip
    said = "the regime “Paused” holds from 1 November 2024"
    assert said.capitalize()[:10] in block(model, "compare.previous").text
    assert "no trend" in block(model, "compare").note
    chart = block(model, "trend_chart")
    assert chart.labels == ("November 2023", "October 2024", "November 2024")
    assert (chart.break_after, chart.series[0].values) == (2, (80.0, 100.0, 90.0))
    assert said in chart.note


def test_months_of_one_regime_are_a_trend(profile):
    """Nothing is said where nothing changed."""
    model = build_report(profile, counts(90), month="2024-12", previous=counts(100))
    assert block(model, "compare").note == ""
    assert block(model, "trend_chart").break_after is None


def test_figures_of_other_months_say_so_in_their_key_and_label(profile):
    """A figure of the month before is told apart from that of the month."""
    model = build_report(profile, counts(90), month="2024-11", previous=counts(100))
    figure = model.figures["previous.intake.accepted"]
    assert (figure.key, figure.numerator) == ("previous.intake.accepted", 100)
    assert figure.label.endswith("October 2024")
    assert model.figures["intake.accepted"].numerator == 90


@pytest.mark.parametrize(("now", "then", "key", "text"), [
    (counts(90), counts(100), "intake.accepted", "-10.00%"),
    (counts(201), counts(200), "intake.accepted", "+0.50%"),
    (counts(100), counts(100), "intake.accepted", "no change"),
    (counts(5), counts(0), "intake.accepted", "—"),  # from nothing there is no percent
    (counts(1, 97), counts(1, 90), "dispatch.total", "+7.00 points"),
    (counts(1), counts(1), "closing.total.closure_rate", "—"),  # no such rows
])  # fmt: skip
def test_changes_are_percent_or_points(profile, now, then, key, text):
    """Counts change by percent, rates by points; what is missing has no change."""
    m = collect(profile, now, "2024-12", earlier={"previous": then}, restricted=(),
                extras=Extras())  # fmt: skip
    assert change_text(m, "previous", key) == text


@pytest.mark.parametrize(("months", "expected"), [(1, "2024-12"), (12, "2024-01"), (13, "2023-12")])
def test_months_before(months, expected):
    """The month before January is December."""
    assert month_before("2025-01", months) == expected
