"""
Cases by place, time and class (案件检索).

One query over one filter serves API, command line, exports and notebook.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import (
    JSON,
    Boolean,
    ColumnElement,
    Connection,
    DateTime,
    Double,
    Numeric,
    Select,
    SelectBase,
    Subquery,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import distinct_on

from gridgis.errors import CaseNotFound, InputError
from gridgis.store.conditions import conditions, in_order, open_class
from gridgis.store.cursor import Position, filter_digest, read_cursor, write_cursor
from gridgis.store.tables import case_record as k
from gridgis.store.tables import category, data_version, region, source_name, street

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from gridgis.model.city import City
    from gridgis.model.query import CaseFilter

Row = dict[str, object]
MAX_LIMIT = 1000
STREAM_ROWS = 5000

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
CSV_COLUMNS = (*CASE_COLUMNS, *NAME_COLUMNS)
NUMBERS = {"lon": 7, "lat": 7, "locate_radius_m": 2}
"""Decimals of the columns that are numbers."""
FORMULA_SIGNS = "=+-@\t\r\n＝＋－＠"
EXPORT_TIMEOUT = "15min"


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
    query = _rows(and_(where, *in_order(chosen))).limit(limit + 1)
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


def stream_cases(
    tx: Connection, city: City, chosen: CaseFilter, *, limit: int | None = None
) -> Iterator[Row]:
    """Yield every case of a filter in order; memory stays flat (导出)."""
    _use_local_time(tx, city)
    query = _rows(and_(conditions(city, chosen), *in_order(chosen))).limit(limit)
    for row in tx.execution_options(yield_per=STREAM_ROWS).execute(query):
        yield plain_row(row._asdict())


def copy_csv(
    tx: Connection, city: City, chosen: CaseFilter, *, synthetic: bool, limit: int | None = None
) -> Generator[bytes]:
    """
    Yield every case of a filter as CSV lines, made by the database (导出 CSV).

    UTF-8 and CRLF, without a header. Text that a spreadsheet would run as a formula gets a
    leading apostrophe; the last column says whether the rows are synthetic.
    """
    rows = _rows(and_(conditions(city, chosen), *in_order(chosen))).limit(limit)
    cells = [_csv_cell(rows.selected_columns[name]) for name in CSV_COLUMNS]
    nature = literal("true" if synthetic else "false")
    yield from _copied(tx, city, rows.with_only_columns(*cells, nature), "FORMAT csv")


def copy_features(
    tx: Connection, city: City, chosen: CaseFilter, *, limit: int | None = None
) -> Generator[bytes]:
    """Yield every case of a filter as a GeoJSON feature, made by the database (导出 GeoJSON)."""
    rows = _rows(and_(conditions(city, chosen), *in_order(chosen))).limit(limit)
    columns = rows.selected_columns
    pairs = [
        part
        for name in CSV_COLUMNS
        if name not in {"lon", "lat"}
        for part in (literal(name), _number(columns[name]))
    ]
    feature = func.json_build_object(
        literal("type"), literal("Feature"),
        literal("id"), k.c.case_no,
        literal("geometry"), cast(func.ST_AsGeoJSON(k.c.geom, NUMBERS["lon"], type_=Text), JSON),
        literal("properties"), func.json_build_object(*pairs),
    )  # fmt: skip
    # JSON holds no control character, so nothing is quoted and lines are features
    raw = "FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02'"
    for line in _copied(tx, city, rows.with_only_columns(cast(feature, Text)), raw):
        yield line[:-2]


def _copied(tx: Connection, city: City, query: SelectBase, options: str) -> Generator[bytes]:
    """Yield the lines of a COPY, each ended by CRLF."""
    _use_local_time(tx, city)
    tx.execute(select(func.set_config("statement_timeout", EXPORT_TIMEOUT, True)))  # noqa: FBT003
    compiled = query.compile(dialect=tx.dialect)
    driver = tx.connection.driver_connection
    with driver.cursor() as cursor:  # type: ignore[union-attr]
        statement = f"COPY ({compiled}) TO STDOUT ({options})"
        with cursor.copy(statement, compiled.params) as lines:  # psycopg quotes the parameters
            try:
                for line in lines:
                    yield bytes(line)[:-1] + b"\r\n"
            except GeneratorExit:
                tx.invalidate()  # a cancel could arrive late and hit the next query instead
                raise


def _csv_cell(column: ColumnElement[object]) -> ColumnElement[object]:
    """Return a column as CSV shows it."""
    if isinstance(column.type, DateTime):
        return func.to_char(column, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')
    if isinstance(column.type, Boolean):
        return cast(column, Text)
    if column.key in NUMBERS:
        return _number(column)
    starts_formula = func.strpos(FORMULA_SIGNS, func.left(column, 1)) > 0
    return case((and_(column != "", starts_formula), literal("'").concat(column)), else_=column)


def _number(column: ColumnElement[object]) -> ColumnElement[object]:
    """Return a number with the decimals that are shown; other columns as they are."""
    if column.key not in NUMBERS:
        return column
    return cast(func.round(cast(column, Numeric), NUMBERS[column.key]), Double)


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
    if city.restricted:
        query = query.where(open_class())
    _use_local_time(tx, city)
    row = tx.execute(query).one_or_none() if "\0" not in case_no else None
    if row is None:
        raise CaseNotFound(f"case {case_no!r}: no such number", case_no=case_no)
    return plain_row(row._asdict())


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
        .order_by(k.c.listed_at, k.c.case_no)
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
            plain[name] = round(value, NUMBERS[name])
        else:
            plain[name] = value
    return plain
