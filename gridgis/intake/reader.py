"""
Tables in any office format to text chunks (表格读取).

csv(.gz), xlsx, xls (also HTML saved as .xls), geojson, gpkg, parquet; UTF-8 and GB18030. Every
value stays text, so that nothing is rounded before it is checked.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import IO

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import shapely
from python_calamine import CalamineError, CalamineWorkbook

from gridgis.errors import CrsError, SchemaError
from gridgis.crs import parse_crs
from gridgis.intake.mapping import CaseMapping

X_COLUMN, Y_COLUMN = "geometry.x", "geometry.y"
"""Headers under which the point geometry of geojson, gpkg and geoparquet files is offered."""
CHUNK_ROWS = 50_000
HEADER_SEARCH = 12
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_SNIFF_BYTES = 1 << 20


@dataclass(slots=True)
class Chunk:
    """Some rows of a file as text; the index is the 1-based number of the data row."""

    rows: pd.DataFrame
    ragged: list[tuple[int, str]] = field(default_factory=list)
    """Rows with another number of columns: number and text."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """An opened table: its headers, and a way to walk it as often as needed."""

    name: str
    headers: tuple[str, ...]
    chunks: Callable[[], Iterator[Chunk]]
    encoding: str | None = None


def open_table(
    path: Path,
    *,
    mapping: CaseMapping | None = None,
    sheet: str | None = None,
    encoding: str | None = None,
    crs: str | None = None,
) -> TableFile:
    """
    Open a table of any supported format.

    Raises
    ------
    SchemaError
        If the file is missing, empty, encrypted, of an unknown format or unreadable.
    CrsError
        If a file with geometry carries another CRS than declared.
    """
    if not path.exists():
        raise SchemaError(f"{path}: no such file")
    if path.stat().st_size == 0:
        raise SchemaError(f"{path.name}: the file is empty (0 bytes)")
    sheet = sheet or (mapping.sheet if mapping else None)
    encoding = encoding or (mapping.encoding if mapping else None)
    suffix = "".join(path.suffixes[-2:]).lower() if path.suffix == ".gz" else path.suffix.lower()
    if suffix in {".csv", ".csv.gz", ".tsv", ".txt", ".tsv.gz"}:
        return _open_text(path, encoding)
    if suffix in {".xlsx", ".xls", ".xlsm", ".et"}:
        return _open_workbook(path, sheet, mapping, encoding)
    if suffix in {".geojson", ".json", ".gpkg", ".shp"}:
        return _open_vector(path, crs)
    if suffix == ".parquet":
        return _open_parquet(path, crs)
    raise SchemaError(
        f"{path.name}: unknown format {suffix!r}; expected csv, csv.gz, xlsx, xls, geojson, gpkg or "
        "parquet"
    )


# ------------------------------------------------------------------------ text


def _open_text(path: Path, encoding: str | None) -> TableFile:
    chosen = encoding or detect_encoding(path)
    with _text(path, chosen) as handle:
        try:
            head = handle.read(64 * 1024)
        except UnicodeDecodeError as error:
            raise _not_decodable(path, chosen) from error
    if "\0" in head:
        raise SchemaError(f"{path.name}: holds NUL bytes, so it is no text table; export it again")
    delimiter = _delimiter(head)
    headers = _clean_headers(next(csv.reader(io.StringIO(head), delimiter=delimiter), []), path)
    return TableFile(
        path.name, headers, lambda: _text_chunks(path, chosen, delimiter, headers), chosen
    )


def detect_encoding(path: Path) -> str:
    """Return utf-8 or gb18030, by whether the whole first part decodes (编码识别)."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as handle:
            decoder.decode(handle.read(_SNIFF_BYTES))
    except UnicodeDecodeError:
        return "gb18030"
    except (OSError, EOFError) as error:
        raise SchemaError(f"{path.name}: not readable as gzip: export it again") from error
    return "utf-8"


def _text(path: Path, encoding: str) -> IO[str]:
    name = "utf-8-sig" if encoding.lower().replace("_", "-") in {"utf-8", "utf8"} else encoding
    try:
        codecs.lookup(name)
    except LookupError as error:
        raise SchemaError(f"encoding {encoding!r}: unknown; use utf-8 or gb18030") from error
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding=name, newline="")
    return path.open(encoding=name, newline="")


def _delimiter(head: str) -> str:
    line = head.split("\n", 1)[0]
    return max(",\t;|", key=line.count) if any(mark in line for mark in ",\t;|") else ","


def _clean_headers(raw: Sequence[object], path: Path) -> tuple[str, ...]:
    headers = [str(h).strip().lstrip("\ufeff") if h is not None else "" for h in raw]
    while headers and not headers[-1]:
        headers.pop()
    if not headers or not any(headers):
        raise SchemaError(f"{path.name}: the file is empty: no header row")
    unique: list[str] = []
    for position, header in enumerate(headers, start=1):
        name = header or f"column {position}"
        unique.append(name if name not in unique else f"{name} ({position})")
    return tuple(unique)


def _text_chunks(
    path: Path, encoding: str, delimiter: str, headers: tuple[str, ...]
) -> Iterator[Chunk]:
    """Stream with pyarrow; ragged rows are collected, not fatal."""
    ragged: dict[int, str] = {}

    def keep(row: pacsv.InvalidRow) -> str:
        ragged[int(row.number)] = str(row.text)
        return "skip"

    try:
        reader = pacsv.open_csv(
            str(path),
            read_options=pacsv.ReadOptions(
                use_threads=False, column_names=list(headers), skip_rows_after_names=1,
                encoding=encoding, block_size=8 << 20,
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=keep,
                ignore_empty_lines=False,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types={name: pa.string() for name in headers}, strings_can_be_null=False,
            ),
        )  # fmt: skip
        next_number, told = 1, set()
        for batch in reader:
            frame = batch.to_pandas()
            numbers, next_number = _numbers(len(frame), next_number, {n - 1 for n in ragged})
            frame.index = pd.Index(numbers)
            fresh = [(n - 1, text) for n, text in ragged.items() if n not in told]
            told.update(ragged)
            yield Chunk(frame, fresh)
        rest = [(n - 1, text) for n, text in ragged.items() if n not in told]
        if rest:
            yield Chunk(pd.DataFrame({h: pd.Series(dtype=str) for h in headers}), rest)
    except UnicodeDecodeError as error:
        raise _not_decodable(path, encoding) from error
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise SchemaError(f"{path.name}: not readable as a table: {str(error)[:200]}") from error


def _numbers(count: int, start: int, skipped: set[int]) -> tuple[list[int], int]:
    """Number rows from `start`, leaving out the skipped ones."""
    if not skipped:
        return list(range(start, start + count)), start + count
    numbers: list[int] = []
    number = start
    while len(numbers) < count:
        if number not in skipped:
            numbers.append(number)
        number += 1
    return numbers, number


def _not_decodable(path: Path, encoding: str) -> SchemaError:
    return SchemaError(
        f"{path.name}: not {encoding} text; pass --encoding utf-8 or --encoding gb18030, or save the "
        "file as UTF-8"
    )


# ------------------------------------------------------------------- workbooks


def _open_workbook(
    path: Path, sheet: str | None, mapping: CaseMapping | None, encoding: str | None
) -> TableFile:
    start = path.read_bytes()[:4096] if path.stat().st_size < 4096 else _head(path, 4096)  # noqa: PLR2004
    if not start.startswith((_OLE, _ZIP)):
        return _open_html(path, encoding, mapping)
    if (
        start.startswith(_OLE)
        and b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e" in path.read_bytes()
    ):
        raise SchemaError(
            f"{path.name}: the workbook is protected by a password; save a copy without"
        )
    try:
        workbook = CalamineWorkbook.from_path(str(path))
        names = workbook.sheet_names
        if sheet is not None and sheet not in names:
            raise SchemaError(f"{path.name}: no sheet {sheet!r}; it has {', '.join(names)}")
        grid = workbook.get_sheet_by_name(sheet or names[0]).to_python(skip_empty_area=False)
    except CalamineError as error:
        problem = str(error).lower()
        if "password" in problem:
            raise SchemaError(
                f"{path.name}: the workbook is protected by a password; save a copy without"
            ) from error
        raise SchemaError(f"{path.name}: not readable as a workbook: {error}") from error
    return _grid_table(path, grid, mapping)


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as handle:
        return handle.read(size)


def _open_html(path: Path, encoding: str | None, mapping: CaseMapping | None) -> TableFile:
    """Read an HTML page that a web platform saved as .xls."""
    from lxml import html  # noqa: PLC0415 - a rare path

    content = path.read_bytes()
    chosen = encoding or detect_encoding(path)
    text = content.decode(chosen, errors="replace")
    if "<table" not in text.lower():
        raise SchemaError(f"{path.name}: neither a workbook nor an HTML table saved as .xls")
    tables = html.fromstring(text.encode("utf-8"), parser=html.HTMLParser(encoding="utf-8")).xpath(
        "//table"
    )
    largest = max(tables, key=lambda table: len(table.xpath(".//tr")))
    grid = [
        [" ".join(cell.text_content().split()) for cell in row.xpath("./td|./th")]
        for row in largest.xpath(".//tr")
    ]
    return _grid_table(path, grid, mapping)


def _grid_table(
    path: Path, grid: Sequence[Sequence[object]], mapping: CaseMapping | None
) -> TableFile:
    if not any(any(_cell(value) for value in row) for row in grid):
        raise SchemaError(f"{path.name}: the sheet is empty")
    at = _header_position(grid, mapping)
    width = max(len(row) for row in grid)
    headers = list(grid[at]) + [None] * (width - len(grid[at]))
    for above in reversed(grid[:at]):  # a header merged over two rows stands in the upper one
        for column, value in enumerate(above):
            if not _cell(headers[column]) and _cell(value) and at > 0 and _spans(grid, at, column):
                headers[column] = value
    names = _clean_headers([_cell(h) for h in headers], path)

    def chunks() -> Iterator[Chunk]:
        body = grid[at + 1 :]
        for start in range(0, len(body), CHUNK_ROWS):
            rows = [
                [_cell(v) for v in row[: len(names)]] + [""] * (len(names) - len(row))
                for row in body[start : start + CHUNK_ROWS]
            ]
            frame = pd.DataFrame(rows, columns=list(names), dtype=str)
            frame.index = pd.RangeIndex(start + 1, start + 1 + len(rows))
            yield Chunk(frame[(frame != "").any(axis=1)])

    return TableFile(path.name, names, chunks)


def _spans(grid: Sequence[Sequence[object]], at: int, column: int) -> bool:
    """Tell whether a column holds data below the header."""
    return any(column < len(row) and _cell(row[column]) for row in grid[at + 1 : at + 50])


def _header_position(grid: Sequence[Sequence[object]], mapping: CaseMapping | None) -> int:
    """Return the row that holds most of the mapping's headers; titles above it are skipped."""
    if mapping is not None and mapping.header_row is not None:
        return max(0, min(mapping.header_row - 1, len(grid) - 1))
    known = mapping.headers if mapping is not None else frozenset[str]()
    scores = [
        (sum(_cell(value) in known for value in row), sum(bool(_cell(value)) for value in row))
        for row in grid[:HEADER_SEARCH]
    ]
    return max(range(len(scores)), key=lambda i: (*scores[i], -i)) if known else max(
        range(len(scores)), key=lambda i: (scores[i][1], -i)
    )  # fmt: skip


def _cell(value: object) -> str:
    """Return a workbook cell as text; whole numbers without a decimal point."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:  # noqa: PLR2004
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).strip()


# ---------------------------------------------------------------------- vector


def _open_vector(path: Path, crs: str | None) -> TableFile:
    try:
        frame = gpd.read_file(path, engine="pyogrio")
    except Exception as error:  # pyogrio raises many kinds
        raise SchemaError(
            f"{path.name}: not readable as a vector file: {str(error)[:200]}"
        ) from error
    return _frame_table(path, frame, crs)


def _open_parquet(path: Path, crs: str | None) -> TableFile:
    try:
        schema = pq.read_schema(path)
    except pa.ArrowInvalid as error:
        raise SchemaError(f"{path.name}: not readable as parquet") from error
    if b"geo" in (schema.metadata or {}):
        return _frame_table(path, gpd.read_parquet(path), crs)
    headers = tuple(schema.names)

    def chunks() -> Iterator[Chunk]:
        start = 1
        for batch in pq.ParquetFile(path).iter_batches(CHUNK_ROWS):
            frame = _texts(batch.to_pandas())
            frame.index = pd.RangeIndex(start, start + len(frame))
            start += len(frame)
            yield Chunk(frame)

    return TableFile(path.name, headers, chunks)


def _frame_table(path: Path, frame: gpd.GeoDataFrame, crs: str | None) -> TableFile:
    if frame.empty:
        raise SchemaError(f"{path.name}: the file holds no feature")
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    shapes = frame.geometry.to_numpy()
    kinds = {kind for kind in frame.geom_type.dropna().unique() if kind != "Point"}
    if kinds:
        raise SchemaError(f"{path.name}: geometry {', '.join(sorted(kinds))}; cases are points")
    _check_file_crs(path, frame, crs)
    present = [shape is not None and not shape.is_empty for shape in shapes]
    table[X_COLUMN] = [
        repr(shapely.get_x(s)) if ok else "" for s, ok in zip(shapes, present, strict=True)
    ]
    table[Y_COLUMN] = [
        repr(shapely.get_y(s)) if ok else "" for s, ok in zip(shapes, present, strict=True)
    ]
    table[X_COLUMN] = [v.removeprefix("np.float64(").removesuffix(")") for v in table[X_COLUMN]]
    table[Y_COLUMN] = [v.removeprefix("np.float64(").removesuffix(")") for v in table[Y_COLUMN]]
    texts = _texts(table)
    texts.index = pd.RangeIndex(1, len(texts) + 1)

    def chunks() -> Iterator[Chunk]:
        for start in range(0, len(texts), CHUNK_ROWS):
            yield Chunk(texts.iloc[start : start + CHUNK_ROWS])

    return TableFile(path.name, tuple(map(str, texts.columns)), chunks)


def _check_file_crs(path: Path, frame: gpd.GeoDataFrame, crs: str | None) -> None:
    if crs is None or frame.crs is None:
        return
    word, own = parse_crs(crs), frame.crs.to_epsg()
    allowed = {"wgs84": {4326, 4490}, "cgcs2000": {4326, 4490}, "gcj02": {4326, 4490},
               "bd09": {4326, 4490}}.get(word)  # fmt: skip
    allowed = {int(word.removeprefix("EPSG:"))} if allowed is None else allowed
    if own not in allowed and not (frame.crs.is_geographic and 4326 in allowed and own is None):  # noqa: PLR2004
        raise CrsError(
            f"{path.name}: the file says EPSG:{own}, --crs says {word}: declare the CRS the numbers "
            "are really in"
        )


def _texts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return every column as text, missing as empty."""
    return pd.DataFrame(
        {str(name): [_plain(value) for value in column] for name, column in frame.items()},
        dtype=str,
    )


def _plain(value: object) -> str:
    if value is None or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN
        return ""
    return _cell(value)
