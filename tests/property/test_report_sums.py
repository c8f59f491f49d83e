"""What holds for the figures of any month (月报指标的性质)."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.model.figures import FACTS, sliced
from gridgis.report.build import build_report
from gridgis.report.counts import Counts
from gridgis.report.cube import Cube

REGIONS = ("530102", "530103", "5301Z1", "530125", "unlocated", "cross_area", "other", "no-such")
VALUES = {
    "region_key": REGIONS,
    "source": ("city_supervisor", "hotline_12345", None),
    "tier": ("city", "district", None),
    "self_handled": (True, False),
    "case_kind": ("event", "component", None),
    "subcategory_code": ("S0201", "S0592", "B0104", "S0691", None),
    "assessment_type": ("creation", "appeal", "hazard", None),
    "place": ("here", None),
    "level": ("city", "district", "street"),
}
PARTS = {
    # what a measure is of: never more than that
    "intake": {}, "complaints": {}, "whistles": {}, "whistles_resolved": {}, "key_cases": {},
    "tasks": {"on_time": "due"},
    "response": {"responded": "due", "disposed": "due", "called": "due", "satisfied": "called"},
    "checks": {"substandard": "checked"},
}  # fmt: skip
SLOW = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def a_row(fact, draw):
    """Return a row of a fact whose measures agree with each other."""
    row = {dim: draw(st.sampled_from(VALUES[dim])) for dim in FACTS[fact].dims}
    if fact == "closing":
        on_time, late, open_due, carried_closed, carried_open = (
            draw(st.integers(0, 300)) for _ in range(5)
        )
        due = on_time + late + open_due
        return row | {
            "due": due, "on_time": on_time, "overdue": late + open_due,
            "cumulative": due + carried_closed + carried_open,
            "closed": on_time + late + carried_closed, "unclosed": open_due + carried_open,
            "closed_due": on_time + late, "carried_over": carried_closed + carried_open,
        }  # fmt: skip
    measured = {}
    for measure in FACTS[fact].measures:
        of = PARTS[fact].get(measure)
        measured[measure] = draw(st.integers(0, measured[of] if of else 500))
    if fact == "tasks":
        measured["overdue"] = measured["due"] - measured["on_time"]
    return row | measured


@st.composite
def ledgers(draw):
    """Draw the rows of all facts of a month; measures in hundredths."""
    return {fact: [a_row(fact, draw) for _ in range(draw(st.integers(0, 6)))] for fact in FACTS}


@pytest.fixture(scope="module")
def profile():
    """Return a profile with groups, zones, types and a regime."""
    return load_profile(shipped_profiles()["kunming"])


def report(profile, rows):
    """Return the report of a month beside itself."""
    counts = Counts.of(rows)
    return build_report(profile, counts, month="2024-11", previous=counts, restricted=("S06",))


@SLOW
@given(rows=ledgers(), data=st.data())
def test_every_figure_is_its_slice(profile, rows, data):
    """Numerator and denominator of a figure are the sums of the slices that it names."""
    counts = Counts.of(rows)
    figures = list(build_report(profile, counts, month="2024-11").figures.values())
    start = data.draw(st.integers(0, 9))
    for figure in figures[start::10]:
        assert figure.numerator == counts.sum(figure.over)
        assert figure.whole is None or figure.denominator == counts.sum(figure.whole)


@SLOW
@given(rows=ledgers())
def test_totals_are_reconciled(profile, rows):
    """Regions and rest, sources, types, levels and kinds sum to their totals."""
    model = report(profile, rows)
    table = next(b for s in model.sections for b in s.blocks if b.key == "reconcile")
    assert {row[-1].text for row in table.rows} <= {"0"}
    assert len(table.rows) > 0 or not any(rows.values())


@SLOW
@given(rows=ledgers())
def test_closing_figures_keep_their_order(profile, rows):
    """On time ≤ due ≤ cumulative and on time ≤ closed ≤ cumulative, wherever they are told."""
    figures = report(profile, rows).figures
    for key in [key for key in figures if key.endswith(".closure_rate_std")]:
        prefix = key.removesuffix(".closure_rate_std")
        rate, on_time = figures[f"{prefix}.closure_rate"], figures[f"{prefix}.on_time_closure_rate"]
        assert on_time.numerator <= on_time.denominator <= rate.denominator
        assert on_time.numerator <= rate.numerator <= rate.denominator
        carried = rate.denominator - on_time.denominator
        closed_carried = rate.numerator - figures[key].numerator
        assert 0 <= closed_carried <= carried


@SLOW
@given(rows=ledgers())
def test_rates_lie_between_0_and_1(profile, rows):
    """No rate exceeds 100 %, and a denominator of 0 prints a dash."""
    model = report(profile, rows)
    for key, figure in model.figures.items():
        if figure.whole is not None and figure.denominator:
            assert 0 <= figure.value <= 1
        elif figure.whole is not None:
            assert (figure.value, model.texts[key]) == (None, "—")


@SLOW
@given(rows=ledgers(), data=st.data())
def test_the_order_of_rows_does_not_matter(profile, rows, data):
    """The same rows in another order give the same report."""
    mixed = {fact: data.draw(st.permutations(given)) for fact, given in rows.items()}
    assert report(profile, rows) == report(profile, mixed)


@settings(max_examples=60, deadline=None)
@given(rows=ledgers(), data=st.data())
def test_cube_sums_as_counts_do(rows, data):
    """Aggregated sums of any slice are those of a scan, missing and repeated values too."""
    counts = Counts.of(rows)
    fact = data.draw(st.sampled_from(list(FACTS)))
    dims = data.draw(st.lists(st.sampled_from(FACTS[fact].dims), unique=True))
    where = {
        dim: tuple(data.draw(st.lists(st.sampled_from(VALUES[dim]), min_size=1))) for dim in dims
    }
    chosen = sliced(fact, data.draw(st.sampled_from(FACTS[fact].measures)), **where)
    assert Cube(counts).sum(chosen) == counts.sum(chosen)


@SLOW
@given(rows=ledgers(), more=st.integers(1, 500))
def test_one_more_task_moves_the_figures_of_its_region(profile, rows, more):
    """An overdue task more: figures of its region, group, class and city, and no others."""
    extra = {"region_key": "530103", "subcategory_code": "S0201", "due": more * 100, "on_time": 0,
             "overdue": more * 100}  # fmt: skip
    before = build_report(profile, Counts.of(rows), month="2024-11").figures
    after = build_report(
        profile, Counts.of(rows | {"tasks": [*rows["tasks"], extra]}), month="2024-11"
    ).figures
    moved = {key for key in before.keys() & after.keys() if before[key] != after[key]}
    areas = {"530103", "group.main", "total"}
    assert moved <= {
        f"dispatch.{area}{part}"
        for area in areas
        for part in ("", ".due", ".overdue", ".overdue.S0201")
    }
    for area in areas:
        key = f"dispatch.{area}.due"
        assert after[key].numerator - before[key].numerator == Decimal(more)
