"""Files of cases to batches of accepted rows and rejects (案件文件读取)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.errors import SchemaError
from gridgis.intake.points import decimals
from gridgis.intake.reader import Chunk, TableFile, open_table
from gridgis.intake.rejects import Reject
from gridgis.intake.validate import Validator, plain_text, require_crs_given

if TYPE_CHECKING:
    import pyarrow as pa

    from gridgis.intake.mapping import CaseMapping
    from gridgis.model.profile import CityProfile


@dataclass(frozen=True, slots=True)
class CaseBatch:
    """Some rows of a file: accepted + rejected = rows_in."""

    rows: pa.Table
    rejects: list[Reject]
    originals: list[list[str]]
    """The original values of each rejected row, in file order of columns."""
    rows_in: int


class CaseFile:
    """
    One file of cases, opened and matched with a mapping (案件文件).

    Raises
    ------
    CrsError
        If no CRS is declared.
    SchemaError
        If the file is unusable or lacks a mapped column.
    """

    def __init__(
        self, path: Path, *, mapping: CaseMapping, profile: CityProfile, crs: str | None,
        sheet: str | None = None, encoding: str | None = None,
    ) -> None:  # fmt: skip
        self.crs = require_crs_given(crs, mapping)
        self.table: TableFile = open_table(
            path, mapping=mapping, sheet=sheet, encoding=encoding, crs=self.crs
        )
        self._columns = mapping.resolve(self.table.headers, path.name)
        self._validator = Validator(
            profile, mapping, self._columns, self.crs, self._group_decimals()
        )

    @property
    def headers(self) -> tuple[str, ...]:
        """Headers of the file."""
        return self.table.headers

    @property
    def unknown_regions(self) -> dict[str, int]:
        """Stated regions that the profile does not know, with their number of rows."""
        return self._validator.unknown_regions

    def batches(self) -> Iterator[CaseBatch]:
        """Walk the file once; memory stays flat."""
        total = 0
        for chunk in self.table.chunks():
            total += len(chunk.rows) + len(chunk.ragged)
            yield self._batch(chunk)
        if total == 0:
            raise SchemaError(f"{self.table.name}: the file has a header but no row")

    def _batch(self, chunk: Chunk) -> CaseBatch:
        rows, rejects = self._validator.check(chunk.rows)
        numbers = [reject.row_no for reject in rejects]
        originals = chunk.rows.loc[numbers].to_numpy().tolist() if numbers else []
        for number, text in chunk.ragged:
            rejects.append(Reject(number, "", text[:200], "ragged_row",
                                  f"该行列数与表头（{len(self.headers)} 列）不符：检查多余的分隔符或引号"))  # fmt: skip
            originals.append([text])
        return CaseBatch(rows, rejects, originals, len(chunk.rows) + len(chunk.ragged))

    def _group_decimals(self) -> dict[str, int]:
        """First pass: the last decimal place each source uses in this file."""
        if "x" not in self._columns:
            return {}
        found: dict[str, int] = {}
        source = self._columns.get("source")
        for chunk in self.table.chunks():
            rows = chunk.rows
            places = np.maximum(
                decimals(plain_text(rows[self._columns["x"]].fillna(""))),
                decimals(plain_text(rows[self._columns["y"]].fillna(""))),
            )
            groups = (
                rows[source].fillna("").str.strip() if source else pd.Series("", index=rows.index)
            )
            for name, most in pd.Series(places).groupby(groups.to_numpy()).max().items():
                found[str(name)] = max(found.get(str(name), 0), int(most))
        return found
