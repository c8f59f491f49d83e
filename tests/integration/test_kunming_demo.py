"""The calibrated month of the demo, imported by the public way: the report's counts come out."""

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import text

from gridgis.demo.spec import read_spec
from gridgis.model.period import Period
from gridgis.services.lookup import density
from gridgis.services.monitor import measure_density
from gridgis.store.engine import begin

MONTH, TOTAL = "2024-11", 187_370


@pytest.fixture(scope="module")
def run(kunming):
    """Return the balance of the month's density run."""
    context = kunming[0]
    return measure_density(context, period=Period.month(MONTH, context.city.time_zone))


def test_every_row_of_the_files_is_accounted_for(kunming):
    """Rows of the manifest = accepted + rejected, and only the planted repeats are rejected."""
    _, manifest, results = kunming
    entries = [e for e in manifest.files if e.month == MONTH and e.kind == "cases"]
    own = {entry.path: results[entry.path] for entry in entries}
    spec = read_spec(kunming[0].profile())
    assert {entry.path: entry.rows for entry in entries} == {
        path: result.accepted + result.rejected for path, result in own.items()
    }
    assert sum(result.accepted for result in own.values()) == TOTAL
    rules = results[f"cases-{MONTH}.csv"].reject_rules
    assert rules == {
        "duplicate_row": spec.defects.repeated_rows,
        "duplicate_case_no": spec.defects.conflicting_rows,
    }


def test_cells_and_reasons_sum_to_the_month(run):
    """Cases in cells and those without one, by reason, are all cases of the month."""
    parts = run.in_cells + run.no_point + run.too_coarse + run.outside_cells
    assert run.total == TOTAL == parts
    assert min(run.in_cells, run.no_point, run.too_coarse, run.outside_cells) > 0


def test_regions_have_the_counts_and_shares_of_the_report(kunming, run):
    """Placed by polygon, every region has the margin it was given, and shares print as in print."""
    context = kunming[0]
    spec = read_spec(context.profile())
    answer = density(context, level="district", run=run.run_id)
    counts = {row["code"]: row["numerator"] for row in answer["rows"]}
    shares = {row["code"]: row["share_text"] for row in answer["rows"]}
    rest = {entry["reason"]: entry["cases"] for entry in answer["rest"]}
    assert counts == spec.regions
    assert rest == {"unlocated": spec.unlocated, "cross_area": spec.cross_area}
    printed = {"530102": "26.45%", "530103": "13.68%", "5301Z1": "64.87%", "5301Z3": "11.87%",
               "530129": "10.72%", "530125": "7.60%"}  # fmt: skip
    assert {code: shares[code] for code in printed} == printed
    assert answer["total"] == TOTAL


@pytest.mark.parametrize("level", ["cell", "street", "district", "admin", "city"])
def test_every_level_sums_to_the_month(kunming, run, level):
    """Rows and rest of each level are the same cases."""
    assert density(kunming[0], level=level, run=run.run_id)["total"] == TOTAL


def test_only_the_wrongly_declared_batch_is_suspect(kunming):
    """The batch of GCJ-02 numbers declared as WGS84 is reported, no other file is."""
    suspects = {
        path: warning["message"]
        for path, result in kunming[2].items()
        for warning in result.warnings
        if warning["code"] == "suspect_datum"
    }
    assert set(suspects) == {"cases-2024-10-survey.csv", f"cases-{MONTH}-survey.csv"}
    assert "looks like GCJ-02 read as WGS84" in next(iter(suspects.values()))


def test_every_trusted_point_in_the_grid_is_in_exactly_one_cell(kunming):
    """Placement of the whole month equals geopandas: the lowest code of the covering cells."""
    context = kunming[0]
    with begin(context.engine) as tx:
        cases = pd.DataFrame(
            tx.execute(
                text(
                    "SELECT case_no, cell_code, ST_X(geom_m) AS x, ST_Y(geom_m) AS y "
                    "FROM core.case_record WHERE locate_radius_m <= 50"
                )
            ).all()
        )
        cells = tx.execute(text("SELECT cell_code, ST_AsBinary(geom_m) FROM core.unit_grid")).all()
    crs = f"EPSG:{context.city.measuring_srid}"
    grid = gpd.GeoDataFrame(
        {"code": [code for code, _ in cells]},
        geometry=gpd.GeoSeries.from_wkb([bytes(wkb) for _, wkb in cells]),
        crs=crs,
    )
    points = gpd.GeoDataFrame(cases, geometry=gpd.points_from_xy(cases["x"], cases["y"]), crs=crs)
    peer = gpd.sjoin(points, grid, predicate="intersects").groupby("case_no")["code"].min()
    found = cases.dropna(subset=["cell_code"]).set_index("case_no")["cell_code"]
    assert len(found) > 0.5 * len(cases)
    pd.testing.assert_series_equal(found.sort_index(), peer.sort_index(), check_names=False)
