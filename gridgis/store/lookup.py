"""
Cases by place, time and class (案件检索).

One filter builder (SQLAlchemy Core, GeoAlchemy2) serves API, command line, exports and notebook.
Boxes of another CRS are turned into polygons; `&&` alone is never trusted, since it compares
rounded boxes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np
import shapely
from sqlalchemy import (
    ColumnElement,
    Connection,
    DateTime,
    Select,
    Subquery,
    Table,
    and_,
    false,
    func,
    literal,
    select,
    true,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on

from gridgis.crs import parse_crs, to_lonlat
from gridgis.errors import CaseNotFound, GeometryError, InputError
from gridgis.store.cursor import Position, filter_digest, read_cursor, write_cursor
from gridgis.store.tables import case_record as k
from gridgis.store.tables import category, data_version, region, source_name, street

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from shapely.geometry.base import BaseGeometry

    from gridgis.model.city import City
    from gridgis.model.query import CaseFilter

Row = dict[str, object]
MAX_LIMIT = 1000
SEGMENTS = 64
"""Points a side of a box or polygon in another CRS is cut into before it is converted."""
STREAM_ROWS = 5000
FAR_DEG = 10.0
"""A point this far outside the city's extent is near no case; projecting it could fail."""

CASE_COLUMNS = (
    "case_no",
    "subcategory_code",
    "source",
    "tier",
    "case_kind",
    "status",
    "severity",
    "self_handled",
    "description",
    "address_text",
    "stated_region",
    "region_code",
    "region_method",
    "district_code",
    "street_code",
    "cell_code",
    "no_cell_reason",
    "grid_version",
    "locate_radius_m",
    "disposing_org",
    "reported_at",
    "accepted_at",
    "filed_at",
    "dispatched_at",
    "due_at",
    "disposed_at",
    "checked_at",
    "closed_at",
    "counted_at",
    "listed_at",
    "updated_at",
)


NAME_COLUMNS = ("subcategory_name", "source_name", "region_name", "street_name", "lon", "lat")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of cases, in the order of `(listed_at, case_no)`."""

    rows: list[Row]
    total: int
    cursor: str | None
    """Where the next page starts; None on the last one."""


def find_cases(
    tx: Connection, city: City, chosen: CaseFilter, *, limit: int, cursor: str | None = None
) -> Page:
    """
    Return one page of cases and the exact total (分页检索).

    The total is counted once and travels in the cursor until data change.

    Raises
    ------
    InputError
        If the limit or the cursor is unusable.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit {limit}: expected 1 to {MAX_LIMIT}")
    digest = filter_digest(chosen)
    after = read_cursor(cursor, digest) if cursor else None
    version = int(tx.scalar(select(data_version.c.version)) or 0)
    where = conditions(city, chosen)
    query = _rows(where).order_by(k.c.listed_at, k.c.case_no).limit(limit + 1)
    if after is not None:
        key = tuple_(literal(after.listed_at, DateTime(timezone=True)), literal(after.case_no))
        query = query.where(tuple_(k.c.listed_at, k.c.case_no) > key)
    _use_local_time(tx, city)
    found = tx.execute(query).all()
    total = after.total if after and after.version == version else _count(tx, where)
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = write_cursor(Position(last.listed_at, last.case_no, digest, total, version))
    return Page([plain_row(row._asdict()) for row in found[:limit]], total, following)


def stream_cases(tx: Connection, city: City, chosen: CaseFilter) -> Iterator[Row]:
    """Yield every case of a filter in order; memory stays flat (导出)."""
    _use_local_time(tx, city)
    query = _rows(conditions(city, chosen)).order_by(k.c.listed_at, k.c.case_no)
    for row in tx.execution_options(yield_per=STREAM_ROWS).execute(query):
        yield plain_row(row._asdict())


def count_cases(tx: Connection, city: City, chosen: CaseFilter) -> int:
    """Return how many cases a filter means."""
    return _count(tx, conditions(city, chosen))


def read_case(tx: Connection, city: City, case_no: str) -> Row:
    """
    Return one case with its original coordinates.

    Raises
    ------
    CaseNotFound
        If no case has this number.
    """
    query = _rows(k.c.case_no == case_no).add_columns(
        k.c.src_crs,
        k.c.src_x,
        k.c.src_y,
        k.c.point_issue,
        k.c.cell_code_stated,
        k.c.stated_region_code,
        k.c.discovered_at,
        k.c.verified_at,
        k.c.voided_at,
        k.c.suspended_at,
    )
    _use_local_time(tx, city)
    row = tx.execute(query).one_or_none() if "\0" not in case_no else None
    if row is None:
        raise CaseNotFound(f"case {case_no!r}: no such number", case_no=case_no)
    return plain_row(row._asdict())


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
    if chosen.start is not None:
        parts.append(k.c.counted_at >= chosen.start)
    if chosen.end is not None:
        parts.append(k.c.counted_at < chosen.end)
    if chosen.updated_since is not None:
        parts.append(k.c.updated_at >= chosen.updated_since)
    return and_(*parts, *_months(city, chosen), *_space(city, chosen))


def _months(city: City, chosen: CaseFilter) -> list[ColumnElement[bool]]:
    """Let a period use the index on (geom, month); `month` is local and implied by the period."""
    if chosen.start is None or chosen.end is None:
        return []
    zone = ZoneInfo(city.time_zone)
    first, last = (
        at.astimezone(zone).year * 100 + at.astimezone(zone).month
        for at in (chosen.start, chosen.end - timedelta(microseconds=1))
    )
    return [k.c.month == first] if first == last else [k.c.month.between(first, last)]


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


def _count(tx: Connection, where: ColumnElement[bool]) -> int:
    return int(tx.scalar(select(func.count()).select_from(k).where(where)) or 0)


def _use_local_time(tx: Connection, city: City) -> None:
    """Write the times of this transaction with the city's offset."""
    tx.execute(select(func.set_config("TimeZone", city.time_zone, True)))  # noqa: FBT003 - SQL


def _rows(where: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    regions, streets = _newest(region, "region_code"), _newest(street, "street_code")
    return (
        select(
            *(k.c[name] for name in CASE_COLUMNS),
            category.c.name.label("subcategory_name"),
            source_name.c.name.label("source_name"),
            regions.c.name.label("region_name"),
            streets.c.name.label("street_name"),
            func.ST_X(k.c.geom).label("lon"),
            func.ST_Y(k.c.geom).label("lat"),
        )
        .select_from(
            k.outerjoin(category, category.c.category_code == k.c.subcategory_code)
            .outerjoin(source_name, source_name.c.source == k.c.source)
            .outerjoin(regions, regions.c.region_code == k.c.region_code)
            .outerjoin(streets, streets.c.street_code == k.c.street_code)
        )
        .where(where)
    )


def _newest(areas: Table, code: str) -> Subquery:
    """Return the last known name of every area."""
    query = select(areas.c[code], areas.c.name).ext(distinct_on(areas.c[code]))
    return query.order_by(areas.c[code], areas.c.valid_from.desc()).subquery()


def plain_row(row: Mapping[str, object]) -> Row:
    """Return JSON values: times in ISO with offset, coordinates to 7 decimals."""
    plain: Row = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            plain[name] = value.isoformat()
        elif isinstance(value, float):
            plain[name] = round(value, 7 if name in {"lon", "lat"} else 2)
        else:
            plain[name] = value
    return plain
