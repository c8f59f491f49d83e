"""Files of records to batches of accepted rows and rejects (文件读取)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.intake.columns import blank_rows, mask, trimmed
from gridgis.intake.mapping import resolve_columns
from gridgis.intake.reader import open_table
from gridgis.intake.records import RecordValidator
from gridgis.intake.rejects import Reject, shown_value
from gridgis.intake.returned import restored, unprotected
from gridgis.intake.rules import reason_columns, remedy
from gridgis.intake.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gridgis.intake.mapping import CaseMapping
    from gridgis.intake.tables import Chunk
    from gridgis.model.profile import CityProfile


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file: accepted + rejected = rows_in."""

    rows: pa.Table
    """Accepted; a wide row of events is several of these."""
    rejects: list[Reject]
    originals: list[list[str]]
    """The original values of each rejected row, under the file's headers."""
    rows_in: int


class Checker(Protocol):
    """Checks the rows of one kind of records."""

    def check(self, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
        """Return the accepted rows and the rejects, one a row, in file order."""


class OpenFile:
    """
    A file matched with a mapping (已打开的文件).

    Raises
    ------
    SchemaError
        If the file is unusable or lacks a mapped column.
    """

    def __init__(
        self,
        path: Path,
        *,
        mapping: CaseMapping,
        profile: CityProfile,
        sheet: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self.table = open_table(
            path,
            wanted=mapping.headers,
            sheet=sheet or mapping.sheet,
            encoding=encoding or mapping.encoding,
            header_row=mapping.header_row,
            language=profile.language,
        )
        self.columns = resolve_columns(mapping, self.table)
        given = self.table.headers
        self._reasons = reason_columns(given)
        self.headers = given[self._reasons :]
        self._own = mapping.lenient
        self._language = profile.language

    def batches(self, checker: Checker) -> Iterator[Batch]:
        """Walk the file; memory stays flat."""
        for chunk in self.table.chunks(self.headers):
            yield self._batch(self._prepared(chunk), checker)

    def originals(self, numbers: set[int]) -> Iterator[tuple[int, list[str]]]:
        """Walk the file again and yield the rows of some numbers, as they are."""
        for chunk in self.table.chunks(self.headers):
            prepared = self._prepared(chunk)
            at = np.flatnonzero(np.isin(prepared.numbers, list(numbers)))
            yield from zip(prepared.numbers[at].tolist(), _rows(prepared, at), strict=True)

    def _prepared(self, chunk: Chunk) -> Chunk:
        """Leave out blank rows, and what a rejects file that comes back has on top."""
        if self._reasons:
            chunk = restored(chunk)
        elif self._own:
            chunk = unprotected(chunk)
        first = chunk.table[next(iter(self.columns.values()))]
        blank = blank_rows(chunk.table, mask(pc.equal(trimmed(first), "")))
        if not blank.any():
            return chunk
        kept = chunk.table.filter(pa.array(~blank))
        return replace(chunk, numbers=chunk.numbers[~blank], table=kept)

    def _batch(self, chunk: Chunk, checker: Checker) -> Batch:
        rows, rejects = checker.check(chunk)
        at = np.searchsorted(chunk.numbers, [reject.row_no for reject in rejects])
        originals = _rows(chunk, at)
        for row in chunk.ragged:
            text = remedy(
                "ragged_row",
                self._language,
                found=len(row.fields),
                expected=len(self.table.headers),
            )
            rejects.append(Reject(row.number, "", shown_value(row.text), "ragged_row", text))
            fields = list(row.fields)[self._reasons :]
            originals.append(fields + [""] * (len(self.headers) - len(fields)))
        return Batch(rows, rejects, originals, len(chunk.numbers) + len(chunk.ragged))


class RecordFile:
    """
    One file of events, tasks, complaints, call-backs, whistles or checks (台账文件).

    Raises
    ------
    SchemaError
        If the file is unusable or lacks a mapped column.
    """

    def __init__(
        self,
        path: Path,
        *,
        mapping: CaseMapping,
        profile: CityProfile,
        sheet: str | None = None,
        encoding: str | None = None,
    ) -> None:
        self.file = OpenFile(path, mapping=mapping, profile=profile, sheet=sheet, encoding=encoding)
        name, header = next(iter(self.file.columns.items()))
        self.rows, _ = survey(self.file.table, {name: header}, constant_source="")
        self._validator = RecordValidator(profile, mapping, self.file.columns)

    def batches(self) -> Iterator[Batch]:
        """Walk the file; memory stays flat."""
        return self.file.batches(self._validator)


def _rows(chunk: Chunk, at: np.ndarray) -> list[list[str]]:
    columns = [column.to_pylist() for column in chunk.table.take(pa.array(at)).columns]
    return [list(row) for row in zip(*columns, strict=True)]
