"""A real second city: Boston 311 of 2015, from a profile folder without geometry or rows."""

from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from sqlalchemy import text

from boundaries.read import read_vector
from gridgis.cli.layers import ALWAYS, make_profile_cells
from gridgis.config import Settings
from gridgis.model.period import Period
from gridgis.services.context import init_city
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_cases
from gridgis.services.lookup import density
from gridgis.services.monitor import measure_density
from gridgis.services.regions import AreaLayer, read_areas, store_areas
from gridgis.services.report import make_report
from gridgis.store.engine import begin

PROFILE = Path(__file__).resolve().parents[1] / "data" / "boston" / "profile"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "boston311"
ROWS = 121_145
CLOSED_BEFORE_OPENED = 197
pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="the shared Boston data are absent")


@pytest.fixture(scope="module")
def boston(cluster, tmp_path_factory):
    """Return Boston with its neighborhoods, unit grids and all rows, and the import's result."""
    settings = Settings(data_dir=cluster.state_dir)
    context = init_city(settings, str(PROFILE), database="boston_module")
    profile = context.profile()
    codes = {region.name: region.code for region in profile.regions}
    frame = read_vector(SHARED / "boston_neighborhoods.geojson", crs="wgs84", name_field="Name")
    frame["code"] = frame["name"].map(codes)
    layer = AreaLayer("district", frame, "map_derived", "unlicensed, for this test only")
    store_areas(context, [layer], profile=profile, validity=ALWAYS)
    make_profile_cells(context, profile)
    rejects = tmp_path_factory.mktemp("boston") / "rejects.csv"
    result = import_cases(
        context, SHARED / "boston311_2015.csv.gz", ImportRequest(crs="wgs84", rejects=rejects)
    )
    yield context, result
    context.engine.dispose()
    cluster.drop("boston_module")


def test_boston_rows_are_placed_unplaced_or_rejected(boston):
    """Every row read is in a cell, without one for a stated reason, or rejected with a rule."""
    _, result = boston
    placed = result.placement["in_cell"]
    unplaced = sum(result.placement[r] for r in ("no_point", "too_coarse", "outside_cells"))
    assert result.rows_in == ROWS == placed + unplaced + result.rejected
    assert result.reject_rules == {"stage_order": CLOSED_BEFORE_OPENED}


def test_boston_neighborhoods_agree_with_geopandas(boston):
    """Counts per neighborhood are those of geopandas.sjoin over the rows that keep a point."""
    context, result = boston
    with begin(context.engine) as tx:
        kept = set(
            tx.scalars(text("SELECT case_no FROM core.case_record WHERE locate_radius_m <= 50"))
        )
        found = tx.execute(
            text(
                "SELECT region_code, count(*) FROM core.case_record "
                "WHERE region_method = 'polygon' GROUP BY 1"
            )
        )
        counts = dict(found.all())
    rows = pd.read_csv(SHARED / "boston311_2015.csv.gz", dtype=str)
    rows = rows[rows["CASE_ENQUIRY_ID"].isin(kept)]
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(
            rows["LONGITUDE"].astype(float), rows["LATITUDE"].astype(float)
        ),
        crs=4326,
    )
    peer = gpd.sjoin(points, read_areas(context, "district"), predicate="within")
    assert counts == peer.groupby("code").size().to_dict()
    assert len(kept) > 0.999 * result.accepted


def test_boston_months_reconcile(boston):
    """The density runs of twelve months hold every accepted row once, at every level."""
    context, result = boston
    totals = dict.fromkeys(("cell", "district", "admin", "city"), 0)
    for month in range(1, 13):
        period = Period.month(f"2015-{month:02d}", context.city.time_zone)
        run = measure_density(context, period=period).run_id
        for level in totals:
            totals[level] += density(context, level=level, run=run)["total"]
    assert totals == dict.fromkeys(totals, result.accepted)


def test_boston_has_its_own_report(boston):
    """
    Due and closed on time agree with the city's own OnTime_Status, month by month.

    Every row with both times agrees. What is still open has no closing time: gridgis counts it as
    not on time in the month it was due, Boston as OVERDUE, or as ONTIME while its target lay after
    the day of the export.
    """
    context, _ = boston
    rows = pd.read_csv(SHARED / "boston311_2015.csv.gz", dtype=str)
    times = {
        name: pd.to_datetime(rows[name], format="%m/%d/%Y %I:%M:%S %p")
        for name in ("OPEN_DT", "TARGET_DT", "CLOSED_DT")
    }
    good = ~(times["CLOSED_DT"] < times["OPEN_DT"])
    said = rows["OnTime_Status"] == "ONTIME"
    closed = times["CLOSED_DT"].notna()
    for month in ("2015-01", "2015-06", "2015-12"):
        due = good & (times["TARGET_DT"].dt.strftime("%Y-%m") == month)
        made = make_report(context, month)
        figure = made.figures["closing.total.on_time_closure_rate"]
        assert int(figure.denominator) == due.sum() > 1000
        assert int(figure.numerator) == (due & closed & said).sum()
        unlike = due & said & ~closed  # open, and not late yet on the day of the export
        assert (due & ~closed & ~said).sum() + unlike.sum() == (due & ~closed).sum()
        assert made.texts["closing.total.on_time_closure_rate"].endswith("%")
