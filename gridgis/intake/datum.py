"""
Do rows lie where they say they lie? A datum that was declared wrongly (坐标系核查).

GCJ-02 read as WGS84 moves every point by some hundred metres, while most rows still fall into the
right district. Rows that name their unit grid or their region show it. Nothing is changed on
suspicion: a verdict is a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridgis.crs import from_wgs84, to_wgs84
from gridgis.intake.points import METRES_PER_DEGREE

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    BoolArray = NDArray[np.bool_]
    Covering = Callable[[FloatArray, FloatArray], list[set[str]]]

LOOKS_RIGHT_M = 60.0
LOOKS_WRONG_M = 200.0
MIN_EVIDENCE = 30
CLEAR_GAIN = 0.02
CLEAR_SIGMA = 3.0
_OBFUSCATED = ("gcj02", "bd09")
_LABELS = {"wgs84": "WGS84", "gcj02": "GCJ-02", "bd09": "BD-09", "cgcs2000": "CGCS2000"}


@dataclass(frozen=True, slots=True)
class Located:
    """Rows with a point that also say where they lie (自述位置的行)."""

    lon: FloatArray
    """WGS84, converted as declared."""
    lat: FloatArray
    stated: NDArray[np.object_]
    """Code of the stated region, or None."""
    cell_lon: FloatArray
    """Centre of the stated unit grid, NaN where none is stated."""
    cell_lat: FloatArray


@dataclass(frozen=True, slots=True)
class Verdict:
    """Another datum explains the rows better (坐标系存疑)."""

    suspect: str
    message: str
    evidence: dict[str, float]


def check_datum(rows: Located, *, declared: str, covering: Covering) -> Verdict | None:
    """
    Compare where rows say they lie with where they do, as declared and under other datums.

    Parameters
    ----------
    declared : str
        `wgs84`, `cgcs2000`, `gcj02` or `bd09`.
    covering : callable
        Codes of the regions that cover each WGS84 point.

    Returns
    -------
    Verdict or None
        Set when reading the same numbers as another datum explains the rows: the median distance
        to the stated cells falls from above 200 m to below 60 m, or the rows in their stated
        region gain by more than 2 points and three standard errors, unless the cells contradict.
    """
    base = _Reading.of(rows, rows.lon, rows.lat, covering)
    best: tuple[str, _Reading] | None = None
    for other in _alternatives(declared):
        reading = _Reading.of(rows, *_reread(rows, declared, other), covering)
        if reading.explains(base) and (best is None or reading.score > best[1].score):
            best = (other, reading)
    return None if best is None else _verdict(declared, base, *best)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The rows under one datum."""

    offset_m: float | None
    """Median distance to the stated cells; None with too few."""
    hits: BoolArray
    """Of the rows that state a region: whether it covers them."""

    @classmethod
    def of(cls, rows: Located, lon: FloatArray, lat: FloatArray, covering: Covering) -> _Reading:
        has = np.array([code is not None for code in rows.stated], dtype=bool)
        pairs = zip(rows.stated[has], covering(lon[has], lat[has]), strict=True)
        known = np.isfinite(rows.cell_lon)
        east = (lon[known] - rows.cell_lon[known]) * np.cos(np.radians(lat[known]))
        offset = np.hypot(east, lat[known] - rows.cell_lat[known]) * METRES_PER_DEGREE
        enough = len(offset) >= MIN_EVIDENCE
        return cls(
            float(np.median(offset)) if enough else None,
            np.array([code in codes for code, codes in pairs], dtype=bool),
        )

    @property
    def share(self) -> float:
        return float(self.hits.mean()) if len(self.hits) else 0.0

    @property
    def score(self) -> float:
        return self.share - (self.offset_m or 0.0) / 1000

    def explains(self, base: _Reading) -> bool:
        if self.offset_m is not None and base.offset_m is not None:
            if base.offset_m < LOOKS_RIGHT_M:
                return False
            if base.offset_m > LOOKS_WRONG_M and self.offset_m < LOOKS_RIGHT_M:
                return True
        won, lost = int((self.hits & ~base.hits).sum()), int((base.hits & ~self.hits).sum())
        clear = won - lost > CLEAR_SIGMA * np.sqrt(won + lost)
        enough = len(self.hits) >= MIN_EVIDENCE
        return bool(enough and clear and self.share > base.share + CLEAR_GAIN)


def _alternatives(declared: str) -> tuple[str, ...]:
    if declared in _OBFUSCATED:
        return ("wgs84", *(word for word in _OBFUSCATED if word != declared))
    return _OBFUSCATED


def _reread(rows: Located, declared: str, other: str) -> tuple[FloatArray, FloatArray]:
    """Return the points as if the original numbers had been in another datum."""
    lon, lat = from_wgs84(rows.lon, rows.lat, declared)
    return to_wgs84(lon, lat, other)


def _verdict(declared: str, base: _Reading, suspect: str, reading: _Reading) -> Verdict:
    facts, evidence = [], {"rows_with_region": float(len(base.hits))}
    if base.offset_m is not None and reading.offset_m is not None:
        facts.append(
            f"the points lie {reading.offset_m:.0f} m from their stated cells instead of "
            f"{base.offset_m:.0f} m"
        )
        evidence |= {"declared_offset_m": base.offset_m, "suspect_offset_m": reading.offset_m}
    if len(base.hits):
        facts.append(f"{reading.share:.1%} instead of {base.share:.1%} lie in their stated region")
        evidence |= {"declared_in_stated": base.share, "suspect_in_stated": reading.share}
    name = _LABELS[suspect]
    message = (
        f"looks like {name} read as {_LABELS[declared]}: read as {name}, {', and '.join(facts)}. "
        f"Nothing was changed: if so, import the same file again with --crs {suspect}"
    )
    return Verdict(suspect, message, evidence)
