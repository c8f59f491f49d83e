"""
Text tables as a stream: csv and its relatives, plain or gzipped (分隔文本).

A file that is not plain UTF-8 is turned into a temporary UTF-8 copy first, so that memory stays
flat and every later pass is fast. Values stay texts; rows with too many or too few columns are
set aside, not fatal.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import tempfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from gridgis.errors import SchemaError
from gridgis.intake.headers import HEADER_SEARCH, Header, find_header
from gridgis.intake.tables import Chunk, Ragged, TableFile

BLOCK_BYTES = 8 << 20
_SCAN_BYTES = 1 << 20
_HEAD_BYTES = 256 * 1024
_SURE_CHARACTERS = 20
"""So many multi-byte UTF-8 characters in a row are no accident of another encoding."""
_DELIMITERS = ",\t;|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip


def open_delimited(
    path: Path, *, encoding: str | None, wanted: Collection[str], header_row: int | None
) -> TableFile:
    """
    Open a text table; the delimiter is found from the header.

    Raises
    ------
    SchemaError
        If the file is empty, not text in the encoding, or has no header.
    """
    text = _utf8_copy(path, encoding)
    with text.open() as handle:
        head = handle.read(_HEAD_BYTES)
    if not head.strip():
        raise SchemaError(f"{path.name}: the file is empty: there is no header row")
    delimiter = _delimiter(head, wanted)
    header, start = _header(head, delimiter, wanted, header_row, path.name)
    table = _Delimited(path.name, text, delimiter, header.names, start)
    return TableFile(path.name, header.names, table.chunks, text.encoding, has_nul=text.has_nul)


@dataclass(slots=True)
class _Text:
    """A readable UTF-8 file: the original, or a temporary copy."""

    path: Path
    encoding: str
    skip: int = 0
    has_nul: bool = False
    copy: IO[bytes] | None = None

    def open(self) -> IO[bytes]:
        handle: IO[bytes] = Path(self.copy.name if self.copy else self.path).open("rb")
        handle.seek(self.skip)
        return handle


# ------------------------------------------------------------------- encoding


def _utf8_copy(path: Path, declared: str | None) -> _Text:
    source, raw = path, None
    with path.open("rb") as handle:
        if handle.read(2) == b"\x1f\x8b":
            raw = _gunzip(path)
            source = Path(raw.name)
    encoding, skip, has_nul = _examine(source, declared, path.name)
    if encoding == "utf-8":
        return _Text(source, encoding, skip, has_nul, raw)
    copy = _recode(source, encoding, path.name)
    return _Text(path, encoding, 0, has_nul, copy)


def _gunzip(path: Path) -> IO[bytes]:
    copy = tempfile.NamedTemporaryFile(prefix="gridgis-", suffix=".txt")  # noqa: SIM115 - kept
    try:
        with gzip.open(path, "rb") as packed:
            while block := packed.read(_SCAN_BYTES):
                copy.write(block)
    except (OSError, EOFError, zlib.error) as error:
        copy.close()
        raise SchemaError(f"{path.name}: damaged gzip file ({error}); fetch it again") from error
    copy.flush()
    return copy  # type: ignore[return-value]


def _examine(path: Path, declared: str | None, name: str) -> tuple[str, int, bool]:
    """Return encoding, bytes to skip (a byte order mark) and whether there are NUL bytes."""
    with path.open("rb") as handle:
        start = handle.read(4)
    bom = next(((mark, word) for mark, word in _BOMS if start.startswith(mark)), None)
    chosen = _canonical(declared) if declared else None
    if chosen in {None, "utf-8"} and bom is not None:
        chosen = bom[1]
    skip = len(bom[0]) if bom is not None and chosen == "utf-8" else 0
    if chosen is not None and chosen != "utf-8":
        return chosen, 0, False
    scan = _scan_utf8(path)
    if scan.fault is None:
        return "utf-8", skip, scan.has_nul
    if chosen == "utf-8" or scan.characters >= _SURE_CHARACTERS:
        raise SchemaError(
            f"{name}: line {scan.line} is not UTF-8 text (byte {scan.fault}): save the file as "
            "UTF-8 again, or declare its encoding with --encoding gb18030"
        )
    return "gb18030", 0, scan.has_nul


def _canonical(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise SchemaError(f"encoding {encoding!r}: unknown; use utf-8 or gb18030") from error
    if name in {"utf-8", "utf-8-sig", "ascii"}:
        return "utf-8"
    return "gb18030" if name in {"gb2312", "gbk", "cp936"} else name


@dataclass(slots=True)
class _Scan:
    fault: int | None = None
    line: int = 1
    characters: int = 0
    """Multi-byte characters before the fault."""
    has_nul: bool = False


def _scan_utf8(path: Path) -> _Scan:
    """Decode the whole file once, in blocks."""
    scan, decoder, offset = _Scan(), codecs.getincrementaldecoder("utf-8")(), 0
    with path.open("rb") as handle:
        while True:
            block = handle.read(_SCAN_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode("utf-8")
                scan.fault = offset - pending + error.start
                scan.line += good.count("\n")
                scan.characters += sum(character >= "\u0800" for character in good)
                return scan
            if not block:
                return scan
            offset += len(block)
            scan.line += block.count(b"\n")
            scan.characters += 0 if text.isascii() else (len(block) - len(text)) // 2
            scan.has_nul = scan.has_nul or b"\0" in block


def _recode(path: Path, encoding: str, name: str) -> IO[bytes]:
    copy = tempfile.NamedTemporaryFile(prefix="gridgis-", suffix=".txt")  # noqa: SIM115 - kept
    decoder, line = codecs.getincrementaldecoder(encoding)(), 1
    with path.open("rb") as handle:
        while True:
            block = handle.read(_SCAN_BYTES)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                copy.close()
                line += error.object[: error.start].count(b"\n")
                raise SchemaError(
                    f"{name}: line {line} is neither UTF-8 nor {encoding} text: declare the "
                    "encoding with --encoding, or save the file as UTF-8"
                ) from error
            line += text.count("\n")
            copy.write(text.encode())
            if not block:
                break
    copy.flush()
    return copy  # type: ignore[return-value]


# --------------------------------------------------------------------- header


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
            yield line.replace("\0", "")

    rows: list[tuple[list[str], int]] = []
    try:
        for row in csv.reader(lines(), delimiter=delimiter):
            rows.append((row, consumed))
            if len(rows) > HEADER_SEARCH:
                break
    except csv.Error:
        pass
    return rows


def _header(
    head: bytes, delimiter: str, wanted: Collection[str], header_row: int | None, name: str
) -> tuple[Header, int]:
    rows = _head_rows(head, delimiter)
    header = find_header([r for r, _ in rows], wanted=wanted, header_row=header_row, file=name)
    width = max(len(rows[header.rows - 1][0]), len(header.names))
    names = [*header.names]
    names += [f"列{position}" for position in range(len(names) + 1, width + 1)]
    return Header(tuple(names), header.rows), rows[header.rows - 1][1]


# ----------------------------------------------------------------------- rows


@dataclass(slots=True)
class _Delimited:
    name: str
    text: _Text
    delimiter: str
    headers: tuple[str, ...]
    start: int
    _ragged: list[Ragged] = field(default_factory=list)

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        with self.text.open() as handle:
            handle.seek(self.text.skip + self.start)
            if not handle.read(1):
                return
            handle.seek(self.text.skip + self.start)
            try:
                yield from self._read(handle, columns)
            except pa.ArrowInvalid as error:
                raise self._unreadable(str(error)) from error

    def _read(self, handle: IO[bytes], columns: Sequence[str]) -> Iterator[Chunk]:
        waiting: list[Ragged] = []
        reader = pacsv.open_csv(
            handle,
            read_options=pacsv.ReadOptions(
                use_threads=False, column_names=list(self.headers), block_size=BLOCK_BYTES
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, ignore_empty_lines=False,
                invalid_row_handler=lambda row: self._set_aside(row, waiting),
            ),
            convert_options=pacsv.ConvertOptions(
                include_columns=list(columns), strings_can_be_null=False, check_utf8=False,
                column_types=dict.fromkeys(columns, pa.string()),
            ),
        )  # fmt: skip
        next_number = 1
        for batch in reader:
            taken = tuple(waiting)
            waiting.clear()
            numbers = _numbers(batch.num_rows, next_number, [row.number for row in taken])
            next_number = max(
                int(numbers[-1]) if len(numbers) else 0, taken[-1].number if taken else 0,
                next_number - 1,
            ) + 1  # fmt: skip
            table = pa.Table.from_batches([batch])
            yield Chunk(numbers, table, tuple(row for row in taken if row.text.strip()))
        if waiting:
            yield Chunk(np.empty(0, dtype=np.int64), _empty(columns), tuple(waiting))

    def _set_aside(self, row: pacsv.InvalidRow, waiting: list[Ragged]) -> str:
        text = str(row.text)
        if text.count('"') % 2 and "\n" in text:
            raise self._unclosed(int(row.number))
        try:
            fields = next(csv.reader([text], delimiter=self.delimiter), [])
        except csv.Error:
            fields = text.split(self.delimiter)
        waiting.append(Ragged(int(row.number), text, tuple(fields)))
        return "skip"

    def _unclosed(self, number: int) -> SchemaError:
        return SchemaError(
            f"{self.name}: a quotation mark opened in data row {number} is never closed, so the "
            "rows below cannot be told apart: close or remove it"
        )

    def _unreadable(self, problem: str) -> SchemaError:
        if "straddl" in problem or "out of sync" in problem:
            return SchemaError(
                f"{self.name}: a quotation mark is never closed (a value of more than "
                f"{BLOCK_BYTES >> 20} MB): close or remove it"
            )
        return SchemaError(f"{self.name}: not readable as a table: {problem[:200]}")


def _numbers(
    count: int, start: int, skipped: Sequence[int]
) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the next row numbers, leaving out those of ragged rows."""
    numbers = np.arange(start, start + count + len(skipped), dtype=np.int64)
    return numbers[~np.isin(numbers, skipped)][:count] if skipped else numbers


def _empty(columns: Sequence[str]) -> pa.Table:
    return pa.table({name: pa.array([], type=pa.string()) for name in columns})
