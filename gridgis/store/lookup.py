"""
Cases by place, time and class (案件检索).

One filter builder (SQLAlchemy Core, GeoAlchemy2) serves API, command line, exports and notebook.
Boxes of another CRS are turned into polygons; `&&` alone is never trusted, since it compares
rounded boxes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

import numpy as np
import shapely
from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal, select, text, tuple_

from gridgis.crs import parse_crs, to_lonlat
from gridgis.errors import CaseNotFound, GeometryError, InputError
from gridgis.model.query import CaseFilter
from gridgis.store.tables import case_record as k
from gridgis.store.tables import category as g

MAX_LIMIT = 1000
SEGMENTS = 64
"""Points a side of a box or polygon in another CRS is cut into before it is converted."""
STREAM_ROWS = 5000

CASE_COLUMNS = (
    "case_no", "subcategory_code", "source", "tier", "case_kind", "status", "severity",
    "self_handled", "description", "address_text", "stated_region", "region_code",
    "region_method", "district_code", "street_code", "cell_code", "no_cell_reason",
    "grid_version", "locate_radius_m", "disposing_org", "reported_at", "accepted_at", "filed_at",
    "dispatched_at", "due_at", "disposed_at", "checked_at", "closed_at", "counted_at",
    "listed_at", "updated_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Page:
    """One page of cases, in the order of `(listed_at, case_no)`."""

    rows: list[dict[str, object]]
    total: int
    cursor: str | None
    """Where the next page starts; None on the last one."""


def find_cases(
    tx: Connection, chosen: CaseFilter, *, limit: int, cursor: str | None = None
) -> Page:
    """
    Return one page of cases and the exact total (分页检索).

    Raises
    ------
    InputError
        If the limit or the cursor is unusable.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit {limit}: expected 1 to {MAX_LIMIT}")
    digest = _digest(chosen)
    version = int(tx.scalar(text("SELECT version FROM core.data_version")) or 0)
    where = conditions(tx, chosen)
    position = _read_cursor(cursor, digest) if cursor else None
    if position is not None and position.version == version:
        total = position.total
    else:
        total = int(tx.scalar(select(func.count()).select_from(k).where(where)) or 0)
    query = _rows(where).order_by(k.c.listed_at, k.c.case_no).limit(limit + 1)
    if position is not None:
        after = tuple_(literal(position.listed_at), literal(position.case_no))
        query = query.where(tuple_(k.c.listed_at, k.c.case_no) > after)
    rows = [_plain(row._mapping) for row in tx.execute(query)]
    more = len(rows) > limit
    rows = rows[:limit]
    following = None
    if more:
        last = rows[-1]
        following = _write_cursor(
            _Position(str(last["listed_at"]), str(last["case_no"]), digest, total, version)
        )
    return Page(rows, total, following)


def stream_cases(tx: Connection, chosen: CaseFilter) -> Iterator[dict[str, object]]:
    """Yield every case of a filter in order; memory stays flat (导出)."""
    query = _rows(conditions(tx, chosen)).order_by(k.c.listed_at, k.c.case_no)
    result = tx.execution_options(yield_per=STREAM_ROWS).execute(query)
    for row in result:
        yield _plain(row._mapping)


def count_cases(tx: Connection, chosen: CaseFilter) -> int:
    """Return how many cases a filter means."""
    where = conditions(tx, chosen)
    return int(tx.scalar(select(func.count()).select_from(k).where(where)) or 0)


def read_case(tx: Connection, case_no: str) -> dict[str, object]:
    """
    Return one case with its original coordinates.

    Raises
    ------
    CaseNotFound
        If no case has this number.
    """
    query = _rows(k.c.case_no == case_no).add_columns(
        k.c.src_crs, k.c.src_x, k.c.src_y, k.c.point_issue, k.c.cell_code_stated,
        k.c.stated_region_code, k.c.discovered_at, k.c.verified_at, k.c.voided_at,
        k.c.suspended_at,
    )  # fmt: skip
    row = tx.execute(query).one_or_none()
    if row is None:
        raise CaseNotFound(f"case {case_no!r}: no such number", case_no=case_no)
    return _plain(row._mapping)


def conditions(tx: Connection, chosen: CaseFilter) -> ColumnElement[bool]:
    """Return a filter as one SQL condition with bound values."""
    parts: list[ColumnElement[bool]] = [literal(True)]  # noqa: FBT003 - SQL true
    simple = {
        k.c.cell_code: chosen.cell, k.c.region_code: chosen.district,
        k.c.street_code: chosen.street, k.c.source: chosen.source, k.c.status: chosen.status,
    }  # fmt: skip
    parts += [column == value for column, value in simple.items() if value is not None]
    if chosen.category is not None:
        parts.append(k.c.subcategory_code.startswith(chosen.category, autoescape=True))
    if chosen.start is not None:
        parts.append(k.c.counted_at >= chosen.start)
    if chosen.end is not None:
        parts.append(k.c.counted_at < chosen.end)
    if chosen.updated_since is not None:
        parts.append(k.c.updated_at >= chosen.updated_since)
    parts += _space(tx, chosen)
    parts += _month_hint(tx, chosen)
    return and_(*parts)


def _space(tx: Connection, chosen: CaseFilter) -> list[ColumnElement[bool]]:
    """Conditions on the point; the constant is transformed, never the indexed column."""
    parts: list[ColumnElement[bool]] = []
    word = parse_crs(chosen.crs)
    if chosen.bbox is not None:
        parts.append(func.ST_Intersects(k.c.geom, _box(chosen.bbox, word)))
    if chosen.within is not None:
        parts.append(func.ST_Intersects(k.c.geom, _polygon(chosen.within, word)))
    if chosen.near is not None and chosen.radius_m is not None:
        lon, lat = to_lonlat(*chosen.near, word)
        srid = tx.scalar(text("SELECT measuring_srid FROM core.city"))
        point = func.ST_Transform(func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326), srid)
        parts.append(func.ST_DWithin(k.c.geom_m, point, chosen.radius_m))
    return parts


def _month_hint(tx: Connection, chosen: CaseFilter) -> list[ColumnElement[bool]]:
    """Let a whole period use the index on (geom, month)."""
    if chosen.start is None or chosen.end is None:
        return []
    low, high = tx.execute(
        text(
            "SELECT to_char(CAST(:a AS timestamptz) AT TIME ZONE time_zone, 'YYYYMM')::int, "
            "to_char((CAST(:b AS timestamptz) - interval '1 microsecond') AT TIME ZONE time_zone, "
            "'YYYYMM')::int FROM core.city"
        ),
        {"a": chosen.start, "b": chosen.end},
    ).one()
    return [k.c.month == low] if low == high else [k.c.month >= low, k.c.month <= high]


def _box(box: tuple[float, float, float, float], word: str) -> ColumnElement[object]:
    if word in {"wgs84", "cgcs2000"}:
        return func.ST_MakeEnvelope(*box, 4326)
    return _sent(shapely.box(*box), word)


def _polygon(shape: Mapping[str, object], word: str) -> ColumnElement[object]:
    try:
        polygon = shapely.from_geojson(json.dumps(shape))
    except (shapely.GEOSException, ValueError) as error:
        raise GeometryError("within: not readable as a GeoJSON polygon") from error
    if not polygon.is_valid:
        raise GeometryError(f"within: {shapely.is_valid_reason(polygon)}; mend the polygon")
    return _sent(polygon, word)


def _sent(shape: shapely.Geometry, word: str) -> ColumnElement[object]:
    """Cut the sides, convert every vertex, and send the polygon."""
    if word not in {"wgs84", "cgcs2000"}:
        west, south, east, north = shape.bounds
        shape = shapely.segmentize(shape, max(east - west, north - south, 1e-9) / SEGMENTS)
        shape = shapely.transform(
            shape, lambda xy: np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], word))
        )
    return func.ST_GeomFromWKB(shapely.to_wkb(shape), 4326)


def _rows(where: ColumnElement[bool]) -> Select[tuple[object, ...]]:
    return (
        select(
            *(k.c[name] for name in CASE_COLUMNS),
            g.c.name.label("subcategory_name"),
            func.ST_X(k.c.geom).label("lon"), func.ST_Y(k.c.geom).label("lat"),
        )
        .select_from(k.outerjoin(g, g.c.category_code == k.c.subcategory_code))
        .where(where)
    )  # fmt: skip


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    """Return JSON values: times in ISO with offset, coordinates to 7 decimals."""
    plain: dict[str, object] = {}
    for name, value in row.items():
        if isinstance(value, datetime):
            plain[name] = value.isoformat()
        elif isinstance(value, float):
            plain[name] = round(value, 7 if name in {"lon", "lat"} else 2)
        else:
            plain[name] = value
    return plain


@dataclass(frozen=True, slots=True)
class _Position:
    listed_at: str
    case_no: str
    digest: str
    total: int
    version: int


def _digest(chosen: CaseFilter) -> str:
    content = json.dumps(asdict(chosen), default=str, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _write_cursor(position: _Position) -> str:
    return base64.urlsafe_b64encode(json.dumps(asdict(position)).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, digest: str) -> _Position:
    problem = InputError("cursor: not one of this list; start again without cursor")
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        position = _Position(**json.loads(raw))
        datetime.fromisoformat(position.listed_at)
        if not isinstance(position.total, int) or not isinstance(position.case_no, str):
            raise problem
    except (binascii.Error, ValueError, TypeError) as error:
        raise problem from error
    if position.digest != digest:
        raise InputError("cursor: belongs to other filters; start again without cursor")
    return position
