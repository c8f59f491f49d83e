"""Is an import plausible? Points outside the city, unknown regions, a wrong datum (合理性检查)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
import shapely

from gridgis.crs import WORDS
from gridgis.errors import CrsError
from gridgis.intake.datum import Located, check_datum

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pyarrow as pa
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

ENOUGH_POINTS = 30
"""So many points that are all implausible are no accident but another CRS."""
WORTH_A_WARNING = 0.05
_LISTED = 10

Warnings = list[dict[str, object]]


class PointCounts:
    """How many of the given coordinates can be points of the city (坐标计数)."""

    def __init__(self) -> None:
        self.given = 0
        self.issues: Counter[str] = Counter()

    def add(self, rows: pa.Table) -> None:
        """Count the coordinates of accepted rows."""
        given = rows["point_issue"].filter(pc.is_valid(rows["src_crs"]))
        self.given += len(given)
        self.issues.update(issue for issue in given.to_pylist() if issue is not None)

    def refuse_wrong_crs(self, file: str, crs: str | None) -> None:
        """
        Refuse a file without a single plausible point (拒绝错误坐标系).

        Raises
        ------
        CrsError
            Naming the declared CRS, and whether the axes look exchanged.
        """
        if self.given >= ENOUGH_POINTS and self.issues.total() == self.given:
            raise CrsError(
                f"{file}: none of {self.given:,} points lies in the plausible extent of the city "
                f"when read as {crs or 'the CRS of its row'} ({self._listed()}); nothing was "
                f"stored. {self._remedy()}",
                **self.issues,
            )

    def warnings(self) -> Warnings:
        """Return a warning if many points are implausible."""
        share = self.issues.total() / max(self.given, 1)
        if share < WORTH_A_WARNING or self.given < ENOUGH_POINTS:
            return []
        message = (
            f"{self.issues.total():,} of {self.given:,} points ({share:.1%}) cannot lie in the "
            f"city ({self._listed()}); these rows are kept without a point. {self._remedy()}"
        )
        return [{"code": "implausible_points", "message": message}]

    def _listed(self) -> str:
        return ", ".join(f"{issue} {count:,}" for issue, count in self.issues.most_common())

    def _remedy(self) -> str:
        if self.issues["swapped"] * 2 > self.issues.total():
            return "x and y look exchanged: x is the longitude or easting; mend [columns]"
        return "Is --crs right?"


def region_warnings(unknown: Mapping[str, int]) -> Warnings:
    """Return a warning if rows state regions that the profile does not know."""
    if not unknown:
        return []
    most = sorted(unknown.items(), key=lambda pair: (-pair[1], pair[0]))
    listed = ", ".join(f"{name} ({count:,})" for name, count in most[:_LISTED])
    message = (
        f"{sum(unknown.values()):,} rows state a region that the profile does not know, so the "
        f"statement was not used: {listed}. Add an alias in regions.csv"
    )
    return [{"code": "unknown_region", "message": message}]


def datum_warnings(
    file: str, rows: Sequence[tuple[object, ...]], polygons: Sequence[tuple[str, bytes]]
) -> Warnings:
    """
    Return a warning for every declared datum that the rows contradict (坐标系存疑).

    Parameters
    ----------
    rows : sequence of (lon, lat, src_crs, stated region, cell lon, cell lat)
        Rows that say where they lie.
    polygons : sequence of (region code, WKB)
        The regions of the city, WGS84.
    """
    codes = [code for code, _ in polygons]
    shapes = shapely.from_wkb([wkb for _, wkb in polygons])

    def covering(lon: FloatArray, lat: FloatArray) -> list[set[str]]:
        found: list[set[str]] = [set() for _ in range(len(lon))]
        tree = shapely.STRtree(np.asarray(shapely.points(lon, lat)))
        for region, position in tree.query(shapes, predicate="covers").T:
            found[position].add(codes[region])
        return found

    warnings: Warnings = []
    for datum in sorted({str(row[2]) for row in rows} & {*WORDS}):
        located = _located([row for row in rows if row[2] == datum])
        verdict = check_datum(located, declared=datum, covering=covering)
        if verdict is not None:
            warnings.append(
                {
                    "code": "suspect_datum",
                    "message": f"{file} {verdict.message}",
                    "evidence": verdict.evidence,
                }
            )
    return warnings


def _located(rows: Sequence[tuple[object, ...]]) -> Located:
    columns = list(zip(*rows, strict=True))
    lon, lat, cell_lon, cell_lat = (np.array(columns[at], dtype=np.float64) for at in (0, 1, 4, 5))
    return Located(lon, lat, np.array(columns[3], dtype=object), cell_lon, cell_lat)
