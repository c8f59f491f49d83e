"""
Text tables as a stream: csv and its relatives, plain or gzipped (分隔文本).

Values stay texts; rows with too many or too few columns are set aside, not fatal. A quotation mark
that is never closed is fatal: it swallows the rows below it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

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
    path: Path, *, encoding: str | None, wanted: Collection[str], header_row: int | None
) -> TableFile:
    """
    Open a text table; the delimiter is found from the header (打开分隔文本).

    Raises
    ------
    SchemaError
        If the file is empty, not text in the encoding, or has no header.
    """
    text = open_text(path, encoding)
    with text.open() as handle:
        head = handle.read(_HEAD_BYTES)
    if not head.strip():
        raise SchemaError(f"{path.name}: the file is empty: there is no header row")
    delimiter = _delimiter(head, wanted)
    rows = _head_rows(head, delimiter)
    header = find_header([r for r, _ in rows], wanted=wanted, header_row=header_row, file=path.name)
    last, start = rows[header.rows - 1]
    names = header.names + tuple(unnamed(n) for n in range(len(header.names) + 1, len(last) + 1))
    table = _Delimited(path.name, text, delimiter, names, start, head[:start].count(b"\n"))
    return TableFile(path.name, names, table.chunks)


def _delimiter(head: bytes, wanted: Collection[str]) -> str:
    """Return the mark that splits the first rows best: into most wanted headers, then columns."""

    def quality(mark: str) -> tuple[int, int]:
        rows = [row for row, _ in _head_rows(head, mark)]
        try:
            names = find_header(rows, wanted=wanted, header_row=None, file="").names
        except SchemaError:
            return 0, 0
        return len(set(names) & set(wanted)), len(names)

    return max(_DELIMITERS, key=quality)


def _head_rows(head: bytes, delimiter: str) -> list[tuple[list[str], int]]:
    """Return the first rows and the byte at which each ends."""
    text = head.decode("utf-8", errors="ignore")
    consumed = 0

    def lines() -> Iterator[str]:
        nonlocal consumed
        for line in io.StringIO(text, newline=""):
            consumed += len(line.encode())
            yield line

    rows: list[tuple[list[str], int]] = []
    try:
        for row in csv.reader(lines(), delimiter=delimiter):
            rows.append((row, consumed))
            if len(rows) > HEADER_SEARCH:
                break
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
