"""Look-ups by place are exact, also for boxes in other datums, and use their indexes."""

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from sqlalchemy import and_, func, select, text

from gridgis.config import Settings
from gridgis.crs import from_wgs84, to_wgs84
from gridgis.errors import InputError
from gridgis.model.period import Period
from gridgis.model.query import CaseFilter
from gridgis.services import find
from gridgis.services.context import init_city, open_context
from gridgis.store.conditions import conditions, in_order
from gridgis.store.tables import case_record as k

WEST, SOUTH, EAST, NORTH = 102.65, 24.95, 102.80, 25.10
CENTRE = (102.7125, 25.0375)
SCATTER = """
INSERT INTO core.import_file (kind, name, sha256, crs, mapping, synthetic, rows_in, accepted,
    rejected, inserted, updated, unchanged, started_at, ended_at)
VALUES ('cases', 'x', '', 'wgs84', '{}', true, 0, 0, 0, 0, 0, 0, now(), now());
SELECT setseed(0.42);
INSERT INTO core.case_record (case_no, case_kind, category_code, subcategory_code, source,
    self_handled, reported_at, accepted_at, region_method, no_cell_reason, src_crs, geom, file_id,
    row_no, row_hash)
SELECT to_char(n, 'FM000000'), 'event', 'S01', 'S0101', 'other', false, r.at, r.at, 'none',
    'outside_cells', 'wgs84', ST_SetSRID(ST_MakePoint(r.x, r.y), 4326), 1, n, md5(n::text)::uuid
FROM generate_series(1, 60000) AS n
CROSS JOIN LATERAL (SELECT
    102.65 + random() * 0.15 + n * 0 AS x, 24.95 + random() * 0.15 AS y,
    timestamptz '2024-09-01' + floor(random() * 129600) * interval '1 minute' AS at) AS r;
"""
EDGE = """
INSERT INTO core.case_record (case_no, case_kind, category_code, subcategory_code, source,
    self_handled, reported_at, accepted_at, region_method, no_cell_reason, src_crs, geom, file_id,
    row_no, row_hash)
SELECT 'E' || n, 'event', 'S01', 'S0101', 'other', false, now(), now(), 'none', 'outside_cells',
    'wgs84', ST_SetSRID(ST_MakePoint(:x + (n - 20) * 2e-7, :y), 4326), 1, 100000 + n,
    md5('E' || n)::uuid
FROM generate_series(0, 40) AS n
"""


@pytest.fixture(scope="module")
def city(cluster):
    """Yield a Chinese city of 60,000 random points, without areas: GCJ-02 means something here."""
    init_city(Settings(data_dir=cluster.state_dir), "kunming", database="points").engine.dispose()
    context = open_context(cluster.settings("points"))
    with context.engine.begin() as tx:
        for statement in SCATTER.split(";\n"):
            tx.execute(text(statement))
    with context.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        session.execute(text("ANALYZE core.case_record"))
    yield context
    context.engine.dispose()
    cluster.drop("points")


@pytest.fixture(scope="module")
def points(city):
    """Return case numbers, longitudes and latitudes as stored."""
    with city.engine.connect() as tx:
        rows = tx.execute(select(k.c.case_no, func.ST_X(k.c.geom), func.ST_Y(k.c.geom))).all()
    return (
        np.array([r[0] for r in rows]),
        np.array([r[1] for r in rows]),
        np.array([r[2] for r in rows]),
    )


def found(city, **asked):
    """Return the numbers of a filter's cases."""
    return {row["case_no"] for row in find.stream_cases(city, find.case_filter(city, **asked))}


def boxes(seed, count):
    """Yield random boxes from some metres to some kilometres wide."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        width, height = 10 ** rng.uniform(-4, -1, 2)
        west, south = rng.uniform(WEST, EAST - width), rng.uniform(SOUTH, NORTH - height)
        yield west, south, west + width, south + height


def text_of(numbers):
    """Return numbers as a parameter, to the last digit."""
    return ",".join(repr(float(number)) for number in numbers)


def inside(x, y, box):
    """Tell which points a box covers, borders included."""
    west, south, east, north = box
    return (x >= west) & (x <= east) & (y >= south) & (y <= north)


def test_box_covers_its_points_and_no_others(city, points):
    """A WGS84 box gives what comparing the doubles gives."""
    numbers, lon, lat = points
    for box in boxes(1, 12):
        assert found(city, bbox=text_of(box)) == set(numbers[inside(lon, lat, box)])


def test_box_is_exact_where_the_index_rounds(city):
    """Points within a float32 step of the border: `&&` alone would count some outside."""
    x, y = 102.7001, 25.0003
    with city.engine.connect() as tx:
        trial = tx.begin()
        tx.execute(text(EDGE), {"x": x, "y": y})
        box = func.ST_MakeEnvelope(x - 1, y - 1e-4, x, y + 1e-4, 4326)
        edge = k.c.case_no.like("E%")
        rough = tx.scalar(select(func.count()).where(edge, k.c.geom.op("&&")(box)))
        chosen = CaseFilter(bbox=(x - 1, y - 1e-4, x, y + 1e-4))
        exact = tx.scalar(select(func.count()).where(edge, conditions(city.city, chosen)))
        trial.rollback()
    assert exact == 21
    assert rough > exact


@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_box_of_another_datum_is_not_a_box_here(city, points, datum):
    """The box is read in its own datum: a case is in it if its converted point is."""
    numbers, lon, lat = points
    x, y = from_wgs84(lon, lat, datum)
    moved = 0
    for box in boxes(2, 10):
        shifted = (box[0] + 0.002, box[1] - 0.002, box[2] + 0.002, box[3] - 0.002)
        expected = set(numbers[inside(x, y, shifted)])
        assert found(city, bbox=text_of(shifted), crs=datum) == expected
        corners = to_wgs84(np.array(shifted[::2]), np.array(shifted[1::2]), datum)
        envelope = (corners[0][0], corners[1][0], corners[0][1], corners[1][1])
        moved += len(expected ^ set(numbers[inside(lon, lat, envelope)]))
    assert moved > 0  # corners alone would have been wrong


def test_box_in_the_measuring_crs_is_exact(city, points):
    """A box in metres covers the points whose projected doubles it holds."""
    numbers, lon, lat = points
    srid = city.city.measuring_srid
    x, y = Transformer.from_crs(4326, srid, always_xy=True).transform(lon, lat)
    for box in ((570000, 2768000, 574000, 2771000), (571000, 2769500, 571100, 2769600)):
        assert found(city, bbox=text_of(box), crs=f"EPSG:{srid}") == set(numbers[inside(x, y, box)])


@pytest.mark.parametrize("radius_m", [15, 300, 4000])
def test_radius_is_measured_on_the_ground(city, points, radius_m):
    """Cases near a point are those within the distance in the measuring CRS."""
    numbers, lon, lat = points
    project = Transformer.from_crs(4326, city.city.measuring_srid, always_xy=True)
    x, y = project.transform(lon, lat)
    at = project.transform(*CENTRE)
    expected = set(numbers[np.hypot(x - at[0], y - at[1]) <= radius_m])
    assert found(city, near=text_of(CENTRE), radius_m=radius_m) == expected
    assert expected or radius_m == 15


def test_radius_round_a_gcj02_point_is_that_round_its_twin(city):
    """The same place in two datums has the same neighbours."""
    twin = from_wgs84(*CENTRE, "gcj02")
    near = found(city, near=text_of(CENTRE), radius_m=500)
    assert found(city, near=text_of(twin), radius_m=500, crs="gcj02") == near
    assert found(city, near=text_of(twin), radius_m=500) != near


def test_polygon_with_a_hole_is_exact(city, points):
    """Multi-polygons with holes cover what shapely says."""
    numbers, lon, lat = points
    ring = shapely.Point(CENTRE).buffer(0.03).difference(shapely.Point(CENTRE).buffer(0.01))
    shape = shapely.MultiPolygon([ring, shapely.box(102.66, 24.96, 102.67, 24.97)])
    expected = set(numbers[shapely.intersects_xy(shape, lon, lat)])
    assert found(city, within=shapely.geometry.mapping(shape)) == expected  # tuples, as Python has


def test_polygon_of_another_datum_is_cut_before_it_is_turned(city, points):
    """Long sides are curves in another datum; points are decided in the polygon's own."""
    numbers, lon, lat = points
    x, y = from_wgs84(lon, lat, "gcj02")
    shape = shapely.Polygon([(102.66, 24.96), (102.79, 24.97), (102.72, 25.09)])
    expected = set(numbers[shapely.intersects_xy(shape, x, y)])
    given = found(city, within=shapely.geometry.mapping(shape), crs="gcj02")
    difference = expected ^ given  # a chord may miss the curve by under a millimetre
    assert len(difference) <= 1
    assert len(expected) > 1000


def test_month_is_the_local_one(city):
    """November of the city starts at its own midnight; from/to say the same."""
    month = found(city, month="2024-11")
    assert month == found(city, start="2024-11-01", end="2024-12-01")
    assert month == found(city, start="2024-10-31T16:00:00Z", end="2024-11-30T16:00:00+00:00")
    with city.engine.connect() as tx:
        expected = tx.scalar(text(
            "SELECT count(*) FROM core.case_record WHERE counted_at >= '2024-11-01 00:00+08' "
            "AND counted_at < '2024-12-01 00:00+08'"))  # fmt: skip
    assert len(month) == expected > 10_000


def test_parts_of_months_are_exact(city):
    """A period over month borders is the sum of its parts."""
    whole = found(city, start="2024-09-20T12:00", end="2024-11-03")
    parts = [
        found(city, start="2024-09-20T12:00", end="2024-10-01"), found(city, month="2024-10"),
        found(city, start="2024-11-01", end="2024-11-03"),
    ]  # fmt: skip
    assert set.union(*parts) == whole
    assert sum(map(len, parts)) == len(whole)


def plan(city, chosen, *, page=False):
    """Return the query plan of a count, or of the first page."""
    query = select(func.count()).where(conditions(city.city, chosen))
    if page:
        where = and_(conditions(city.city, chosen), *in_order(chosen))
        query = select(k.c.case_no).where(where).order_by(k.c.listed_at, k.c.case_no).limit(101)
    with city.engine.connect() as tx:
        compiled = query.compile(dialect=tx.dialect)
        return "\n".join(tx.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params).scalars())


def november(city):
    """Return the period of a month."""
    period = Period.month("2024-11", city.city.time_zone)
    return {"start": period.start, "end": period.end}


def test_box_and_month_use_the_joint_index(city):
    """The GiST index on (geom, month) answers a box in a month, whatever the box's CRS."""
    for crs in ("wgs84", "gcj02"):
        chosen = CaseFilter(bbox=(102.70, 25.03, 102.71, 25.04), crs=crs, **november(city))
        found_plan = plan(city, chosen)
        assert "case_geom_month" in found_plan
        assert "month =" in found_plan


def test_radius_uses_the_metric_index(city):
    """The GiST index on the measuring CRS answers a radius: the point is turned, not the column."""
    assert "case_geom_m" in plan(city, CaseFilter(near=CENTRE, radius_m=300)).replace(
        "case_geom_month", ""
    )


def test_month_page_uses_the_order_of_the_list(city):
    """A page of a month starts where the month starts in the list's own index."""
    assert "case_listed" in plan(city, CaseFilter(**november(city)), page=True)


@pytest.mark.parametrize("near", ["200,25", "102,95", "25.03,102.7", "1e300,25"])
def test_point_off_the_globe_is_refused(city, near):
    """Swapped or senseless numbers are an error, not an empty answer."""
    with pytest.raises(InputError, match="longitude or easting first"):
        found(city, near=near, radius_m=100)


def test_equal_times_are_paged_by_number(city):
    """Many cases of one minute: pages still have each of them once."""
    chosen = find.case_filter(city, start="2024-11-05", end="2024-11-05T12:00")
    seen, cursor = [], None
    while True:
        page = find.find_cases(city, chosen, limit=9, cursor=cursor)
        seen += [row["case_no"] for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == page.total > 200
