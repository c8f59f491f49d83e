"""Files of cases to batches of accepted rows and rejects (案件文件读取)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.crs import parse_crs, require_declared
from gridgis.errors import CrsError
from gridgis.intake.columns import blank_rows, mask, trimmed
from gridgis.intake.mapping import GEOMETRY_HEADERS, resolve_columns
from gridgis.intake.reader import open_table
from gridgis.intake.rejects import Reject, shown_value
from gridgis.intake.returned import restored
from gridgis.intake.rules import reason_columns, remedy
from gridgis.intake.survey import survey
from gridgis.intake.validate import Validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gridgis.intake.mapping import CaseMapping
    from gridgis.intake.tables import Chunk
    from gridgis.model.profile import CityProfile


@dataclass(frozen=True, slots=True)
class CaseBatch:
    """Some rows of a file: accepted + rejected = rows_in."""

    rows: pa.Table
    rejects: list[Reject]
    originals: list[list[str]]
    """The original values of each rejected row, under the file's headers."""
    rows_in: int


class CaseFile:
    """
    One file of cases, opened, matched with a mapping and surveyed (案件文件).

    Opening walks the file once: it counts the rows and finds the decimals that each source uses,
    and what makes the whole file unusable is found before anything is stored.

    Raises
    ------
    CrsError
        If the file has coordinates and no CRS is declared, or states another one.
    SchemaError
        If the file is unusable or lacks a mapped column.
    """

    def __init__(
        self,
        path: Path,
        *,
        mapping: CaseMapping,
        profile: CityProfile,
        crs: str | None,
        sheet: str | None = None,
        encoding: str | None = None,
    ) -> None:
        declared = None if crs is None else parse_crs(crs)
        self.table = open_table(
            path,
            wanted=mapping.headers,
            sheet=sheet or mapping.sheet,
            encoding=encoding or mapping.encoding,
            header_row=mapping.header_row,
        )
        self._columns = resolve_columns(mapping, self.table)
        self._check_crs(declared)
        self.crs = declared
        given = self.table.headers
        self._reasons = reason_columns(given)
        self.headers = given[self._reasons :]
        self.rows, places = survey(
            self.table, self._columns, constant_source=mapping.constants.get("source", "")
        )
        self._language = profile.language
        self._validator = Validator(profile, mapping, self._columns, declared, places)

    @property
    def unknown_regions(self) -> dict[str, int]:
        """Stated regions that the profile does not know, with their number of rows."""
        return self._validator.unknown_regions

    def batches(self) -> Iterator[CaseBatch]:
        """Walk the file; memory stays flat."""
        for chunk in self.table.chunks(self.headers):
            yield self._batch(self._prepared(chunk))

    def _check_crs(self, declared: str | None) -> None:
        if "x" not in self._columns or "crs" in self._columns:
            return
        if declared is None:
            raise CrsError(
                "no CRS declared: pass --crs wgs84, cgcs2000, gcj02, bd09 or EPSG:n. It is never "
                "guessed: GCJ-02 read as WGS84 moves every point by hundreds of metres while most "
                "rows still fall into the right district. Ask whoever made the file; maps of AMap "
                "and Tencent give gcj02, Baidu bd09, GPS devices wgs84"
            )
        if self._columns["x"] == GEOMETRY_HEADERS["x"]:
            require_declared(self.table.crs, declared, file=self.table.name)

    def _prepared(self, chunk: Chunk) -> Chunk:
        """Leave out blank rows, and what a rejects file that comes back has on top."""
        if self._reasons:
            chunk = restored(chunk)
        first = chunk.table[next(iter(self._columns.values()))]
        blank = blank_rows(chunk.table, mask(pc.equal(trimmed(first), "")))
        if not blank.any():
            return chunk
        kept = chunk.table.filter(pa.array(~blank))
        return replace(chunk, numbers=chunk.numbers[~blank], table=kept)

    def _batch(self, chunk: Chunk) -> CaseBatch:
        rows, rejects = self._validator.check(chunk)
        at = np.searchsorted(chunk.numbers, [reject.row_no for reject in rejects])
        columns = [column.to_pylist() for column in chunk.table.take(pa.array(at)).columns]
        originals = [list(row) for row in zip(*columns, strict=True)]
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
        return CaseBatch(rows, rejects, originals, len(chunk.numbers) + len(chunk.ragged))
