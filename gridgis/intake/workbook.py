"""
Workbooks to text tables: xlsx, xls, and HTML pages that platforms save as .xls (电子表格).

A sheet is read once and kept as texts. Titles above the header and headers merged over two rows
are understood; dates come as ISO texts, whole numbers without a decimal point.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from lxml import html
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from gridgis.errors import SchemaError
from gridgis.intake.headers import HEADER_SEARCH, find_header, unnamed
from gridgis.intake.tables import CHUNK_ROWS, Chunk, TableFile, number_text
from gridgis.intake.textfile import open_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from pathlib import Path

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")

Row = list[str]


def open_workbook(
    path: Path, *, sheet: str | None, wanted: Collection[str], header_row: int | None
) -> TableFile:
    """
    Open one sheet of an xlsx or xls workbook; the first one if none is named (打开工作簿).

    Raises
    ------
    SchemaError
        If the workbook is protected by a password, damaged, or lacks the sheet; if it is empty.
    """
    if _encrypted(path):
        raise _protected(path)
    with _readable(path), CalamineWorkbook.from_path(path) as workbook:
        name = _sheet_name(path, workbook.sheet_names, sheet)
        grid = workbook.get_sheet_by_name(name)
        rows = ([_cell(value) for value in row] for row in grid.iter_rows())
        return _table(path, rows, wanted=wanted, header_row=header_row)


def open_html(
    path: Path,
    *,
    encoding: str | None,
    language: str,
    wanted: Collection[str],
    header_row: int | None,
) -> TableFile:
    """
    Open the largest table of an HTML page (打开 HTML 表格).

    Raises
    ------
    SchemaError
        If the page holds no table.
    """
    with open_text(path, encoding, language=language).open() as handle:
        page = html.parse(handle, parser=html.HTMLParser(encoding="utf-8", huge_tree=True))
    tables = [] if page.getroot() is None else page.getroot().xpath("//table")
    rows = max((_html_rows(table) for table in tables), key=len, default=[])
    if not rows:
        raise SchemaError(f"{path.name}: an HTML page without a table; export it as .xlsx or .csv")
    return _table(path, rows, wanted=wanted, header_row=header_row)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Turn what the reader says of a damaged workbook into our error."""
    try:
        yield
    except PasswordError as error:
        raise _protected(path) from error
    except BaseException as error:
        # The reader is Rust: on some damaged xls files it panics, which is no Exception.
        if not isinstance(error, CalamineError) and type(error).__name__ != "PanicException":
            raise
        raise SchemaError(
            f"{path.name}: not readable as a workbook ({str(error)[:120]}): it is damaged or of "
            "another format; open it in the program it comes from and save it as .xlsx again"
        ) from error


def _encrypted(path: Path) -> bool:
    """Tell whether an xlsx file is wrapped in an encrypted container."""
    with path.open("rb") as handle:
        return handle.read(len(OLE)) == OLE and _ENCRYPTED in handle.read()


def _protected(path: Path) -> SchemaError:
    return SchemaError(
        f"{path.name}: the workbook is protected by a password: open it, remove the password and "
        "save a copy"
    )


def _sheet_name(path: Path, names: Sequence[str], sheet: str | None) -> str:
    if sheet is None and names:
        return names[0]
    if sheet in names:
        return str(sheet)
    raise SchemaError(f"{path.name}: no sheet {sheet!r}; it has {', '.join(names) or 'none'}")


def _table(
    path: Path, rows: Iterable[Row], *, wanted: Collection[str], header_row: int | None
) -> TableFile:
    """Read all rows; the header is among the first."""
    following = iter(rows)
    head = list(islice(following, max(HEADER_SEARCH, header_row or 0)))
    header = find_header(head, wanted=wanted, header_row=header_row, file=path.name)
    body = chain(head[header.rows :], following)
    blocks = list(_blocks(body))
    width = max(map(len, blocks), default=0)
    names = header.names + tuple(unnamed(n) for n in range(len(header.names) + 1, width + 1))
    tables = [_padded(names, columns) for columns in blocks]
    return TableFile(path.name, names, _Sheet(tables).chunks)


def _blocks(rows: Iterator[Row]) -> Iterator[list[pa.Array]]:
    """Yield the columns of the next rows, as many as the longest of them has."""
    while block := list(islice(rows, CHUNK_ROWS)):
        columns = zip_longest(*block, fillvalue="")
        yield [pa.array(column, type=pa.string()) for column in columns]


def _padded(names: Sequence[str], columns: list[pa.Array]) -> pa.Table:
    rows = len(columns[0]) if columns else 0
    missing = [pa.array([""] * rows, type=pa.string())] * (len(names) - len(columns))
    return pa.Table.from_arrays([*columns, *missing], names=list(names))


@dataclass(frozen=True, slots=True)
class _Sheet:
    tables: list[pa.Table]

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        first = 1
        for table in self.tables:
            numbers = np.arange(first, first + table.num_rows, dtype=np.int64)
            first += table.num_rows
            yield Chunk(numbers, table.select(list(columns)))


def _cell(value: object) -> str:
    """Return a cell as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float | int):
        return number_text(float(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time):
        return value.isoformat()
    return "" if value is None else str(value)


def _html_rows(table: html.HtmlElement) -> list[Row]:
    """Return a table's own rows; a merged cell has its text in its first place."""
    rows: list[Row] = []
    below: dict[int, int] = {}
    """Column to the number of rows that a cell above still reaches into."""
    for line in table.xpath("./tr|./thead/tr|./tbody/tr|./tfoot/tr"):
        row: Row = []
        for cell in line.xpath("./td|./th"):
            _skip_covered(row, below)
            wide, high = _span(cell, "colspan"), _span(cell, "rowspan")
            below.update({len(row) + at: high - 1 for at in range(wide) if high > 1})
            row += [" ".join(cell.text_content().split()), *[""] * (wide - 1)]
        _skip_covered(row, below)
        rows.append(row)
    return rows


def _skip_covered(row: Row, below: dict[int, int]) -> None:
    """Leave the places free that a cell of a row above covers."""
    while below.get(len(row), 0) > 0:
        below[len(row)] -= 1
        row.append("")


def _span(cell: html.HtmlElement, name: str) -> int:
    given = str(cell.get(name, "1")).strip()
    return min(max(int(given), 1), 1000) if given.isdigit() else 1
