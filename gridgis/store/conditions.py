"""
The filter of cases as SQL conditions (案件筛选条件).

SQLAlchemy Core, values bound. Boxes of another CRS are turned into polygons; `&&` alone is never
trusted, since it compares rounded boxes.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from sqlalchemy import ColumnElement, and_, false, func, select, true

from gridgis.crs import parse_crs, to_lonlat
from gridgis.errors import GeometryError, InputError
from gridgis.store.tables import case_record as k
from gridgis.store.tables import category

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from gridgis.model.city import City
    from gridgis.model.query import CaseFilter

SEGMENTS = 64
"""Points a side of a box or polygon in another CRS is cut into before it is converted."""
FAR_DEG = 10.0
"""A point this far outside the city's extent is near no case; projecting it could fail."""


def conditions(city: City, chosen: CaseFilter) -> ColumnElement[bool]:
    """Return a filter as one SQL condition with bound values."""
    parts: list[ColumnElement[bool]] = [true()]
    simple = {
        k.c.cell_code: chosen.cell,
        k.c.region_code: chosen.district,
        k.c.street_code: chosen.street,
        k.c.source: chosen.source,
        k.c.status: chosen.status,
    }
    parts += [column == value for column, value in simple.items() if value is not None]
    if chosen.category is not None:
        parts.append(k.c.subcategory_code.startswith(chosen.category, autoescape=True))
    if chosen.updated_since is not None:
        parts.append(k.c.updated_at >= chosen.updated_since)
    if city.restricted and not chosen.restricted:
        parts.append(open_class())
    return and_(*parts, *_period(city, chosen), *_space(city, chosen))


def open_class() -> ColumnElement[bool]:
    """Return the condition that a case is of no restricted class (受限类)."""
    restricted = select(category.c.category_code).where(category.c.restricted)
    return k.c.subcategory_code.not_in(restricted)


def _period(city: City, chosen: CaseFilter) -> list[ColumnElement[bool]]:
    """
    Conditions on counted_at.

    `month` is the local month of counted_at: whole months need no more, and parts of months use
    it for the indexes that have it.
    """
    parts: list[ColumnElement[bool]] = []
    start, end = chosen.start, chosen.end
    zone = ZoneInfo(city.time_zone)
    if start is not None and end is not None:
        first, last = _month(start, zone), _month(end - timedelta(microseconds=1), zone)
        parts.append(k.c.month == first if first == last else k.c.month.between(first, last))
        if _opens_month(start, zone) and _opens_month(end, zone):
            return parts
    if start is not None:
        parts.append(k.c.counted_at >= start)
    if end is not None:
        parts.append(k.c.counted_at < end)
    return parts


def in_order(chosen: CaseFilter) -> list[ColumnElement[bool]]:
    """Repeat the period for listed_at, which counted_at is in a period: the list's own index."""
    parts: list[ColumnElement[bool]] = []
    if chosen.start is not None:
        parts.append(k.c.listed_at >= chosen.start)
    if chosen.end is not None:
        parts.append(k.c.listed_at < chosen.end)
    return parts


def _month(at: datetime, zone: ZoneInfo) -> int:
    local = at.astimezone(zone)
    return local.year * 100 + local.month


def _opens_month(at: datetime, zone: ZoneInfo) -> bool:
    """Tell whether an instant is the first of a local month."""
    return _month(at - timedelta(microseconds=1), zone) != _month(at, zone)


def _space(city: City, chosen: CaseFilter) -> list[ColumnElement[bool]]:
    """Conditions on the point; the constant is transformed, never the indexed column."""
    parts: list[ColumnElement[bool]] = []
    word = parse_crs(chosen.crs)
    if chosen.bbox is not None:
        parts.append(func.ST_Intersects(k.c.geom, _box(chosen.bbox, word)))
    if chosen.within is not None:
        parts.append(func.ST_Intersects(k.c.geom, _polygon(chosen.within, word)))
    if chosen.near is not None and chosen.radius_m is not None:
        parts.append(_near(city, chosen.near, chosen.radius_m, word))
    return parts


def _near(city: City, near: tuple[float, float], radius_m: float, word: str) -> ColumnElement[bool]:
    """Within a distance in the measuring CRS."""
    lon, lat = to_lonlat(*near, word)
    if not (abs(lon) <= 180 and abs(lat) <= 90):  # noqa: PLR2004 - the globe; NaN is refused too
        raise InputError(
            f"near {near[0]},{near[1]} in {word} is not on the globe: longitude or easting first"
        )
    west, south, east, north = city.extent
    outside = max(west - lon, lon - east, south - lat, lat - north)
    if outside > FAR_DEG:
        return false()
    point = func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326)
    return func.ST_DWithin(k.c.geom_m, func.ST_Transform(point, city.measuring_srid), radius_m)


def _box(box: tuple[float, float, float, float], word: str) -> ColumnElement[object]:
    if word in {"wgs84", "cgcs2000"}:
        return func.ST_MakeEnvelope(*box, 4326)
    return _sent(shapely.box(*box), word)


def _polygon(shape: Mapping[str, object], word: str) -> ColumnElement[object]:
    try:
        polygon = shapely.from_geojson(json.dumps(shape))
    except (shapely.GEOSException, ValueError) as error:
        raise GeometryError("within: not readable as a GeoJSON polygon") from error
    if polygon.is_empty or not polygon.is_valid:
        fault = "empty" if polygon.is_empty else shapely.is_valid_reason(polygon)
        raise GeometryError(f"within: {fault}; mend the polygon")
    return _sent(polygon, word)


def _sent(shape: BaseGeometry, word: str) -> ColumnElement[object]:
    """Cut the sides, convert every vertex, and send the polygon."""
    if word not in {"wgs84", "cgcs2000"}:
        west, south, east, north = shape.bounds
        shape = shapely.segmentize(shape, max(east - west, north - south, 1e-9) / SEGMENTS)
        shape = shapely.transform(
            shape, lambda xy: np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], word))
        )
        if not np.isfinite(shapely.get_coordinates(shape)).all():
            raise InputError(f"the area has corners that {word} does not reach: check the numbers")
    return func.ST_GeomFromWKB(shapely.to_wkb(shape), 4326)
