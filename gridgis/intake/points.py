"""
Coordinates to trusted points (坐标可信度).

A point keeps its original text. Its uncertainty comes from the rounding of its source: over a
file and source, the last decimal place that is used. A declared CRS is never changed on
suspicion; `datum_check` only warns.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.crs import from_wgs84, is_geographic, to_lonlat, to_wgs84

if TYPE_CHECKING:
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

METRES_PER_DEGREE = 111_320.0
ROUNDING_P95 = 0.575
"""95 % radius of a uniform rounding error, in units of the last decimal."""
COARSER_BY = 2
"""Decimals below its group that make a row coarse itself (chance 1e-4 for dropped zeros)."""
LOOKS_RIGHT_M = 60.0
LOOKS_WRONG_M = 200.0
MIN_EVIDENCE = 30
CLEAR_GAIN = 0.02


def decimals(texts: pd.Series[str]) -> NDArray[np.int64]:
    """Return the used decimals of number texts; trailing zeros do not count."""
    fraction = texts.str.partition(".")[2].str.rstrip("0")
    return fraction.str.len().fillna(0).to_numpy(dtype=np.int64)


def rounding_radius_m(places: NDArray[np.int64], crs: str) -> FloatArray:
    """Return the 95 % radius in metres of coordinates rounded to some decimals."""
    unit = METRES_PER_DEGREE if is_geographic(crs) else 1.0
    return np.asarray(ROUNDING_P95 * unit * 10.0 ** (-places.astype(np.float64)))


def row_radius_m(own: NDArray[np.int64], group: NDArray[np.int64], crs: str) -> FloatArray:
    """
    Return the radius of every row: its group's, or its own where it is clearly coarser.

    Parameters
    ----------
    own, group : (n,) int64
        Used decimals of the row (the larger of both axes) and of its file and source.
    """
    coarse = own + COARSER_BY <= group
    return rounding_radius_m(np.where(coarse, own, group), crs)


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


@dataclass(frozen=True, slots=True)
class DatumVerdict:
    """What the rows say about the declared datum (坐标系核查)."""

    suspect: str | None
    """The datum that explains the rows better, if one does."""
    message: str
    evidence: dict[str, float]


_HYPOTHESES = ("gcj02", "bd09")


def datum_check(  # noqa: PLR0913 - one array a column
    lon: FloatArray,
    lat: FloatArray,
    *,
    declared: str,
    stated: NDArray[np.object_],
    region_of: Callable[[FloatArray, FloatArray], list[set[str]]],
    cell_lon: FloatArray,
    cell_lat: FloatArray,
) -> DatumVerdict:
    """
    Compare where rows say they lie with where they do, as declared and under other datums.

    Parameters
    ----------
    lon, lat : (n,) float64
        WGS84, converted as declared.
    stated : (n,) object
        Stated region code or None.
    region_of : callable
        Region codes that cover each point.
    cell_lon, cell_lat : (n,) float64
        Centre of the stated unit grid, NaN where none is stated.

    Returns
    -------
    DatumVerdict
        `suspect` is set when reading the same numbers as another datum explains the rows: the
        offset to the stated cells falls from above 200 m to below 60 m, or the share of rows in
        their stated region rises by more than 2 points. It only warns.
    """
    base = _evidence(lon, lat, stated, region_of, cell_lon, cell_lat)
    best, best_evidence = None, base
    for hypothesis in _alternatives(declared):
        moved = _reread(lon, lat, declared, hypothesis)
        evidence = _evidence(*moved, stated, region_of, cell_lon, cell_lat)
        if _explains(base, evidence) and evidence["score"] > best_evidence["score"]:
            best, best_evidence = hypothesis, evidence
    numbers = {f"declared_{k}": v for k, v in base.items()}
    numbers |= {f"suspect_{k}": v for k, v in best_evidence.items()} if best else {}
    if best is None:
        return DatumVerdict(None, "the declared CRS agrees with the rows", numbers)
    return DatumVerdict(best, (
        f"looks like {_label(best)} read as {_label(declared)}: read as {_label(best)}, the points "
        f"lie {best_evidence['offset_m']:.0f} m from their stated cells instead of "
        f"{base['offset_m']:.0f} m, and {best_evidence['in_stated']:.1%} instead of "
        f"{base['in_stated']:.1%} lie in their stated region. Nothing was changed: if so, import "
        f"the same file again with --crs {best}"
    ), numbers)  # fmt: skip


def _alternatives(declared: str) -> tuple[str, ...]:
    if declared in _HYPOTHESES:
        return ("wgs84", *(word for word in _HYPOTHESES if word != declared))
    return _HYPOTHESES


def _reread(
    lon: FloatArray, lat: FloatArray, declared: str, other: str
) -> tuple[FloatArray, FloatArray]:
    """Return the points as if the original numbers had been in another datum."""
    if declared in _HYPOTHESES:
        lon, lat = from_wgs84(lon, lat, declared)
    return to_wgs84(lon, lat, other)


def _evidence(  # noqa: PLR0913 - one array a column
    lon: FloatArray,
    lat: FloatArray,
    stated: NDArray[np.object_],
    region_of: Callable[[FloatArray, FloatArray], list[set[str]]],
    cell_lon: FloatArray,
    cell_lat: FloatArray,
) -> dict[str, float]:
    has = np.array([code is not None for code in stated], dtype=bool)
    covering = region_of(lon[has], lat[has])
    hits = [code in codes for code, codes in zip(stated[has], covering, strict=True)]
    share = float(np.mean(hits)) if hits else float("nan")
    known = np.isfinite(cell_lon)
    scale = np.cos(np.radians(lat[known]))
    offset = np.hypot((lon[known] - cell_lon[known]) * scale, lat[known] - cell_lat[known])
    enough = known.sum() >= MIN_EVIDENCE
    metres = float(np.median(offset) * METRES_PER_DEGREE) if enough else float("nan")
    score = (0.0 if np.isnan(share) else share) - (0.0 if np.isnan(metres) else metres / 1000)
    return {"in_stated": share, "offset_m": metres, "score": score, "rows": float(has.sum())}


def _explains(base: dict[str, float], other: dict[str, float]) -> bool:
    by_cells = base["offset_m"] > LOOKS_WRONG_M and other["offset_m"] < LOOKS_RIGHT_M
    contradicted = base["offset_m"] < LOOKS_RIGHT_M
    by_region = base["rows"] >= MIN_EVIDENCE and other["in_stated"] > base["in_stated"] + CLEAR_GAIN
    return bool(by_cells or (by_region and not contradicted))


def _label(word: str) -> str:
    return {"wgs84": "WGS84", "gcj02": "GCJ-02", "bd09": "BD-09", "cgcs2000": "CGCS2000"}.get(
        word, word
    )
