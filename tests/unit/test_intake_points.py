"""Rounded coordinates, implausible points, wrongly declared datums (坐标可信度)."""

import numpy as np
import pyarrow as pa
import pytest

from gridgis.crs import from_wgs84
from gridgis.intake.columns import decimals, numbers
from gridgis.intake.datum import Located, check_datum
from gridgis.intake.points import convert_points, group_places, row_radius_m

EXTENT = (102.0, 24.0, 104.0, 27.0)


def test_trailing_zeros_are_no_decimals():
    """Only the decimals that are used count."""
    texts = pa.array(["102.71", "102.7100", "102", "100", "", "102.000001", "5.0"])
    assert decimals(texts).tolist() == [2, 2, 0, 0, 0, 6, 0]


def test_numbers_are_read_or_missing():
    """What is no number is NaN, and does not spoil the others."""
    found = numbers(pa.array(["1.5", "", "x", "-2e3"]))
    assert np.array_equal(found, [1.5, np.nan, np.nan, -2000], equal_nan=True)


def test_a_source_is_as_fine_as_its_rows_show():
    """Dropped zeros do not make a source coarser, nor does one computed number make it finer."""
    four_with_zeros = np.array([0, 0, 1, 9, 90])  # 1/100 with two, 9/100 with three decimals
    assert group_places(four_with_zeros) == 4
    stray = np.zeros(15, dtype=np.int64)
    stray[[4, 14]] = [999, 1]
    assert group_places(stray) == 4
    assert group_places(np.array([0, 0, 100, 0, 0, 50])) == 5
    assert group_places(np.zeros(5, dtype=np.int64)) == 0


@pytest.mark.parametrize(
    ("own", "group", "crs", "trusted"),
    [
        (4, 4, "wgs84", True),  # 0.575 x 11.1 m = 6.4 m
        (3, 4, "wgs84", True),  # a dropped zero
        (3, 3, "wgs84", False),  # 64 m, more than half a cell of 100 m
        (3, 6, "wgs84", False),  # coarse itself
        (6, 2, "wgs84", True),  # fine among coarse ones
        (0, 0, "EPSG:4543", True),  # whole metres
    ],
)
def test_four_decimals_of_a_degree_are_trusted(own, group, crs, trusted):
    """A point is trusted if its source has at least four decimals of a degree, or whole metres."""
    radius = row_radius_m(np.array([own]), np.array([group]), crs)[0]
    assert (radius <= 50) == trusted


def test_implausible_points_are_dropped_with_their_reason():
    """Missing, zero, swapped and far points become NaN and say which they are."""
    x = np.array([102.7, np.nan, 0, 25.0, 116.4, np.inf])
    y = np.array([25.0, 25.0, 0, 102.7, 39.9, 25.0])
    found = convert_points(x, y, "wgs84", EXTENT)
    assert found.issue.tolist() == [None, "missing", "zero", "swapped", "outside_extent", "missing"]
    assert np.isfinite(found.lon).tolist() == [True, False, False, False, False, False]


def located(datum, *, rows=200, cells=False, regions=False):
    """Return points that were written in a datum and read as WGS84, near the border 102.7."""
    rng = np.random.default_rng(5)
    lon, lat = rng.uniform(102.69, 102.71, rows), rng.uniform(25.0, 25.1, rows)
    read_lon, read_lat = from_wgs84(lon, lat, datum)
    stated = np.where(lon < 102.7, "west", "east").astype(object)
    nowhere = np.full(rows, np.nan)
    return Located(
        read_lon, read_lat, stated if regions else np.full(rows, None, dtype=object),
        lon.round(4) if cells else nowhere, lat.round(4) if cells else nowhere,
    )  # fmt: skip


def sides(lon, _):
    """Return the region of every point: two halves."""
    return [{"west"} if x < 102.7 else {"east"} for x in lon]


@pytest.mark.parametrize("evidence", [{"cells": True}, {"regions": True}])
@pytest.mark.parametrize("datum", ["gcj02", "bd09"])
def test_a_wrong_datum_is_recognised(datum, evidence):
    """Rows that say where they lie give the datum away, by cells or by regions."""
    verdict = check_datum(located(datum, **evidence), declared="wgs84", covering=sides)
    assert verdict.suspect == datum
    assert all(np.isfinite(value) for value in verdict.evidence.values())


@pytest.mark.parametrize("evidence", [{"cells": True}, {"regions": True}, {}])
def test_a_right_datum_is_not_suspected(evidence):
    """Rows that lie where they say give no verdict, nor do rows that say nothing."""
    assert check_datum(located("wgs84", **evidence), declared="wgs84", covering=sides) is None


def test_few_rows_are_no_evidence():
    """Twenty rows prove nothing."""
    rows = located("gcj02", rows=20, cells=True, regions=True)
    assert check_datum(rows, declared="wgs84", covering=sides) is None


def test_cells_outweigh_regions():
    """Where the stated cells confirm the declared datum, wrong statements of regions do not."""
    right = located("wgs84", cells=True, regions=True)
    moved = from_wgs84(right.lon, right.lat, "gcj02")
    lying = np.where(moved[0] < 102.7, "west", "east").astype(object)
    rows = Located(right.lon, right.lat, lying, right.cell_lon, right.cell_lat)
    assert check_datum(rows, declared="wgs84", covering=sides) is None
