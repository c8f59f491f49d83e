"""Overlaps, gaps, slivers and bad codes are found and named (拓扑检查)."""

import geopandas as gpd
import pytest
from shapely import box
from shapely.affinity import translate

from boundaries.topology import check_topology

CRS = "EPSG:3067"


def layer(*rows):
    """Return areas from `(code, west, south, east, north)` in metres."""
    shapes = [translate(box(*row[1:]), 400_000, 7_000_000) for row in rows]
    codes = [row[0] for row in rows]
    return gpd.GeoDataFrame({"code": codes, "name": codes}, geometry=shapes, crs=CRS)


def check(*rows, kind="cell", districts=()):
    """Check areas."""
    return check_topology(layer(*rows), crs=CRS, kind=kind, districts=districts)


A, B, C, D = (f"99010100100100{n}" for n in range(1, 5))


def test_a_tiling_is_fine():
    """Areas that share their borders have no fault."""
    report = check((A, 0, 0, 100, 100), (B, 100, 0, 200, 100))
    assert report.ok
    assert report.text() == (
        "2 areas: 0 overlaps, 0 gaps, 0 slivers, 0 bad codes, 0 repeated codes"
    )


def test_overlaps_name_both_areas_and_their_size():
    """The largest overlap comes first; it forbids storing."""
    report = check((A, 0, 0, 100, 100), (B, 90, 0, 200, 100), (C, 198, 0, 300, 100))
    assert report.overlaps == [(A, B, pytest.approx(1000)), (B, C, pytest.approx(200))]
    assert not report.ok
    assert f"{A} and {B} share 1,000.0 m²" in report.text()


def test_rounding_is_no_overlap():
    """Less than a square metre shared comes from rounded coordinates."""
    assert check((A, 0, 0, 100, 100), (B, 99.995, 0, 200, 100)).ok


def test_gaps_have_a_place_and_a_size():
    """A hole that the layer surrounds is reported with lon, lat and area, and only warns."""
    ring = [(A, 0, 0, 300, 100), (B, 0, 200, 300, 300), (C, 0, 100, 100, 200)]
    report = check(*ring, (D, 200, 100, 300, 200))
    ((lon, lat, area),) = report.gaps
    inside = layer(("x", 100, 100, 200, 200)).to_crs(4326).geometry.iloc[0]
    assert area == pytest.approx(10_000)
    assert inside.contains(gpd.points_from_xy([lon], [lat])[0])
    assert report.ok
    assert "10,000.0 m² at" in report.text()


def test_slivers_are_named():
    """A cell below 100 m² is a sliver; it only warns."""
    report = check((A, 0, 0, 100, 100), (B, 100, 0, 100.5, 100))
    assert report.slivers == [(B, pytest.approx(50))]
    assert report.ok


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("5.30E+14", "cell", "spreadsheet"),
        ("53010200100101", "cell", "14 digits"),
        ("53010200100100A", "cell", "15 digits"),
        ("530102001001000", "cell", "the last three from 001"),
        ("53010200", "street", "9 digits"),
        ("53012", "district", "6 digits"),
    ],
)
def test_bad_codes_are_quoted_with_the_rule(code, kind, said):
    """A malformed code is quoted, its rule named, and it forbids storing."""
    report = check((code, 0, 0, 1000, 1000), kind=kind)
    assert not report.ok
    assert repr(code) in report.bad_codes[0]
    assert said in report.bad_codes[0]


@pytest.mark.parametrize(("code", "kind"), [(A, "cell"), ("990101001", "street")])
def test_a_code_of_another_city_is_bad(code, kind):
    """The first six digits must be a district of this city."""
    assert check((code, 0, 0, 1000, 1000), kind=kind, districts=["990101"]).ok
    report = check((code, 0, 0, 1000, 1000), kind=kind, districts=["990102"])
    assert report.bad_codes == [f"code {code!r}: 990101 is no district of this city"]


def test_repeated_codes_are_named():
    """One code on two areas forbids storing."""
    report = check((A, 0, 0, 100, 100), (A, 100, 0, 200, 100))
    assert report.duplicate_codes == [A]
    assert not report.ok


def test_long_lists_are_cut_and_counted_for_people_only():
    """The text shows twenty entries and how many more; the JSON holds all."""
    cells = [(f"{n}", 100 * n, 0, 100 * n + 100, 100) for n in range(25)]
    report = check(*cells)
    assert "… and 5 more" in report.text()
    assert len(report.to_dict()["bad_codes"]) == 25


def test_lakes_need_no_code_and_may_have_islands():
    """Water is a mask: neither codes nor holes nor overlaps are faults."""
    report = check(("", 0, 0, 100, 100), ("", 50, 0, 150, 100), kind="water")
    assert report.ok
    assert (report.overlaps, report.gaps, report.bad_codes) == ([], [], [])
