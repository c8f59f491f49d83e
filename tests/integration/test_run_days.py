"""A run is read with the areas of its own day, and loses no case when areas change."""

import pytest
from sqlalchemy import text

from gridgis.model.period import Period
from gridgis.services import lookup, places
from gridgis.services.context import open_context
from gridgis.services.monitor import measure_density

SPLIT = """
UPDATE core.region SET valid_to = '2024-03-10' WHERE region_code = '990902';
INSERT INTO core.region (region_code, name, name_en, kind, group_code, position, priority,
    geom_quality, geom, geom_m, managed_geom, label_point, area_m2, land_area_m2, valid_from)
SELECT v.code, v.code, v.code, kind, group_code, position, priority, geom_quality, geom, geom_m,
    managed_geom, label_point, area_m2, land_area_m2, '2024-03-10'
FROM core.region, (VALUES ('990904'), ('990905')) AS v (code) WHERE region_code = '990902';
UPDATE core.data_version SET version = version + 1
"""


@pytest.fixture
def changed(cluster, loaded_template):
    """Yield a city whose South Side was replaced by two districts within the month of its run."""
    name = cluster.clone(loaded_template)
    context = open_context(cluster.settings(name))
    with context.engine.begin() as tx:
        for statement in SPLIT.split(";\n"):
            tx.execute(text(statement))
    yield context
    context.engine.dispose()
    cluster.drop(name)


def codes(found):
    """Return the codes of the places of an answer."""
    return {row["code"] for row in found["rows"]}


def test_old_run_keeps_the_regions_of_its_day(changed):
    """A region that ended later is still in the run's tables, and no later one is."""
    found = lookup.density(changed, level="district", run=1)
    assert codes(found) == {"990901", "990902", "990903", "9909Z1"}
    assert found["total"] == 271
    assert lookup.legend(changed, level="district", run=1)["total"] == 271


def test_today_has_the_regions_of_today(changed):
    """Lists, frames and locations follow the calendar, not the last run."""
    today = {str(row["code"]) for row in lookup.read_list(changed, "regions")}
    assert today == {"990901", "990903", "990904", "990905", "9909Z1"}
    assert set(lookup.areas(changed, "districts")["code"]) == today
    assert places.locate(changed, 24.934, 60.2917, crs="wgs84")["region"]["code"] == "990904"


def test_areas_that_will_end_are_still_of_today(changed):
    """A known last day in the future does not hide a region now."""
    with changed.engine.begin() as tx:
        tx.execute(
            text("UPDATE core.region SET valid_to = '2199-01-01' WHERE region_code = '990901'")
        )
    assert "990901" in {row["code"] for row in lookup.read_list(changed, "regions")}


def test_region_that_begins_within_the_month_has_a_row(changed):
    """Cases counted for a region that began after the run's first day are not lost."""
    with changed.engine.begin() as tx:
        tx.execute(text(
            "UPDATE core.case_record SET region_code = '990904' WHERE region_code = '990902' "
            "AND reported_at >= '2024-03-10'"
        ))  # fmt: skip
    balance = measure_density(changed, period=Period.month("2024-03", "Europe/Helsinki"))
    found = lookup.density(changed, level="district", run=balance.run_id)
    rows = {row["code"]: row["numerator"] for row in found["rows"]}
    assert rows["990902"] + rows["990904"] == 98
    assert rows["990904"] > 0
    assert found["total"] == balance.total == 271
    assert not [row for row in found["rest"] if row["reason"] == "unknown_place"]


def test_place_that_no_table_knows_stays_in_the_rest(changed):
    """A region or cells that were deleted after the run keep their cases, under a reason."""
    with changed.engine.begin() as tx:
        tx.execute(text("DELETE FROM core.region WHERE region_code = '990902'"))
        tx.execute(text("DELETE FROM core.unit_grid WHERE region_code = '990901'"))
    for level in ("cell", "district", "admin", "street"):
        assert lookup.density(changed, level=level, run=1)["total"] == 271
    for level in ("cell", "district", "block500", "block1000", "street"):
        assert lookup.legend(changed, level=level, run=1)["total"] == 271
    rest = {
        r["reason"]: r["cases"] for r in lookup.density(changed, level="district", run=1)["rest"]
    }
    assert rest["unknown_place"] == 98


def test_cell_of_a_former_grid_is_still_read(changed):
    """A click on an old map finds its cell, marked as not current."""
    code = lookup.density(changed, level="cell", run=1)["rows"][0]["code"]
    assert places.read_cell(changed, code)["current"] is True
    with changed.engine.begin() as tx:
        tx.execute(text("UPDATE core.grid SET valid_to = '2025-01-01'"))
    found = places.read_cell(changed, code)
    assert found["current"] is False
    assert found["counts"]["cases"] > 0
