"""Rejected rows, kept where a person can mend them (退回行)."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from gridgis.errors import InputError

REJECT_HEADERS = ("行号", "列", "值", "规则", "处理办法")
XLSX_ROWS = 1_048_575
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


@dataclass(frozen=True, slots=True)
class Reject:
    """Why one row was not accepted."""

    row_no: int
    column: str
    value: str
    rule: str
    remedy: str


class RejectWriter:
    """
    Write rejects with the original row beside the reason; mended, the file imports again.

    Parameters
    ----------
    path : Path
        `.xlsx` or `.csv`; made when the first reject comes.
    headers : sequence of str
        Headers of the original file.
    """

    def __init__(self, path: Path, headers: Sequence[str]) -> None:
        if path.suffix.lower() not in {".xlsx", ".csv"}:
            raise InputError(f"rejects file {path.name!r}: use .xlsx or .csv")
        self.path = path
        self.count = 0
        self._headers = [*REJECT_HEADERS, *headers]
        self._text: IO[str] | None = None
        self._book: Workbook | None = None

    def write(self, reject: Reject, original: Sequence[str]) -> None:
        """Add one rejected row."""
        row = [
            str(reject.row_no),
            reject.column,
            reject.value,
            reject.rule,
            reject.remedy,
            *original,
        ]
        if self.count == 0:
            self._open()
        self.count += 1
        if self._text is not None:
            csv.writer(self._text).writerow([defused(value) for value in row])
        elif self.count <= XLSX_ROWS:
            self._append(row)

    def _open(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.suffix.lower() == ".csv":
            self._text = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self._text).writerow(self._headers)
            return
        self._book = Workbook(write_only=True)
        self._book.create_sheet("退回行")
        self._append(self._headers)

    def _append(self, row: Sequence[str]) -> None:
        assert self._book is not None  # noqa: S101 - opened above
        sheet = self._book.worksheets[0]
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=_printable(value))  # type: ignore[arg-type]
            cell.data_type = "s"  # never a formula, never a rounded number
            cells.append(cell)
        sheet.append(cells)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        """Finish the file; a failed import leaves none behind."""
        if self._text is not None:
            self._text.close()
            if error is not None:
                self.path.unlink(missing_ok=True)
        if self._book is not None:
            if error is None:
                self._book.save(self.path)
            else:
                self._book.close()


def defused(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_FORMULA) and not _is_number(value) else value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return value.isascii()


def _printable(value: str) -> str:
    """Drop control characters that a workbook cannot hold."""
    return "".join(c for c in value if c >= " " or c in "\t\n\r")[:32_000]
