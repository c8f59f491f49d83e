"""Square unit grids on areas small enough to count by hand (单元网格生成)."""

import geopandas as gpd
import pytest
import shapely
from shapely import box
from shapely.affinity import translate

from boundaries import make_cells
from gridgis.errors import CodeError, CrsError, GeometryError, LimitExceeded

CRS = "EPSG:3067"
EAST, NORTH = 400_000, 7_000_000


def areas(*shapes, codes=None, crs=CRS):
    """Return a frame of boxes given in metres from the corner of the test area."""
    placed = [translate(shape, EAST, NORTH) for shape in shapes]
    return gpd.GeoDataFrame(
        {"code": codes or [f"99010{n}" for n in range(1, len(shapes) + 1)]},
        geometry=placed,
        crs=crs,
    )


def cells_of(districts, **options):
    """Return 100 m cells of districts."""
    return make_cells(districts, size_m=100, crs=CRS, **options)


def test_cells_are_numbered_from_north_west_row_by_row():
    """300 m x 200 m are six squares: the sequence runs west to east, the northern row first."""
    cells = cells_of(areas(box(0, 0, 300, 200)))
    corners = [
        ((x - EAST) / 100, (y - NORTH) / 100)
        for x, y in cells.geometry.bounds[["minx", "miny"]].to_numpy()
    ]
    assert cells["cell_code"].tolist() == [f"990101000600{n:03d}" for n in range(1, 7)]
    assert corners == [(0, 1), (1, 1), (2, 1), (0, 0), (1, 0), (2, 0)]


def test_squares_lie_on_the_lattice_of_the_measuring_crs():
    """The origin is (0, 0): an area that starts at 50 m is cut at 100 m, 200 m and 300 m."""
    cells = cells_of(areas(box(50, 0, 350, 100)))
    assert sorted(cells["area_m2"]) == [5000, 5000, 10_000, 10_000]
    assert cells.loc[cells["whole"], "ix"].tolist() == [EAST // 100 + 1, EAST // 100 + 2]


@pytest.mark.parametrize(
    ("width", "widths"), [(109, [109]), (110, [10, 100]), (209.5, [100, 109.5])]
)
def test_pieces_below_a_tenth_of_a_square_join_a_neighbour(width, widths):
    """A strip of 9 m x 100 m (900 m²) joins its square, one of 10 m (1,000 m²) is a cell."""
    cells = cells_of(areas(box(0, 0, width, 100)))
    assert sorted(cells["area_m2"] / 100) == pytest.approx(widths)
    assert cells["whole"].sum() == sum(w == 100 for w in widths)


def test_a_sliver_joins_the_longest_shared_edge():
    """A strip 8 m wide touches one square along 100 m, the other along 8 m: the long edge wins."""
    shape = shapely.union_all([box(0, 0, 100, 200), box(100, 0, 108, 100)])
    cells = cells_of(areas(shape)).set_index("cell_code")["area_m2"]
    assert cells.tolist() == [10_000, 10_800]


def test_district_borders_cut_squares():
    """A border through a square makes two cells, each with the code of its district."""
    cells = cells_of(areas(box(0, 0, 150, 100), box(150, 0, 300, 100)))
    assert cells["area_m2"].tolist() == [10_000, 5000, 5000, 10_000]
    assert cells["cell_code"].str[:6].tolist() == ["990101", "990101", "990102", "990102"]
    assert cells["cell_code"].str[:6].equals(cells["district_code"])


def test_a_sliver_prefers_its_own_district():
    """A strip of 5 m beyond a square's edge stays in its district, though both edges are long."""
    cells = cells_of(areas(box(0, 0, 205, 100), box(205, 0, 400, 100)))
    assert cells["area_m2"].tolist() == [10_000, 10_500, 9500, 10_000]


def test_a_piece_in_two_parts_is_two_cells():
    """Land on both banks of a river inside one square is not one cell."""
    river = areas(box(0, 40, 100, 60))
    cells = cells_of(areas(box(0, 0, 100, 100)), water=river)
    assert cells["area_m2"].tolist() == [4000, 4000]
    assert (cells["ix"] == EAST // 100).all()


def test_water_is_left_out():
    """A lake that fills a square leaves no cell there."""
    cells = cells_of(areas(box(0, 0, 300, 300)), water=areas(box(100, 100, 200, 200)))
    assert cells["area_m2"].tolist() == [10_000] * 8


def test_the_outer_area_cuts():
    """Only land inside `within` gets cells."""
    inside = shapely.box(EAST, NORTH, EAST + 150, NORTH + 100)
    cells = cells_of(areas(box(0, 0, 300, 300)), within=inside)
    assert cells["area_m2"].sum() == 15_000


def test_an_area_that_touches_a_border_adds_nothing():
    """Parts of the outer area that meet the districts in a line alone hold no cell."""
    outer = translate(shapely.union_all([box(0, 0, 100, 100), box(300, 0, 400, 100)]), EAST, NORTH)
    water = areas(box(0, 0, 50, 100))
    cells = cells_of(areas(box(0, 0, 300, 100)), within=outer, water=water)
    assert cells["area_m2"].sum() == 5000


def test_the_street_part_is_that_of_the_representative_point():
    """A square mostly in the second street is its cell; streets do not cut squares."""
    streets = areas(box(0, 0, 120, 100), box(120, 0, 300, 100), codes=["990101001", "990101002"])
    cells = cells_of(areas(box(0, 0, 300, 100)), streets=streets)
    assert cells["cell_code"].tolist() == [
        "990101001600001",
        "990101002600001",
        "990101002600002",
    ]
    assert cells["area_m2"].tolist() == [10_000] * 3


def test_a_point_in_no_street_takes_the_nearest_of_its_district():
    """A gap in the street layer is filled from the same district, never from the one beside it."""
    streets = areas(box(0, 0, 100, 100), box(200, 0, 300, 100), codes=["990101001", "990102001"])
    districts = areas(box(0, 0, 200, 100), box(200, 0, 300, 100))
    cells = cells_of(districts, streets=streets)
    assert cells["street_code"].tolist() == ["990101001", "990101001", "990102001"]


def test_a_thousandth_cell_opens_the_next_synthetic_community():
    """A community numbers 999 cells: the next one is 601001, never an official community."""
    cells = cells_of(areas(box(0, 0, 100_000, 100)))
    assert cells["cell_code"].iloc[[998, 999]].tolist() == ["990101000600999", "990101000601001"]
    assert cells["synthetic"].all()


def test_cells_come_from_any_crs():
    """Districts in degrees give the same cells as in metres: only two squares differ by slivers."""
    districts = areas(box(0, 0, 5000, 5000))
    metres, degrees = cells_of(districts), cells_of(districts.to_crs(4326))
    assert len(metres) == 2500
    assert degrees["area_m2"].sum() == pytest.approx(25e6, abs=1)


def test_a_frame_without_crs_is_refused():
    """Numbers without a CRS are never taken for metres."""
    with pytest.raises(CrsError, match="no CRS"):
        cells_of(areas(box(0, 0, 300, 300), crs=None))


def test_a_malformed_district_code_is_refused():
    """A zone key or a short code never becomes the start of a cell code."""
    with pytest.raises(CodeError, match="9901Z1"):
        cells_of(areas(box(0, 0, 300, 300), codes=["9901Z1"]))


def test_an_empty_area_is_refused():
    """An area under water has no cell to make."""
    with pytest.raises(GeometryError, match="nothing to tile"):
        cells_of(areas(box(0, 0, 100, 100)), water=areas(box(-10, -10, 110, 110)))


def test_too_many_cells_are_refused_before_the_work():
    """A whole region in 100 m cells is refused with both remedies."""
    with pytest.raises(LimitExceeded, match=r"1,000,000 cells .*--within.*--size-m"):
        cells_of(areas(box(0, 0, 100_000, 100_000)))
