"""Which region, street and cell a case gets, and what is said where it gets none (落格规则)."""

import csv

import pytest
import shapely
from sqlalchemy import text

from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_cases
from gridgis.services.regions import read_areas
from gridgis.store.engine import begin

HEADERS = (
    "Ticket", "Kind", "Channel", "Text", "Where", "Area", "X", "Y", "Handled by",
    "Fixed on the spot", "Reported", "Taken in", "Sent", "Deadline", "Fixed", "Closed",
)  # fmt: skip
PLACE = (
    "cell_code, grid_version, no_cell_reason, street_code, district_code, region_code, "
    "region_method, stated_region, stated_region_code"
)


def inside(context, kind, code):
    """Return lon and lat of a point inside a stored area."""
    areas = read_areas(context, kind).set_index("code").geometry
    point = areas[code].representative_point()
    return f"{point.x:.6f}", f"{point.y:.6f}"


def place(context, folder, *rows):
    """Import rows of `(lon, lat, stated region)` by the public way and return their places."""
    file = folder / "cases.csv"
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(HEADERS)
        for number, (x, y, area) in enumerate(rows):
            writer.writerow(
                [f"T-{number}", "Litter", "Phone line", "", "1 Quay Street", area, x, y, "Works",
                 "no", "05.03.2024 10:00", "05.03.2024 10:05", "", "", "", ""]
            )  # fmt: skip
    import_cases(context, file, ImportRequest(crs="wgs84"))
    with begin(context.engine) as tx:
        found = tx.execute(text(f"SELECT {PLACE} FROM core.case_record ORDER BY case_no"))  # noqa: S608 - our own columns
        return found.mappings().all()


def test_a_zone_takes_the_case_out_of_its_host(toy, tmp_path):
    """The region with the highest priority counts; the administrative district stays beside it."""
    (row,) = place(toy, tmp_path, (*inside(toy, "zone", "9909Z1"), ""))
    assert (row["region_code"], row["district_code"]) == ("9909Z1", "990903")
    assert row["region_method"] == "polygon"
    assert row["street_code"] == "990903001"


def test_a_stated_region_is_kept_beside_the_computed_one(toy, tmp_path):
    """The polygon decides; what the row says stays on the row."""
    (row,) = place(toy, tmp_path, (*inside(toy, "district", "990901"), "South Side"))
    assert (row["region_code"], row["region_method"]) == ("990901", "polygon")
    assert (row["stated_region"], row["stated_region_code"]) == ("South Side", "990902")


def test_a_row_without_point_counts_where_it_says(toy, tmp_path):
    """A district is its own district; a zone's is its host; no cell, no street, no grid."""
    district, zone = place(toy, tmp_path, ("", "", "South Side"), ("", "", "Harbour"))
    assert (district["region_code"], district["district_code"]) == ("990902", "990902")
    assert (zone["region_code"], zone["district_code"]) == ("9909Z1", "990903")
    for row in (district, zone):
        assert row["region_method"] == "stated"
        assert (row["cell_code"], row["no_cell_reason"]) == (None, "no_point")
        assert (row["street_code"], row["grid_version"]) == (None, None)


def test_neither_point_nor_region_is_unlocated(toy, tmp_path):
    """未定位: neither a usable point nor a stated region."""
    (row,) = place(toy, tmp_path, ("", "", ""))
    assert (row["region_code"], row["region_method"]) == (None, "none")
    assert row["no_cell_reason"] == "no_point"


def test_two_named_regions_are_cross_area(toy, tmp_path):
    """跨区: the row names two regions; it keeps its cell, and no region counts it alone."""
    point = inside(toy, "district", "990901")
    (row,) = place(toy, tmp_path, (*point, "North Side、South Side"))
    assert (row["region_code"], row["region_method"]) == (None, "cross_area")
    assert row["cell_code"] is not None
    assert row["district_code"] == "990901"


def test_a_coarse_point_yields_to_the_stated_region(toy, tmp_path):
    """At two decimals (640 m) the statement decides; without one the polygon still does."""
    x, y = inside(toy, "district", "990901")
    coarse = (x[:5], y[:5])
    # A finer neighbour of the same channel shows that the file holds more decimals.
    fine, stated, alone = place(toy, tmp_path, (x, y, ""), (*coarse, "South Side"), (*coarse, ""))
    assert fine["cell_code"] is not None
    assert (stated["region_code"], stated["region_method"]) == ("990902", "stated")
    assert alone["region_method"] == "polygon"
    assert {stated["no_cell_reason"], alone["no_cell_reason"]} <= {"too_coarse", "outside_cells"}


def test_a_point_outside_the_cells_names_the_grid_that_was_asked(toy, tmp_path):
    """The reason is `outside_cells`; the grid version of the day is on the row."""
    areas = read_areas(toy, "district").set_index("code").geometry
    cells = read_areas(toy, "cell").union_all()
    bare = shapely.difference(areas["990902"], cells).representative_point()
    (row,) = place(toy, tmp_path, (f"{bare.x:.6f}", f"{bare.y:.6f}", ""))
    assert (row["cell_code"], row["no_cell_reason"]) == (None, "outside_cells")
    assert row["grid_version"].startswith("square-100-")
    assert row["region_code"] == "990902"


def test_a_point_outside_every_region_is_other(toy, tmp_path):
    """Inside the plausible extent but in no region: no region, though there is a point."""
    areas = read_areas(toy, "district").union_all()
    west, south, _, _ = toy.city.extent
    corner = (west + 0.001, south + 0.001)
    assert not areas.contains(shapely.Point(corner))
    (row,) = place(toy, tmp_path, (f"{corner[0]:.6f}", f"{corner[1]:.6f}", ""))
    assert (row["region_code"], row["region_method"]) == (None, "none")
    assert (row["district_code"], row["no_cell_reason"]) == (None, "outside_cells")


@pytest.mark.parametrize("name", ["Harbour", "harbour authority", "PORT"])
def test_regions_are_known_by_alias_in_any_case(toy, tmp_path, name):
    """A row may name its region as people do."""
    (row,) = place(toy, tmp_path, ("", "", name))
    assert row["region_code"] == "9909Z1"
