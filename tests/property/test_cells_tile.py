"""Generated cells tile any districts without gap or overlap (网格铺满)."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from boundaries import make_cells
from boundaries.cells import SNAP_M

CRS = "EPSG:3067"
SIZE_M = 100
EAST, NORTH = 400_000.0, 7_000_000.0
SIDE_M = 1500.0

seeds = st.integers(0, 2**32 - 1)


def city(seed):
    """Return districts, streets and a lake that share borders: clipped Voronoi cells of seeds."""
    rng = np.random.default_rng(seed)
    hull = shapely.Point(EAST + SIDE_M / 2, NORTH + SIDE_M / 2).buffer(SIDE_M / 2, quad_segs=5)
    districts = pieces(hull, rng.integers(1, 6), rng)
    streets = [
        (f"99010{n}{m:03d}", street)
        for n, district in enumerate(districts, start=1)
        for m, street in enumerate(pieces(district, rng.integers(1, 4), rng), start=1)
    ]
    centre = rng.uniform(0.3, 0.7, 2) * SIDE_M + (EAST, NORTH)
    lake = shapely.Point(centre).buffer(rng.uniform(30, 600), quad_segs=3)
    return (
        frame([f"99010{n}" for n in range(1, len(districts) + 1)], districts),
        frame([code for code, _ in streets], [shape for _, shape in streets]),
        frame(["lake"], [lake]),
    )


def pieces(area, count, rng):
    """Cut an area into the Voronoi cells of random points in it."""
    if count == 1:
        return [area]
    west, south, east, north = area.bounds
    points = rng.uniform((west, south), (east, north), (int(count), 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=area))
    found = shapely.intersection(cells, area)
    return [cell for cell in found if cell.area > 20_000] or [area]


def frame(codes, shapes):
    """Return areas in the measuring CRS."""
    return gpd.GeoDataFrame({"code": codes}, geometry=list(shapes), crs=CRS)


def tile(districts, streets, water):
    """Return 100 m cells."""
    return make_cells(districts, size_m=SIZE_M, crs=CRS, streets=streets, water=water)


def overlapping(shapes):
    """Return how many pairs of polygons share more than their borders."""
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pair = first < second
    return int(shapely.relate_pattern(shapes[first[pair]], shapes[second[pair]], "2********").sum())


@given(seed=seeds)
@settings(max_examples=60, deadline=None)
def test_cells_cover_the_land_once(seed):
    """No two cells overlap, their areas sum to the union, and the union is the land."""
    districts, streets, water = city(seed)
    shapes = tile(districts, streets, water).geometry.to_numpy()
    union = shapely.union_all(shapes)
    land = shapely.difference(districts.union_all(), water.union_all())
    assert overlapping(shapes) == 0
    assert shapely.area(shapes).sum() == pytest.approx(union.area, rel=1e-9)
    assert shapely.symmetric_difference(land, union).area < SNAP_M * land.length
    assert (shapely.get_type_id(shapes) == 3).all()
    assert shapely.is_valid(shapes).all()


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_codes_are_well_formed_and_say_where_a_cell_lies(seed):
    """15 digits, no code twice, synthetic communities; district and street lead the code."""
    cells = tile(*city(seed))
    codes = cells["cell_code"]
    assert codes.is_unique
    assert codes.is_monotonic_increasing
    assert codes.str.fullmatch(r"[0-9]{9}[6-9][0-9]{2}(?!000)[0-9]{3}").all()
    assert codes.str[:9].equals(cells["street_code"])
    assert codes.str[:6].equals(cells["district_code"])


@given(seed=seeds, order=seeds)
@settings(max_examples=30, deadline=None)
def test_the_order_of_the_input_does_not_matter(seed, order):
    """Shuffled districts, streets and lakes give the same codes for the same shapes."""
    layers = city(seed)
    shuffled = [layer.sample(frac=1, random_state=order) for layer in layers]
    first, second = tile(*layers), tile(*shuffled)
    assert first["cell_code"].equals(second["cell_code"])
    assert shapely.equals_exact(
        first.geometry.to_numpy(), second.geometry.to_numpy(), normalize=True
    ).all()


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_no_sliver_is_left_beside_a_neighbour(seed):
    """A cell below a tenth of a square touches no other cell along an edge."""
    shapes = tile(*city(seed)).geometry.to_numpy()
    small = np.flatnonzero(shapely.area(shapes) < SIZE_M**2 / 10)
    piece, other = shapely.STRtree(shapes).query(shapes[small], predicate="intersects")
    edges = shapely.length(shapely.intersection(shapes[small[piece]], shapes[other]))
    assert (edges[other != small[piece]] == 0).all()


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_cells_keep_district_borders(seed):
    """No cell reaches into another district by more than a speck that its own left behind."""
    districts, streets, water = city(seed)
    cells = tile(districts, streets, water)
    own = districts.set_index("code").geometry.loc[cells["district_code"]].to_numpy()
    beyond = shapely.area(shapely.difference(cells.geometry.to_numpy(), own))
    assert beyond.max() < SIZE_M**2 / 10
    assert (beyond > 1).mean() < 0.01


@given(seed=seeds)
@settings(max_examples=30, deadline=None)
def test_whole_cells_are_the_squares_of_their_key(seed):
    """Placement by key is exact: a whole cell is its square, and one square has one whole cell."""
    cells = tile(*city(seed))
    whole = cells[cells["whole"]]
    x, y = whole["ix"].to_numpy() * SIZE_M, whole["iy"].to_numpy() * SIZE_M
    squares = shapely.box(x, y, x + SIZE_M, y + SIZE_M)
    assert shapely.equals(whole.geometry.to_numpy(), squares).all()
    assert not whole[["ix", "iy"]].duplicated().any()
