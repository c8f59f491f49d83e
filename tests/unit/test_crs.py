"""Words of `--crs` and the guard against mixed CRS (坐标系)."""

import geopandas as gpd
import numpy as np
import pytest
from shapely import Point

from gridgis.crs import (
    from_wgs84,
    is_geographic,
    parse_crs,
    require_crs,
    to_lonlat,
    to_wgs84,
)
from gridgis.errors import CrsError


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("wgs84", "wgs84"), ("WGS-84", "wgs84"), ("WGS 84坐标系", "wgs84"), ("EPSG:4326", "wgs84"),
        ("\uff37\uff27\uff33\uff18\uff14", "wgs84"), ("urn:ogc:def:crs:OGC:1.3:CRS84", "wgs84"),
        ("国家2000", "cgcs2000"), ("CGCS2000", "cgcs2000"), ("epsg 4490", "cgcs2000"),
        ("2000国家大地坐标系", "cgcs2000"), ("国家2000坐标系", "cgcs2000"),
        ("火星坐标", "gcj02"), ("GCJ-02", "gcj02"), ("高德坐标系", "gcj02"),
        ("百度", "bd09"), ("BD-09", "bd09"), ("百度坐标", "bd09"),
        ("EPSG:4543", "EPSG:4543"), ("4543", "EPSG:4543"), ("epsg：4543", "EPSG:4543"),
        ("urn:ogc:def:crs:EPSG::4543", "EPSG:4543"),
    ],
)  # fmt: skip
def test_parse_crs_accepts_how_people_write_it(text, word):
    """Spellings of Chinese offices, fullwidth marks and URNs give one word."""
    assert parse_crs(text) == word


@pytest.mark.parametrize("text", ["", "mars", "EPSG:999999", "EPSG:5773", "西安80", "EPSG:x"])
def test_parse_crs_refuses_what_it_cannot_know(text):
    """Unknown words, numbers and vertical systems are refused, quoting what was given."""
    with pytest.raises(CrsError) as caught:
        parse_crs(text)
    assert repr(text) in str(caught.value)


def test_parse_crs_names_the_allowed_words():
    """The message lists what may be given."""
    with pytest.raises(CrsError, match="wgs84, cgcs2000, gcj02, bd09 or EPSG:n"):
        parse_crs("beijing")


@pytest.mark.parametrize(
    ("crs", "degrees"),
    [("wgs84", True), ("bd09", True), ("EPSG:4543", False), ("EPSG:4214", True)],
)
def test_is_geographic_tells_degrees_from_metres(crs, degrees):
    """Datums are in degrees, plane systems in metres."""
    assert is_geographic(crs) is degrees


@pytest.mark.parametrize("convert", [to_wgs84, from_wgs84])
def test_datum_conversion_refuses_plane_systems(convert):
    """`to_wgs84` and `from_wgs84` take datum words only."""
    with pytest.raises(CrsError, match="EPSG:4543"):
        convert(102.7, 25.0, "EPSG:4543")


def test_conversion_changes_no_argument():
    """The caller's arrays stay as they were."""
    lon, lat = np.array([102.7183]), np.array([25.0389])
    to_wgs84(lon, lat, "gcj02")
    to_wgs84(lon, lat, "wgs84")[0][0] = 0
    assert (lon[0], lat[0]) == (102.7183, 25.0389)


def test_to_lonlat_gives_nan_for_what_has_no_place():
    """NaN and coordinates beyond the projection give NaN, not infinity."""
    lon, lat = to_lonlat(
        np.array([571652.53, np.nan, 1e30]), np.array([2770673.01, 1.0, 1e30]), "EPSG:4543"
    )
    assert np.isfinite([lon[0], lat[0]]).all()
    assert np.isnan([lon[1], lat[1], lon[2], lat[2]]).all()


def test_plane_metres_declared_as_datum_pass_through():
    """Metres declared as GCJ-02 are outside China and stay as given."""
    assert to_lonlat(571652.53, 2770673.01, "gcj02") == (571652.53, 2770673.01)


def test_require_crs_accepts_the_same_system():
    """Axis order aside, the same system is the same."""
    require_crs(gpd.GeoDataFrame(geometry=[Point(102.7, 25)], crs="OGC:CRS84"), "EPSG:4326")


@pytest.mark.parametrize("crs", [None, "EPSG:4490", "EPSG:3857"])
def test_require_crs_refuses_another_or_none(crs):
    """No CRS and another CRS are errors that say how to convert."""
    with pytest.raises(CrsError, match=r"expected EPSG:4326"):
        require_crs(gpd.GeoDataFrame(geometry=[Point(102.7, 25)], crs=crs), "EPSG:4326")
