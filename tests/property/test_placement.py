"""Placement in PostGIS is what plain shapely says, also on edges and corners (落格)."""

from datetime import date

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from boundaries import make_cells
from gridgis.services.context import open_context
from gridgis.store.areas import GridFacts, Validity, insert_grid
from gridgis.store.placement import open_placing, place_cells
from gridgis.store.rows import copy_rows

SRID = 3067
EAST, NORTH = 400_000.0, 7_000_000.0
RASTER = 8.0
"""Vertices lie on eighths of a metre, so that points at eighths of an edge lie exactly on it."""
RADII = (0.0, 0.06, 5.0, 40.0, 50.0, 51.0, 75.0)
SHARE = np.arange(1, 8) / 8

seeds = st.integers(0, 2**32 - 1)
slow = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def irregular(rng, side=12):
    """Return cells that share their borders: a jittered mesh, some joined, some missing."""
    x, y = np.meshgrid(np.arange(side + 1) * 100.0, np.arange(side + 1) * 100.0)
    corners = np.stack([x, y], axis=-1) + rng.uniform(-35, 35, (side + 1, side + 1, 2))
    corners = np.round(corners * RASTER) / RASTER + (EAST, NORTH)
    rings = np.stack(
        [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2
    )
    shapes = list(shapely.polygons(rings.reshape(-1, 4, 2)))
    first = rng.choice(len(shapes) - 1, 20, replace=False)
    for index in first:
        if shapes[index] is not None and shapes[index + 1] is not None:
            shapes[index] = shapely.union(shapes[index], shapes[index + 1])
            shapes[index + 1] = None
    shapes = [shape for shape in shapes if shape is not None and rng.random() > 0.05]
    order = rng.permutation(len(shapes))
    return frame([f"990101001001{n:03d}" for n in order], shapes)


def regular(rng):
    """Return generated squares, cut by a slanted district border, an outer border and a lake."""
    hull = shapely.Point(EAST, NORTH).buffer(600, quad_segs=4)
    line = shapely.box(EAST - 999, NORTH - 999, EAST + rng.uniform(-300, 300), NORTH + 999)
    line = shapely.affinity.rotate(line, rng.uniform(0, 90))
    halves = [shapely.intersection(hull, line), shapely.difference(hull, line)]
    lake = shapely.Point(EAST + 150, NORTH + 130).buffer(rng.uniform(40, 200), quad_segs=3)
    districts = gpd.GeoDataFrame({"code": ["990101", "990102"]}, geometry=halves, crs=SRID)
    water = gpd.GeoDataFrame({"code": ["lake"]}, geometry=[lake], crs=SRID)
    return make_cells(districts, size_m=100, crs=f"EPSG:{SRID}", water=water)


def frame(codes, shapes):
    """Return loaded cells as the store takes them."""
    return gpd.GeoDataFrame(
        {
            "cell_code": codes,
            "area_m2": shapely.area(shapes),
            "ix": None,
            "iy": None,
            "whole": False,
            "synthetic": False,
        },
        geometry=shapes,
        crs=SRID,
    )


GRIDS = {"irregular": (irregular, None), "regular": (regular, 100)}
kinds = st.sampled_from(sorted(GRIDS))


def points_of(cells, rng):
    """Return points anywhere, on every kind of vertex, exactly on edges and hardly beside them."""
    west, south, east, north = cells.total_bounds
    anywhere = rng.uniform((west - 50, south - 50), (east + 50, north + 50), (400, 2))
    ring = shapely.get_coordinates(shapely.get_exterior_ring(cells.geometry.to_numpy()))
    vertices = ring[rng.integers(0, len(ring), 150)]
    edges = [shapely.get_coordinates(shape.exterior) for shape in parts_of(cells, rng, 60)]
    on = [e[:-1] + np.diff(e, axis=0) * rng.choice(SHARE, (len(e) - 1, 1)) for e in edges]
    on = np.concatenate(on)
    lattice = np.round(rng.uniform((west, south), (east, north), (60, 2)) / 100) * 100
    lines = np.column_stack([lattice[:, 0], rng.uniform(south, north, len(lattice))])
    beside = on + rng.choice([-1e-7, 1e-7], on.shape)
    return np.concatenate([anywhere, vertices, on, beside, lattice, lines])


def parts_of(cells, rng, count):
    """Return some polygons of the cells."""
    parts = shapely.get_parts(cells.geometry.to_numpy())
    return parts[rng.integers(0, len(parts), count)]


def reference(cells, size_m, points, radii):
    """Return {point: code}; None where a cell covers the point but the point is too coarse."""
    codes, shapes = cells["cell_code"].to_numpy(), cells.geometry.to_numpy()
    placed = shapely.points(points)
    found = {}
    for point, cell in zip(*shapely.STRtree(shapes).query(placed, "intersects"), strict=True):
        nominal = size_m or np.sqrt(shapes[cell].area)
        inside = shapely.distance(shapely.boundary(shapes[cell]), placed[point])
        trusted = radii[point] <= nominal / 2 or inside >= radii[point]
        best = found.get(point)
        if trusted and (best is None or codes[cell] < best):
            best = codes[cell]
        found[point] = best
    return found


@pytest.fixture(scope="module")
def database(cluster, toy_template):
    """Return a connection to a toy city of this module's own; every example is rolled back."""
    name = cluster.clone(toy_template)
    engine = open_context(cluster.settings(name)).engine
    with engine.connect() as tx:
        yield tx
    engine.dispose()
    cluster.drop(name)


def in_postgis(tx, cells, size_m, points, radii):
    """Return {point: code} as the product's own queries place them."""
    with tx.begin() as transaction:
        day = date(2001, 1, 1)
        facts = GridFacts(
            "trial", "generated" if size_m else "loaded", size_m, (), "", Validity(day)
        )
        cells = cells.astype(object).where(cells.notna(), None)
        wkb = shapely.to_wkb(cells.geometry.to_numpy())
        columns = (cells[name] for name in ("area_m2", "ix", "iy", "whole"))
        districts = cells["cell_code"].str[:6], cells["cell_code"].str[:9]
        insert_grid(
            tx,
            facts,
            zip(cells["cell_code"], wkb, *columns, *districts, cells["synthetic"], strict=True),
        )
        open_placing(tx)
        tx.execute(text("CREATE TEMP TABLE given (n text, x float8, y float8, r real)"))
        copy_rows(
            tx,
            "given",
            ("n", "x", "y", "r"),
            ((n, *xy, r) for n, (xy, r) in enumerate(zip(points, radii, strict=True))),
        )
        tx.execute(
            text(
                "INSERT INTO to_place (case_no, on_date, radius_m, cross_area, x_m, y_m, "
                "grid_version, grid_no, size_m) SELECT n, :day, r, false, x, y, grid_version, "
                "grid_no, size_m FROM given JOIN placing_grid ON grid_version = 'trial'"
            ),
            {"day": day},
        )
        place_cells(tx, len(points))
        rows = tx.execute(
            text("SELECT case_no::int, cell_code FROM point_cell JOIN to_place USING (place_id)")
        ).all()
        transaction.rollback()
    found = dict(rows)
    assert len(found) == len(rows), "a point has two verdicts"
    return found


@given(kind=kinds, seed=seeds)
@slow
def test_every_point_is_placed_as_shapely_says(database, kind, seed):
    """Inside, on edges, on corners and off the grid: one cell, the lowest code on a tie."""
    rng = np.random.default_rng(seed)
    make, size_m = GRIDS[kind]
    cells = make(rng)
    points = points_of(cells, rng)
    exact = np.zeros(len(points))
    found = in_postgis(database, cells, size_m, points, exact)
    assert found == reference(cells, size_m, points, exact)
    union = shapely.union_all(cells.geometry.to_numpy())
    assert set(found) == set(np.flatnonzero(shapely.intersects(union, shapely.points(points))))


@given(kind=kinds, seed=seeds)
@slow
def test_uncertain_points_follow_the_radius_rule(database, kind, seed):
    """Half the nominal size, half the root of a loaded cell's area, or the disc inside the cell."""
    rng = np.random.default_rng(seed)
    make, size_m = GRIDS[kind]
    cells = make(rng)
    points = points_of(cells, rng)
    radii = rng.choice(RADII, len(points))
    found = in_postgis(database, cells, size_m, points, radii)
    assert found == reference(cells, size_m, points, radii)


@given(kind=kinds, seed=seeds)
@slow
def test_a_point_alone_is_placed_as_among_many(database, kind, seed):
    """Point by point and cell by cell are two ways to the same answer."""
    rng = np.random.default_rng(seed)
    make, size_m = GRIDS[kind]
    cells = make(rng)
    points = points_of(cells, rng)
    radii = rng.choice(RADII, len(points))
    many = in_postgis(database, cells, size_m, points, radii)
    few = rng.choice(len(points), 5, replace=False)
    alone = in_postgis(database, cells, size_m, points[few], radii[few])
    assert alone == {n: many[p] for n, p in enumerate(few) if p in many}


@given(kind=kinds, seed=seeds, east=st.integers(-500, 500), north=st.integers(-500, 500))
@slow
def test_translation_and_order_do_not_matter(database, kind, seed, east, north):
    """Cells and points moved together and shuffled give every point the same code."""
    rng = np.random.default_rng(seed)
    make, size_m = GRIDS[kind]
    cells = make(rng)
    points = points_of(cells, rng)
    exact = np.zeros(len(points))
    shift = np.array([100.0 * east, 100.0 * north])
    order = rng.permutation(len(points))
    moved = cells.sample(frac=1, random_state=seed).copy()
    moved.geometry = moved.geometry.translate(*shift)
    if size_m:
        moved["ix"] += east
        moved["iy"] += north
    points = np.round(points * 2**16) / 2**16
    first = in_postgis(database, cells, size_m, points, exact)
    second = in_postgis(database, moved, size_m, points[order] + shift, exact)
    assert {order[n]: code for n, code in second.items()} == first


def test_a_disc_inside_a_round_cell_is_trusted(database):
    """A round cell of radius 60 m trusts half the root of its area (53 m), or what lies inside."""
    cells = frame(["990101001001001"], [shapely.Point(EAST, NORTH).buffer(60, quad_segs=64)])
    assert np.sqrt(cells["area_m2"].iloc[0]) / 2 == pytest.approx(53.2, abs=0.1)
    points = np.array([[EAST, NORTH], [EAST + 10, NORTH], [EAST + 10, NORTH], [EAST + 99, NORTH]])
    radii = np.array([58.0, 58.0, 53.0, 5.0])
    code = "990101001001001"
    assert in_postgis(database, cells, None, points, radii) == {0: code, 1: None, 2: code}
