"""Datum conversions are inverse to each other (坐标往返)."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from gridgis.crs import WORDS, from_wgs84, to_wgs84

GEOD = Geod(ellps="WGS84")
CHINA = {
    "lon": st.floats(72.004, 137.8347),
    "lat": st.floats(0.8293, 55.8271),
}
WORLD = {"lon": st.floats(-180, 180), "lat": st.floats(-90, 90)}


def metres(lon_a, lat_a, lon_b, lat_b):
    """Return the geodesic distance of two points."""
    return GEOD.inv(lon_a, lat_a, lon_b, lat_b)[2]


@given(**CHINA)
def test_every_datum_comes_back_to_wgs84(lon, lat):
    """WGS84 to a datum and back errs by at most a micrometre, also at the edge of China."""
    for word in WORDS:
        assert metres(*to_wgs84(*from_wgs84(lon, lat, word), word), lon, lat) <= 1e-6


@given(**CHINA)
def test_every_pair_of_datums_comes_back(lon, lat):
    """One datum to another and back errs by at most a micrometre."""
    for one, other in permutations(WORDS, 2):
        x, y = from_wgs84(lon, lat, one)
        there = from_wgs84(*to_wgs84(x, y, one), other)
        back = from_wgs84(*to_wgs84(*there, other), one)
        assert metres(*back, x, y) <= 1e-6, (one, other)


def test_the_round_trip_holds_on_many_points():
    """100,000 seeded points of China come back within a micrometre."""
    rng = np.random.default_rng(20241101)
    lon, lat = rng.uniform(72.004, 137.8347, 100_000), rng.uniform(0.8293, 55.8271, 100_000)
    lon[:20_000] = 105.0  # the cusp of the formula, where the inverse converges slowest
    for word in ("gcj02", "bd09"):
        back = to_wgs84(*from_wgs84(lon, lat, word), word)
        assert GEOD.inv(*back, lon, lat)[2].max() <= 1e-6


@given(**WORLD)
def test_scalar_and_array_agree(lon, lat):
    """A float gives the same numbers as an array of one, anywhere on earth."""
    for word in WORDS:
        x, y = from_wgs84(np.array([lon]), np.array([lat]), word)
        assert from_wgs84(lon, lat, word) == (x[0], y[0])


@pytest.mark.parametrize("word", WORDS)
def test_nan_stays_nan_and_moves_nobody(word):
    """A missing coordinate stays missing and leaves its neighbours alone."""
    lon, lat = np.array([102.7, np.nan, 102.8]), np.array([25.0, np.nan, 24.9])
    x, y = to_wgs84(lon, lat, word)
    assert np.isnan([x[1], y[1]]).all()
    assert (x[0], y[0]) == to_wgs84(102.7, 25.0, word)
