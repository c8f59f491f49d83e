"""Look cases up by place, time and class (案件检索)."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict, cast
from zoneinfo import ZoneInfo

from gridgis.codes import check_cell
from gridgis.crs import parse_crs
from gridgis.errors import PeriodError
from gridgis.model.period import Period
from gridgis.model.query import CaseFilter, Geometry, parse_bbox, parse_near
from gridgis.services.names import resolve
from gridgis.store import lookup
from gridgis.store.engine import begin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Unpack

    from gridgis.services.context import Context
    from gridgis.store.lookup import Page, Row

FIRST_YEAR, LAST_YEAR = 1900, 2199
BOM = "\ufeff"
CSV_HEADER = (*lookup.CSV_COLUMNS, "synthetic")
PART_BYTES = 256 * 1024
NAMED = {"category": "category", "source": "source", "district": "region", "street": "street"}
"""Filters that take a name as well as a code, and whose name it is."""


class CaseQuestion(TypedDict, total=False):
    """A filter as people write it; everything given must hold (检索条件)."""

    bbox: str | None
    """`WEST,SOUTH,EAST,NORTH` in `crs`."""
    near: str | None
    """`LON,LAT` in `crs`."""
    radius_m: float | None
    within: Geometry | None
    """A GeoJSON Polygon or MultiPolygon in `crs`."""
    crs: str | None
    """CRS of the coordinates given here; default wgs84."""
    cell: str | None
    district: str | None
    """A management region, by code or name."""
    street: str | None
    month: str | None
    """`YYYY-MM`, or else `start` and `end`."""
    start: str | None
    """A date or time; without an offset it is the city's local time."""
    end: str | None
    updated_since: str | None
    category: str | None
    """A subcategory or category, by code, prefix or name."""
    source: str | None
    status: str | None


def case_filter(context: Context, **asked: Unpack[CaseQuestion]) -> CaseFilter:
    """
    Return the checked filter of a question (检索条件); an empty text means not given.

    Raises
    ------
    InputError
        Naming the value, the rule and the remedy.
    """
    given = cast("CaseQuestion", {k: v for k, v in asked.items() if v is not None and v != ""})
    start, end = _period(given, context.city.time_zone)
    with begin(context.engine) as tx:
        codes = {
            name: resolve(tx, kind, str(text))
            for name, kind in NAMED.items()
            if (text := given.get(name)) is not None
        }
    since = given.get("updated_since")
    return CaseFilter(
        bbox=parse_bbox(given["bbox"] or "") if "bbox" in given else None,
        near=parse_near(given["near"] or "") if "near" in given else None,
        radius_m=given.get("radius_m"),
        within=given.get("within"),
        crs=parse_crs(given.get("crs") or "wgs84"),
        cell=check_cell(given["cell"] or "") if "cell" in given else None,
        start=start,
        end=end,
        updated_since=parse_time("updated_since", since, context.city.time_zone) if since else None,
        status=given.get("status"),
        district=codes.get("district"),
        street=codes.get("street"),
        category=codes.get("category"),
        source=codes.get("source"),
    )


def find_cases(
    context: Context, chosen: CaseFilter, *, limit: int, cursor: str | None = None
) -> Page:
    """Return one page of cases and the exact total (分页检索)."""
    with begin(context.engine) as tx:
        return lookup.find_cases(tx, context.city, chosen, limit=limit, cursor=cursor)


def count_cases(context: Context, chosen: CaseFilter) -> int:
    """Return how many cases a filter means (计数)."""
    with begin(context.engine) as tx:
        return lookup.count_cases(tx, context.city, chosen)


def stream_cases(
    context: Context, chosen: CaseFilter, *, limit: int | None = None
) -> Iterator[Row]:
    """Yield every case of a filter, in order (导出)."""
    with begin(context.engine) as tx:
        yield from lookup.stream_cases(tx, context.city, chosen, limit=limit)


def csv_parts(context: Context, chosen: CaseFilter, *, limit: int | None = None) -> Iterator[bytes]:
    """
    Yield a CSV file of the cases of a filter, in order (导出 CSV).

    UTF-8 with a byte order mark, CRLF, one header line; the last column says whether the rows
    are synthetic.
    """
    head = f"{BOM}{','.join(CSV_HEADER)}\r\n".encode()
    synthetic = bool(context.city.synthetic)
    with begin(context.engine) as tx:
        copied = lookup.copy_csv(tx, context.city, chosen, synthetic=synthetic, limit=limit)
        with closing(copied) as lines:
            yield from _joined(head, lines)


def geojson_parts(
    context: Context, chosen: CaseFilter, head: Row, *, limit: int | None = None
) -> Iterator[bytes]:
    """
    Yield a GeoJSON FeatureCollection of the cases of a filter, in order (导出 GeoJSON).

    WGS84; a case without a point has a null geometry. `head` holds further members.
    """
    members = json.dumps({"type": "FeatureCollection", **head}, ensure_ascii=False)
    start = f'{members[:-1]}, "features": [\n'.encode()
    with begin(context.engine) as tx:
        copied = lookup.copy_features(tx, context.city, chosen, limit=limit)
        with closing(copied) as features:
            yield from _joined(start, features, between=b",\n")
    yield b"\n]}\n"


def _joined(head: bytes, lines: Iterable[bytes], *, between: bytes = b"") -> Iterator[bytes]:
    """Yield head and lines in parts of some size."""
    part = bytearray(head)
    for number, line in enumerate(lines):
        if between and number:
            part += between
        part += line
        if len(part) > PART_BYTES:
            yield bytes(part)
            part.clear()
    yield bytes(part)


def read_case(context: Context, case_no: str) -> Row:
    """Return one case with its original coordinates (案件详情)."""
    with begin(context.engine) as tx:
        return lookup.read_case(tx, context.city, case_no)


def parse_time(name: str, text: str, time_zone: str) -> datetime:
    """
    Return an instant; a date is its first moment, and a time without offset is local (时间).

    Raises
    ------
    PeriodError
        If it is neither a date nor a time.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise PeriodError(
            f"{name} {text!r}: expected a date or time such as 2024-11-01 or "
            "2024-11-01T08:30:00+08:00 (in a URL, + is written %2B)"
        ) from error
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise PeriodError(f"{name} {text!r}: expected a year from {FIRST_YEAR} to {LAST_YEAR}")
    return found if found.tzinfo else found.replace(tzinfo=ZoneInfo(time_zone))


def described(chosen: CaseFilter) -> Row:
    """Return the filter that was applied, as plain values: codes for names, times with offset."""
    names = {"start": "from", "end": "to"}
    given = {name: value for name, value in asdict(chosen).items() if value is not None}
    if not chosen.restricted:
        del given["restricted"]  # what is only left out is no filter that was asked for
    plain = {names.get(name, name): value for name, value in given.items()}
    for name, value in plain.items():
        if isinstance(value, datetime):
            plain[name] = value.isoformat()
    return plain


def _period(given: CaseQuestion, time_zone: str) -> tuple[datetime | None, datetime | None]:
    month, start, end = given.get("month"), given.get("start"), given.get("end")
    if month and (start or end):
        raise PeriodError(f"month {month} and from/to: give one or the other")
    if month:
        period = Period.month(month, time_zone)
        return period.start, period.end
    return (
        parse_time("from", start, time_zone) if start else None,
        parse_time("to", end, time_zone) if end else None,
    )
