"""
The one filter over cases: command line, API, exports and notebook share it (案件筛选).

Codes are checked by shape here and looked up by the store; coordinates are in `crs`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.codes import check_category, check_cell, check_division, check_region
from gridgis.crs import parse_crs
from gridgis.errors import GeometryError, InputError, LimitExceeded
from gridgis.model.case import CaseStatus, Source

if TYPE_CHECKING:
    from datetime import datetime

MAX_RADIUS_M = 100_000.0
MAX_VERTICES = 10_000

Box = tuple[float, float, float, float]
Geometry = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """
    Which cases are meant; everything given must hold (AND).

    `start` and `end` are half open and act on `counted_at`; without them a list also holds cases
    that are not accepted yet.
    """

    bbox: Box | None = None
    """West, south, east, north in `crs`."""
    near: tuple[float, float] | None = None
    radius_m: float | None = None
    within: Geometry | None = None
    """A GeoJSON Polygon or MultiPolygon in `crs`."""
    crs: str = "wgs84"
    cell: str | None = None
    district: str | None = None
    """Management region: a district or a zone."""
    street: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    updated_since: datetime | None = None
    category: str | None = None
    source: str | None = None
    status: str | None = None
    restricted: bool = False
    """Cases of restricted classes (受限类) too: for local analysts, never for the service."""

    def __post_init__(self) -> None:
        """
        Check every value.

        Raises
        ------
        InputError
            Naming the value, the rule and the remedy.
        """
        parse_crs(self.crs)
        self._check_space()
        if self.cell is not None:
            check_cell(self.cell)
        if self.district is not None:
            check_region(self.district)
        if self.street is not None:
            check_division(self.street, digits=9)
        if self.category is not None:
            check_category(self.category)
        _one_of("source", self.source, [source.value for source in Source])
        _one_of("status", self.status, [status.value for status in CaseStatus])
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise InputError(
                f"period: from {self.start.isoformat()} is not before to "
                f"{self.end.isoformat()}; the period is half open"
            )

    def _check_space(self) -> None:
        if self.bbox is not None:
            _check_box(self.bbox)
        if (self.near is None) != (self.radius_m is None):
            raise InputError("near and radius_m belong together: near=LON,LAT and radius_m=METRES")
        if self.radius_m is not None and not 0 < self.radius_m <= MAX_RADIUS_M:
            raise InputError(
                f"radius_m {self.radius_m}: expected more than 0 and at most {MAX_RADIUS_M:.0f} m"
            )
        if self.within is not None:
            _check_polygon(self.within)


def parse_numbers(name: str, text: str, *, count: int) -> tuple[float, ...]:
    """Return comma-separated finite numbers, or raise `InputError` naming the value."""
    shapes = {2: "LON,LAT", 4: "WEST,SOUTH,EAST,NORTH"}
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if len(numbers) != count or not all(math.isfinite(number) for number in numbers):
        raise InputError(f"{name} {text!r}: expected {shapes[count]}, numbers with commas between")
    return numbers


def parse_bbox(text: str) -> Box:
    """Return west, south, east, north."""
    west, south, east, north = parse_numbers("bbox", text, count=4)
    return west, south, east, north


def parse_near(text: str) -> tuple[float, float]:
    """Return longitude, latitude."""
    lon, lat = parse_numbers("near", text, count=2)
    return lon, lat


def _check_box(box: Box) -> None:
    west, south, east, north = box
    if west > east or south > north:
        raise InputError(
            f"bbox {west},{south},{east},{north}: expected west ≤ east and south ≤ north"
        )


def _check_polygon(shape: Geometry) -> None:
    kind, parts = shape.get("type"), shape.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(parts, list | tuple) or not parts:
        raise GeometryError(f"within: a {kind!r}; expected a GeoJSON Polygon or MultiPolygon")
    rings = parts if kind == "Polygon" else [ring for part in parts for ring in _listed(part)]
    if sum(len(_listed(ring)) for ring in rings) > MAX_VERTICES:
        raise LimitExceeded(f"within: more than {MAX_VERTICES:,} vertices; simplify the polygon")


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise GeometryError(
            f"within: a {type(value).__name__} where GeoJSON has a list of coordinates"
        )
    return value


def _one_of(name: str, value: str | None, allowed: list[str]) -> None:
    if value is not None and value not in allowed:
        raise InputError(f"{name} {value!r}: expected one of {', '.join(allowed)}")
