"""Published points of the Chinese datums (坐标转换已知答案)."""

import numpy as np
import pytest
from pyproj import Geod

from gridgis.crs import from_wgs84, to_lonlat, to_wgs84

GEOD = Geod(ellps="WGS84")

# place, WGS84 lon, lat, datum, lon, lat there
DATUM_POINTS = (
    # test set of the eviltransform project, values as published
    ("Shanghai", 121.5272106, 31.1774276, "gcj02", 121.531541859215, 31.17530398364597),
    ("Shenzhen", 113.912316, 22.543847, "gcj02", 113.9171764808363, 22.540796131694766),
    ("Beijing", 116.377817, 39.911954, "gcj02", 116.38404722455657, 39.91334545536069),
    # regression values of our formula; equal to PyPI coordTransform 0.2.1
    ("Kunming", 102.7183, 25.0389, "gcj02", 102.7197523947017, 25.03593450574224),
    ("Kunming", 102.7183, 25.0389, "bd09", 102.72616289725302, 25.04223913032273),
    ("Guandu", 102.7437, 25.0153, "gcj02", 102.74518353868503, 25.01234966243205),
    ("Guandu", 102.7437, 25.0153, "bd09", 102.75167239263783, 25.01842841948137),
    ("Chenggong", 102.8013, 24.8894, "gcj02", 102.80276122567723, 24.88638922933846),
    ("Chenggong", 102.8013, 24.8894, "bd09", 102.80930156020112, 24.89227819149982),
)

# CGCS2000 lon, lat -> EPSG:4543 easting, northing; pyproj 3.7.2 with always_xy
PLANE_POINTS = (
    (102.7183, 25.0389, 572490.8299, 2770555.5687),
    (102.7437, 25.0153, 575068.6460, 2767955.0195),
    (102.8013, 24.8894, 580965.2850, 2754041.0691),
    (103.2, 26.2, 619942.4818, 2899547.0782),
    (102.71, 25.04, 571652.53, 2770673.01),
)


def metres(lon_a, lat_a, lon_b, lat_b):
    """Return the geodesic distance of two points."""
    return GEOD.inv(lon_a, lat_a, lon_b, lat_b)[2]


@pytest.mark.parametrize(("place", "lon", "lat", "datum", "x", "y"), DATUM_POINTS)
def test_from_wgs84_meets_published_points(place, lon, lat, datum, x, y):
    """A point of a published test set is met within a micrometre."""
    assert metres(*from_wgs84(lon, lat, datum), x, y) <= 1e-6, place


@pytest.mark.parametrize(("place", "lon", "lat", "datum", "x", "y"), DATUM_POINTS)
def test_to_wgs84_inverts_published_points(place, lon, lat, datum, x, y):
    """The inverse of a published point is the WGS84 point within a micrometre."""
    assert metres(*to_wgs84(x, y, datum), lon, lat) <= 1e-6, place


def test_bd09_of_gcj02_meets_coordtransform_fixture():
    """GCJ-02 116.404, 39.915 is BD-09 116.41036949, 39.92133699 (wandergis/coordtransform)."""
    x, y = from_wgs84(*to_wgs84(116.404, 39.915, "gcj02"), "bd09")
    assert metres(x, y, 116.41036949371029, 39.92133699351021) <= 1e-6


@pytest.mark.parametrize("datum", ["wgs84", "cgcs2000", "gcj02", "bd09"])
def test_points_outside_china_pass_through(datum):
    """Boston is the same point in every datum."""
    assert from_wgs84(-71.0587, 42.3594, datum) == (-71.0587, 42.3594)
    assert to_wgs84(-71.0587, 42.3594, datum) == (-71.0587, 42.3594)


@pytest.mark.parametrize(("lon", "lat", "east", "north"), PLANE_POINTS)
def test_to_lonlat_takes_easting_first(lon, lat, east, north):
    """EPSG:4543 lists northing first; here easting comes first, and the point is met."""
    found = to_lonlat(np.array([east]), np.array([north]), "EPSG:4543")
    assert metres(found[0][0], found[1][0], lon, lat) <= 0.01


def test_to_lonlat_takes_longitude_first_in_geographic_crs():
    """EPSG:4490 lists latitude first; here longitude comes first."""
    lon, lat = to_lonlat(102.71, 25.04, "EPSG:4490")
    assert (lon, lat) == (102.71, 25.04)


def test_gcj02_read_as_wgs84_shifts_by_hundreds_of_metres():
    """The mistake that a missing `--crs` would make is 345 to 409 m in this city."""
    x, y = from_wgs84(102.739797, 24.973258, "gcj02")
    assert (round(x, 6), round(y, 6)) == (102.741276, 24.970301)
    assert 345 <= metres(x, y, 102.739797, 24.973258) <= 409
