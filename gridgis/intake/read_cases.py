"""Files of cases: coordinates, their CRS, and how fine they are (案件文件读取)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.crs import parse_crs, require_declared
from gridgis.errors import CrsError
from gridgis.intake.mapping import GEOMETRY_HEADERS
from gridgis.intake.read_records import OpenFile
from gridgis.intake.survey import survey
from gridgis.intake.validate import Validator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gridgis.intake.mapping import CaseMapping
    from gridgis.intake.read_records import Batch
    from gridgis.model.profile import CityProfile


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
        self.file = OpenFile(path, mapping=mapping, profile=profile, sheet=sheet, encoding=encoding)
        self._check_crs(declared)
        self.crs = declared
        columns = self.file.columns
        self.rows, places = survey(
            self.file.table, columns, constant_source=mapping.constants.get("source", "")
        )
        self._validator = Validator(profile, mapping, columns, declared, places)

    @property
    def unknown_regions(self) -> dict[str, int]:
        """Stated regions that the profile does not know, with their number of rows."""
        return self._validator.unknown_regions

    def batches(self) -> Iterator[Batch]:
        """Walk the file; memory stays flat."""
        return self.file.batches(self._validator)

    def _check_crs(self, declared: str | None) -> None:
        if "x" not in self.file.columns or "crs" in self.file.columns:
            return
        if declared is None:
            raise CrsError(
                "no CRS declared: pass --crs wgs84, cgcs2000, gcj02, bd09 or EPSG:n. It is never "
                "guessed: GCJ-02 read as WGS84 moves every point by hundreds of metres while most "
                "rows still fall into the right district. Ask whoever made the file; maps of AMap "
                "and Tencent give gcj02, Baidu bd09, GPS devices wgs84"
            )
        if self.file.columns["x"] == GEOMETRY_HEADERS["x"]:
            require_declared(self.file.table.crs, declared, file=self.file.table.name)
