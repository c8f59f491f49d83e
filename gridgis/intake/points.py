"""
Coordinates to trusted points (坐标可信度).

A point keeps its original text. Its uncertainty comes from the rounding of its source: over a
file and source, the decimals that are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridgis.crs import is_geographic, to_lonlat

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

METRES_PER_DEGREE = 111_320.0
ROUNDING_P95 = 0.575
"""95 % radius of a uniform rounding error, in units of the last decimal."""
COARSER_BY = 2
"""Decimals below its group that make a row coarse itself (chance 1e-4 for dropped zeros)."""
SHARE_OF_SOURCE = 0.01


def rounding_radius_m(places: NDArray[np.int64], crs: str) -> FloatArray:
    """Return the 95 % radius in metres of coordinates rounded to some decimals."""
    unit = METRES_PER_DEGREE if is_geographic(crs) else 1.0
    return np.asarray(ROUNDING_P95 * unit * 10.0 ** (-places.astype(np.float64)))


def group_places(counts: NDArray[np.int64]) -> int:
    """
    Return the decimals that a source uses (来源小数位数).

    Parameters
    ----------
    counts : (k,) int64
        Rows of the source by their used decimals, from 0.

    Returns
    -------
    int
        The most decimals that at least 1 % of the rows reach: trailing zeros drop out of single
        rows, and a stray number with computed decimals says nothing about the others.
    """
    reach = counts[::-1].cumsum()[::-1]
    enough = (reach > 0) & (reach >= SHARE_OF_SOURCE * counts.sum())
    return int(np.flatnonzero(enough).max(initial=0))


def row_radius_m(own: NDArray[np.int64], group: NDArray[np.int64], crs: str) -> FloatArray:
    """
    Return the radius of every row: its group's, or its own where that clearly differs.

    Parameters
    ----------
    own, group : (n,) int64
        Used decimals of the row (the larger of both axes) and of its file and source.
    """
    differs = (own + COARSER_BY <= group) | (own > group)
    return rounding_radius_m(np.where(differs, own, group), crs)


@dataclass(frozen=True, slots=True)
class Points:
    """Points of a chunk; NaN where there is none, and why."""

    lon: FloatArray
    lat: FloatArray
    issue: NDArray[np.object_]


def convert_points(
    x: FloatArray, y: FloatArray, crs: str, extent: tuple[float, float, float, float]
) -> Points:
    """
    Convert coordinates to WGS84 and drop those that cannot be (坐标转换).

    Issues: `missing`, `zero`, `swapped` (inside the extent once swapped), `outside_extent`.
    """
    lon, lat = to_lonlat(x, y, crs)
    issue = np.full(len(x), None, dtype=object)
    west, south, east, north = extent
    inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
    swapped = (lat >= west) & (lat <= east) & (lon >= south) & (lon <= north)
    missing = ~np.isfinite(x) | ~np.isfinite(y)
    issue[~inside] = "outside_extent"
    issue[~inside & swapped] = "swapped"
    issue[(x == 0) & (y == 0)] = "zero"
    issue[missing] = "missing"
    bad = issue != None  # noqa: E711 - elementwise
    return Points(np.where(bad, np.nan, lon), np.where(bad, np.nan, lat), issue)
