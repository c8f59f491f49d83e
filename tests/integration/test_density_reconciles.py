"""Whatever is filtered, every level of a density run adds up to the same total (平衡)."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from gridgis.model.period import Period
from gridgis.services import lookup
from gridgis.services.context import open_context
from gridgis.services.monitor import measure_density
from gridgis.store.metrics import CountFilter

LEVELS = ("cell", "street", "district", "admin", "city")
LEGENDS = ("cell", "block500", "block1000", "street", "district")
REASONS = {
    "cell": {"no_point", "too_coarse", "outside_cells"},
    "street": {"no_point", "outside_streets"},
    "district": {"unlocated", "cross_area", "other"},
    "admin": {"no_district"},
    "city": set(),
}
CATEGORIES = ["B0101", "B0201", "S0101", "S0102", "S0501", "S0502"]
PREFIXES = [None, "B", "S", "B01", "S01", "S05", "S09", *CATEGORIES]
SOURCES = [None, "city_supervisor", "district_supervisor", "hotline_12345", "wechat", "other"]
REGIONS = [None, "990901", "990902", "990903", "9909Z1"]
FILTERS = st.builds(CountFilter, *map(st.sampled_from, (PREFIXES, SOURCES, REGIONS)))
PROPERTY = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCATTER = """
INSERT INTO core.case_record (case_no, case_kind, category_code, subcategory_code, source,
    self_handled, reported_at, accepted_at, region_method, region_code, district_code, street_code,
    cell_code, grid_version, no_cell_reason, src_crs, geom, file_id, row_no, row_hash)
SELECT 'R' || n, 'event', left(c.code, 3), c.code,
    (CAST(:sources AS text[]))[1 + floor(random() * 5)],
    random() < 0.2, r.at, CASE WHEN random() < 0.9 THEN r.at END,
    CASE WHEN p.region IN ('unlocated', 'other') THEN 'none'
         WHEN p.region = 'cross_area' THEN 'cross_area' ELSE 'stated' END,
    CASE WHEN p.region LIKE '99%' THEN p.region END,
    (CAST(:districts AS text[]))[1 + floor(random() * 4)],
    CASE WHEN p.placed THEN u.street_code END, CASE WHEN p.placed AND p.fine THEN u.cell_code END,
    CASE WHEN p.placed AND p.fine THEN u.grid_version END,
    CASE WHEN p.placed AND p.fine THEN NULL
         WHEN NOT p.located THEN 'no_point' WHEN p.fine THEN 'outside_cells' ELSE 'too_coarse' END,
    'wgs84', CASE WHEN p.located THEN ST_SetSRID(ST_MakePoint(24.9, 60.3), 4326) END,
    1, n, md5(n::text)::uuid
FROM generate_series(1, :rows) AS n
CROSS JOIN LATERAL (
    SELECT (CAST(:categories AS text[]))[1 + floor(random() ^ 2 * 6) + n * 0] AS code) AS c
CROSS JOIN LATERAL (
    SELECT timestamptz '2024-02-27' + random() * interval '36 days' + n * interval '0' AS at) AS r
CROSS JOIN LATERAL (
    SELECT (ARRAY['990901', '990902', '990903', '9909Z1', 'cross_area', 'unlocated', 'other'])
        [1 + floor(random() * 7) + n * 0] AS region, random() < 0.7 AS placed,
        random() < 0.9 AS fine) AS q
CROSS JOIN LATERAL (
    SELECT q.region, q.fine, q.placed AND q.region <> 'unlocated' AS placed,
        q.region <> 'unlocated' AND (q.placed OR q.region = 'other' OR n % 2 = 0) AS located
) AS p
LEFT JOIN LATERAL (
    SELECT * FROM core.unit_grid ORDER BY random() + n * 0 LIMIT 1) AS u ON true
"""


@pytest.fixture(scope="module", params=[1, 2])
def scattered(request, cluster, loaded_template):
    """Yield a city with random cases of every kind of place, one run of March, and its counts."""
    name = cluster.clone(loaded_template)
    context = open_context(cluster.settings(name))
    with context.engine.begin() as tx:
        tx.execute(text("SELECT setseed(:seed)"), {"seed": request.param / 10})
        tx.execute(text("DELETE FROM core.case_record"))
        tx.execute(text(SCATTER), {
            "rows": 1500, "categories": CATEGORIES, "sources": SOURCES[1:],
            "districts": ["990901", "990902", "990903", None],
        })  # fmt: skip
    balance = measure_density(context, period=Period.month("2024-03", "Europe/Helsinki"))
    with context.engine.begin() as tx:
        cases = tx.execute(text(
            "SELECT subcategory_code, source, region_code, region_method, geom IS NULL AS nowhere, "
            "cell_code, street_code, district_code, no_cell_reason FROM core.case_record "
            "WHERE counted_at >= '2024-03-01 00:00+02' AND counted_at < '2024-04-01 00:00+03'"
        )).all()  # fmt: skip
    yield context, balance, cases
    context.engine.dispose()
    cluster.drop(name)


def key_of(case):
    """Return the management region of a case, or why it has none."""
    if case.region_code:
        return case.region_code
    if case.region_method == "cross_area":
        return "cross_area"
    return "unlocated" if case.nowhere else "other"


def meant(cases, chosen):
    """Return the cases of a filter, by plain Python."""
    return [
        case for case in cases
        if case.subcategory_code.startswith(chosen.category or "")
        and chosen.source in (None, case.source)
        and chosen.district in (None, key_of(case))
    ]  # fmt: skip


def test_a_run_refreshes_the_statistics_of_its_tables(scattered):
    """The planner knows the counts of a run at once, though another role owns the tables."""
    context, *_ = scattered
    with context.engine.begin() as tx:
        for table in ("runs.density_count", "runs.density_place"):
            known = tx.scalar(
                text("SELECT reltuples FROM pg_class WHERE oid = CAST(:name AS regclass)"),
                {"name": table},
            )
            assert known == tx.scalar(text(f"SELECT count(*) FROM {table}"))  # noqa: S608 - fixed


@PROPERTY
@given(chosen=FILTERS)
def test_every_level_sums_to_the_filtered_total(scattered, chosen):
    """Numerators of the places and the rest are the cases of the filter, at every level."""
    context, balance, cases = scattered
    total = len(meant(cases, chosen))
    for level in LEVELS:
        found = lookup.density(context, level=level, run=balance.run_id, chosen=chosen)
        rows, rest = found["rows"], found["rest"]
        assert found["total"] == total
        assert sum(row["numerator"] for row in [*rows, *rest]) == total
        assert {row["reason"] for row in rest} <= REASONS[level]


@PROPERTY
@given(chosen=FILTERS)
def test_places_have_the_counts_of_their_cases(scattered, chosen):
    """Each place's numerator is the number of cases that name it."""
    context, balance, cases = scattered
    named = {
        "cell": lambda case: case.cell_code, "street": lambda case: case.street_code,
        "district": lambda case: case.region_code, "admin": lambda case: case.district_code,
    }  # fmt: skip
    for level, place in named.items():
        rows = lookup.density(context, level=level, run=balance.run_id, chosen=chosen)["rows"]
        expected = Counter(place(case) for case in meant(cases, chosen) if place(case))
        assert {row["code"]: row["numerator"] for row in rows if row["numerator"]} == expected


@PROPERTY
@given(chosen=FILTERS, k=st.integers(3, 7))
def test_legend_sums_to_the_filtered_total(scattered, chosen, k):
    """Classes above zero and the rest hold every case of the filter, whatever the level (W3)."""
    context, balance, cases = scattered
    total = len(meant(cases, chosen))
    for level in LEGENDS:
        found = lookup.legend(context, level=level, run=balance.run_id, chosen=chosen, k=k)
        classes = found["classes"]
        held = sum(entry["cases"] for entry in classes) + sum(r["cases"] for r in found["rest"])
        assert held == found["total"] == total
        assert len(classes) <= k
        assert all(entry["places"] > 0 and entry["cases"] > 0 for entry in classes)
        assert [entry["lo"] for entry in classes] == [0, *(e["hi"] for e in classes[:-1])][
            : len(classes)
        ]


def test_legend_places_are_the_places_in_scope(scattered):
    """Without a filter, classes and zero hold every cell, block, street and region."""
    context, balance, _ = scattered
    with context.engine.begin() as tx:
        expected = {
            "cell": tx.scalar(text("SELECT count(*) FROM core.unit_grid")),
            "block500": tx.scalar(text("SELECT count(DISTINCT block_500) FROM core.unit_grid")),
            "block1000": tx.scalar(text("SELECT count(DISTINCT block_1000) FROM core.unit_grid")),
            "street": 6, "district": 4,
        }  # fmt: skip
    for level, places in expected.items():
        found = lookup.legend(context, level=level, run=balance.run_id)
        assert found["zero"]["places"] + sum(e["places"] for e in found["classes"]) == places


def test_balance_of_a_run_is_the_sum_over_reasons(scattered):
    """Total = in cells + no_point + too_coarse + outside_cells, by plain counting."""
    _, balance, cases = scattered
    reasons = Counter(case.no_cell_reason for case in cases)
    assert balance.total == len(cases)
    assert (balance.in_cells, balance.no_point, balance.too_coarse, balance.outside_cells) == tuple(
        reasons[name] for name in (None, "no_point", "too_coarse", "outside_cells")
    )
    assert all(reasons[name] > 10 for name in (None, "no_point", "too_coarse", "outside_cells"))


def test_shares_are_within_the_reporting_group(scattered):
    """Numerators of a group sum to the denominator of its shares."""
    context, balance, _ = scattered
    rows = lookup.density(context, level="district", run=balance.run_id)["rows"]
    for group in {row["group"] for row in rows}:
        mine = [row for row in rows if row["group"] == group]
        assert {row["group_total"] for row in mine} == {sum(row["numerator"] for row in mine)}


def test_value_is_cases_by_land(scattered):
    """Value = numerator / denominator in hundredths; counts have neither."""
    context, balance, _ = scattered
    for level in LEVELS:
        for row in lookup.density(context, level=level, run=balance.run_id)["rows"]:
            assert row["value"] == pytest.approx(row["numerator"] / row["denominator"], abs=0.0051)
    counts = lookup.density(context, level="district", run=balance.run_id, per="none")
    assert all(row["value"] is None and row["denominator"] is None for row in counts["rows"])
