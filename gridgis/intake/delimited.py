"""
Text tables as a stream: csv and its relatives, plain or gzipped (分隔文本).

Values stay texts; rows with too many or too few columns are set aside, not fatal. A quotation mark
that is never closed is fatal: it swallows the rows below it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from gridgis.errors import SchemaError
from gridgis.intake.headers import HEADER_SEARCH, find_header, unnamed
from gridgis.intake.tables import Chunk, Ragged, TableFile, text_table
from gridgis.intake.textfile import TextFile, open_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

BLOCK_BYTES = 4 << 20
_HEAD_BYTES = 256 * 1024
_DELIMITERS = ",\t;|"


def open_delimited(
    path: Path,
    *,
    encoding: str | None,
    language: str,
    wanted: Collection[str],
    header_row: int | None,
) -> TableFile:
    """
    Open a text table; the delimiter is found from the header (打开分隔文本).

    Raises
    ------
    SchemaError
        If the file is empty, not text in the encoding, or has no header.
    """
    text = open_text(path, encoding, language=language)
    with text.open() as handle:
        if not handle.read(_HEAD_BYTES).strip():
            raise SchemaError(f"{path.name}: the file is empty: there is no header row")
    delimiter = _delimiter(text, wanted, header_row)
    rows = _head_rows(text, delimiter, header_row)
    fields = [row.fields for row in rows]
    header = find_header(fields, wanted=wanted, header_row=header_row, file=path.name)
    last = rows[header.rows - 1]
    width = len(last.fields)
    names = header.names + tuple(unnamed(n) for n in range(len(header.names) + 1, width + 1))
    table = _Delimited(path.name, text, delimiter, names, last.end, last.lines)
    return TableFile(path.name, names, table.chunks)


def _delimiter(text: TextFile, wanted: Collection[str], header_row: int | None) -> str:
    """Return the mark that splits the first rows best: into most wanted headers, then columns."""

    def quality(mark: str) -> tuple[int, int]:
        rows = [row.fields for row in _head_rows(text, mark, header_row)]
        try:
            names = find_header(rows, wanted=wanted, header_row=header_row, file="").names
        except SchemaError:
            return 0, 0
        return len(set(names) & set(wanted)), len(names)

    return max(_DELIMITERS, key=quality)


class _HeadRow(NamedTuple):
    fields: list[str]
    end: int
    """Byte at which the row ends."""
    lines: int
    """Line feeds up to there."""


def _head_rows(text: TextFile, delimiter: str, header_row: int | None) -> list[_HeadRow]:
    """Return the first rows: enough to find the header, or as far as it is said to stand."""
    end = feeds = 0

    def lines() -> Iterator[str]:
        nonlocal end, feeds
        with text.open() as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as handle:
            while header_row or end < _HEAD_BYTES:
                line = handle.readline(_HEAD_BYTES)  # a picture has no lines to stop at
                if not line:
                    return
                end += len(line.encode())
                feeds += line.count("\n")
                yield line

    most = max(HEADER_SEARCH, header_row or 0)
    rows: list[_HeadRow] = []
    try:
        for row in islice(csv.reader(lines(), delimiter=delimiter), most):
            rows.append(_HeadRow(row, end, feeds))  # noqa: PERF401 - those before a fault count
    except csv.Error:
        pass  # a broken row below the header; the walk over all rows names it
    return rows


@dataclass(slots=True)
class _Delimited:
    name: str
    text: TextFile
    delimiter: str
    headers: tuple[str, ...]
    start: int
    """Byte of the first data row."""
    header_lines: int
    checked: bool = False

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        rows = 0
        with self._body() as handle:
            if not handle.read(1):
                return
        with self._body() as handle:
            try:
                for chunk in self._read(handle, columns):
                    rows += len(chunk.numbers) + len(chunk.ragged)
                    yield chunk
            except pa.ArrowInvalid as error:
                raise self._unreadable(str(error)) from error
        if not self.checked and rows < self.text.newlines - self.header_lines:
            self._check_quotes()
        self.checked = True

    def _body(self) -> IO[bytes]:
        handle = self.text.open()
        handle.seek(self.text.skip + self.start)
        return handle

    def _read(self, handle: IO[bytes], columns: Sequence[str]) -> Iterator[Chunk]:
        waiting: list[Ragged] = []
        reader = pacsv.open_csv(
            handle,
            read_options=pacsv.ReadOptions(
                use_threads=False, column_names=list(self.headers), block_size=BLOCK_BYTES
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=lambda row: self._set_aside(row, waiting),
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(columns),
                strings_can_be_null=False,
                check_utf8=False,
                column_types=dict.fromkeys(columns, pa.string()),
            ),
        )
        first = 1
        for batch in reader:
            numbers = _numbers(batch.num_rows, first, [row.number for row in waiting])
            first = int(numbers[-1]) + 1 if len(numbers) else first
            taken = tuple(row for row in waiting if row.number < first)
            waiting[:] = waiting[len(taken) :]
            yield Chunk(numbers, pa.Table.from_batches([batch]), taken)
        if waiting:
            empty = text_table(columns, [[] for _ in columns])
            yield Chunk(np.empty(0, dtype=np.int64), empty, tuple(waiting))

    def _set_aside(self, row: pacsv.InvalidRow, waiting: list[Ragged]) -> str:
        text = str(row.text)
        try:
            fields = next(csv.reader([text], delimiter=self.delimiter), [])
        except csv.Error:
            fields = text.split(self.delimiter)
        waiting.append(Ragged(int(row.number), text, tuple(fields)))
        return "skip"

    def _check_quotes(self) -> None:
        """Walk a file with values over several lines strictly: each must end at its quote."""
        with self._body() as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as lines:
            reader = csv.reader(lines, delimiter=self.delimiter, strict=True)
            before = 0
            while True:
                try:
                    if next(reader, None) is None:
                        return
                except csv.Error as error:
                    if reader.line_num > before + 1:
                        raise self._unclosed(self.header_lines + before + 1) from error
                before = reader.line_num

    def _unclosed(self, line: int) -> SchemaError:
        return SchemaError(
            f"{self.name}: line {line}: a quotation mark is opened and never closed, so the rows "
            "below cannot be told apart: close or remove it"
        )

    def _unreadable(self, problem: str) -> SchemaError:
        if "straddl" in problem or "out of sync" in problem:
            return SchemaError(
                f"{self.name}: a quotation mark is never closed (a value of more than "
                f"{BLOCK_BYTES >> 20} MB): close or remove it"
            )
        return SchemaError(f"{self.name}: not readable as a table: {problem[:200]}")


def _numbers(count: int, first: int, ragged: Sequence[int]) -> NDArray[np.int64]:
    """Return the numbers of the next rows, leaving out those of ragged rows among them."""
    numbers = np.arange(first, first + count + len(ragged), dtype=np.int64)
    return numbers[~np.isin(numbers, ragged)][:count]
