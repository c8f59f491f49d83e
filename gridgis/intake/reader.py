"""
Tables in any office format as texts (表格读取).

csv(.gz), xlsx, xls, geojson, gpkg, shp, parquet; UTF-8 and GB18030. Every value stays text, so
that nothing is rounded before it is checked. What a file is called decides little: text and HTML
saved as .xls are read for what they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.errors import SchemaError
from gridgis.intake.delimited import open_delimited
from gridgis.intake.vector import open_parquet, open_vector
from gridgis.intake.workbook import OLE, ZIP, open_html, open_workbook

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from gridgis.intake.tables import TableFile

_TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_WORKBOOK = (".xlsx", ".xlsm", ".xls")
_VECTOR = (".geojson", ".json", ".gpkg", ".shp")
_SNIFF_BYTES = 4096


def open_table(
    path: Path,
    *,
    wanted: Collection[str] = (),
    sheet: str | None = None,
    encoding: str | None = None,
    header_row: int | None = None,
    language: str = "",
) -> TableFile:
    """
    Open a table of any supported format (打开表格).

    Parameters
    ----------
    wanted : collection of str
        Headers to look for where titles stand above the header row.
    sheet : str, optional
        Sheet of a workbook, or layer of a gpkg; default the first, or the only one.
    header_row : int, optional
        1-based; default found.
    language : str
        Of the city; a Chinese one lets texts that are not UTF-8 be GB18030.

    Raises
    ------
    SchemaError
        If the file is missing, empty, protected, of an unknown format or unreadable.
    """
    name = path.name.lower()
    if not path.is_file():
        raise SchemaError(f"{path}: no such file")
    with path.open("rb") as handle:
        start = handle.read(_SNIFF_BYTES)
    if not start:
        raise SchemaError(f"{path.name}: the file is empty (0 bytes)")
    if name.endswith(".parquet"):
        return open_parquet(path)
    if name.endswith(_VECTOR):
        return open_vector(path, layer=sheet, encoding=encoding)
    if not name.endswith((*_TEXT, *_WORKBOOK)):
        raise SchemaError(
            f"{path.name}: unknown format; expected csv, csv.gz, xlsx, xls, geojson, gpkg, shp or "
            "parquet"
        )
    if start.startswith((OLE, ZIP)):
        return open_workbook(path, sheet=sheet, wanted=wanted, header_row=header_row)
    if name.endswith(_WORKBOOK) and b"<" in start.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")[:1]:
        return open_html(
            path, encoding=encoding, language=language, wanted=wanted, header_row=header_row
        )
    return open_delimited(
        path, encoding=encoding, language=language, wanted=wanted, header_row=header_row
    )
