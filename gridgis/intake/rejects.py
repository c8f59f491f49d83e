"""
Rejected rows, kept where a person can mend them (退回行).

Reason and original row stand side by side. The mended file imports again as it is: the columns
about the reason are known and left out.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Self

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from gridgis.errors import InputError, LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

XLSX_ROWS = 1_048_575
XLSX_CHARACTERS = 32_767
SHOWN_CHARACTERS = 200
FORMULA = r"'*[=+\-@\t\r＝＋－＠]"
"""How a text begins that a spreadsheet takes for a formula, or that was protected from it."""
_FORMULA = re.compile(FORMULA)
_NUMBER = re.compile(r"[+-][0-9.]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


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
    Collect rejects in a temporary file; `finish` makes the file for people of them.

    Parameters
    ----------
    path : Path
        `.xlsx` or `.csv`. It is not made without a reject, nor when the import fails.
    headers : sequence of str
        Headers of the reasons, then those of the original file.
    """

    def __init__(self, path: Path, headers: Sequence[str]) -> None:
        if path.suffix.lower() not in {".xlsx", ".csv"}:
            raise InputError(f"rejects file {path.name!r}: use .xlsx or .csv")
        self.path = path
        self.count = 0
        self._headers = list(headers)
        self._spool: IO[str] = tempfile.TemporaryFile(  # noqa: SIM115 - closed by __exit__
            "w+", encoding="utf-8", prefix="gridgis-"
        )

    def write(self, reject: Reject, original: Sequence[str]) -> None:
        """Add one rejected row."""
        reason = (str(reject.row_no), reject.column, reject.value, reject.rule, reject.remedy)
        self._spool.write(json.dumps([*reason, *original], ensure_ascii=False) + "\n")
        self.count += 1

    def finish(self) -> Path | None:
        """
        Write the file, whole or not at all, and return its path; None without a reject.

        Raises
        ------
        InputError
            If the folder cannot be written to.
        LimitExceeded
            If an xlsx sheet cannot hold so many rows.
        """
        if self.count == 0:
            return None
        part = self.path.with_name(f"{self.path.name}.part")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                save = self._save_csv if self.path.suffix.lower() == ".csv" else self._save_xlsx
                save(part)
                part.replace(self.path)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise InputError(
                f"rejects file {self.path}: cannot be written ({error.strerror}); name another "
                "place with --rejects. Nothing was stored"
            ) from error
        return self.path

    def _save_csv(self, path: Path) -> None:
        with path.open("w", encoding="utf-8-sig", newline="") as handle:
            writer = csv.writer(handle)
            writer.writerow(self._headers)
            writer.writerows([protected(value) for value in row] for row in self._spooled())

    def _save_xlsx(self, path: Path) -> None:
        if self.count > XLSX_ROWS:
            raise LimitExceeded(
                f"{self.count:,} rejected rows, a sheet holds {XLSX_ROWS:,}: name a .csv file with "
                "--rejects. Nothing was stored"
            )
        book = Workbook(write_only=True)
        sheet = book.create_sheet("rejects")
        for row in (self._headers, *self._spooled()):
            cells = [
                WriteOnlyCell(sheet, value=printable(value)[:XLSX_CHARACTERS]) for value in row
            ]
            for cell in cells:
                cell.data_type = "s"  # never a formula, never a rounded number
            sheet.append(cells)
        book.save(path)

    def _spooled(self) -> Iterator[list[str]]:
        self._spool.seek(0)
        return map(json.loads, self._spool)

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Forget what was collected."""
        self._spool.close()


def free_path(path: Path) -> Path:
    """Return the path, or the next one with a number: a file under repair is not written over."""
    taken = [path, *(path.with_stem(f"{path.stem}-{n}") for n in range(2, 1000))]
    return next(candidate for candidate in taken if not candidate.exists())


def shown_value(value: str) -> str:
    """Return a rejected value as people and the database can take it: short, without NUL."""
    return value[:SHOWN_CHARACTERS].replace("\0", "␀")


def protected(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula; `returned.restored` undoes it."""
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value


def printable(value: str) -> str:
    """Return a text without control characters that a workbook cannot hold."""
    return _UNPRINTABLE.sub("", value)
