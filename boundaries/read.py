"""
Any vector file to WGS84 areas with code and name (边界读取).

The CRS is declared by the caller and checked against the file's own: GCJ-02 and BD-09 have no
EPSG number, so those words are allowed over a file that says WGS84 or CGCS2000.
"""

from __future__ import annotations

import math
import warnings
import zipfile
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from gridgis.codes import plain
from gridgis.crs import parse_crs, require_declared, to_lonlat
from gridgis.errors import GeometryError, SchemaError

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

LISTED = 20
CODE_NAMES = ("code", "adcode", "编码", "代码", "bgcode", "cell_code", "street_code")
NAME_NAMES = ("name", "Name", "NAME", "名称", "bgname", "mc")


def read_vector(
    path: Path,
    *,
    crs: str,
    encoding: str | None = None,
    layer: str | None = None,
    code_field: str | None = None,
    name_field: str | None = None,
) -> gpd.GeoDataFrame:
    """
    Read areas from any vector file GDAL knows.

    Parameters
    ----------
    path : Path
        GeoJSON, GeoPackage, shapefile (also zipped, also GBK without `.cpg`, also without
        `.prj`) and others.
    crs : str
        `wgs84 cgcs2000 gcj02 bd09` or `EPSG:n`: mandatory, also when the file carries one.
    code_field, name_field : str, optional
        Attributes; by default the usual names are looked for.

    Returns
    -------
    GeoDataFrame
        WGS84, `code name geometry` first, then the other attributes. Converted vertex by vertex,
        so that shared vertices stay shared.

    Raises
    ------
    CrsError
        If the declared CRS contradicts the file's.
    GeometryError
        If a feature has no area or one that crosses itself; it is named. A ring that only touches
        itself is mended; `attrs["mended"]` of the frame names it.
    SchemaError
        If the file cannot be read or lacks an attribute.
    """
    word = parse_crs(crs)
    frame = _open(path, encoding, layer)
    require_declared(frame.crs, word, file=path.name)
    frame = _named(frame, path, code_field, name_field)
    frame = _checked(frame, path)
    shapes = shapely.transform(
        shapely.force_2d(frame.geometry.to_numpy()),
        lambda xy: np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], word)),
    )
    return frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=4326))


def _open(path: Path, encoding: str | None, layer: str | None) -> gpd.GeoDataFrame:
    if not path.exists():
        raise SchemaError(f"{path}: no such file")
    source = f"zip://{path}" if path.suffix.lower() == ".zip" else path
    tried = [encoding] if encoding else _encodings(path)
    problem: Exception | None = None
    for candidate in tried:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                frame = gpd.read_file(source, layer=layer, encoding=candidate, engine="pyogrio")
        except (UnicodeDecodeError, pyogrio.errors.DataSourceError, ValueError) as error:
            problem = error
            continue
        if frame.empty:
            raise SchemaError(f"{path.name}: the file holds no feature")
        if "geometry" not in frame:
            raise SchemaError(f"{path.name}: the file holds no geometry, only a table")
        return frame
    raise SchemaError(
        f"{path.name}: not readable as a vector file ({type(problem).__name__}); expected GeoJSON, "
        "GeoPackage or a shapefile with its .dbf and .shx; a wrong --encoding also ends here"
    )


def _encodings(path: Path) -> list[str | None]:
    """Return the encodings to try: a shapefile that does not say may be UTF-8 or GBK."""
    names = [other.name for other in path.parent.iterdir() if other.stem == path.stem]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    endings = {name.lower().rpartition(".")[2] for name in names}
    if "shp" in endings and "cpg" not in endings:
        return ["utf-8", "gb18030"]
    return [None]


def _named(
    frame: gpd.GeoDataFrame, path: Path, code_field: str | None, name_field: str | None
) -> gpd.GeoDataFrame:
    columns = [column for column in frame.columns if column != "geometry"]
    for field in (code_field, name_field):
        if field is not None and field not in columns:
            raise SchemaError(f"{path.name}: no attribute {field!r}; it has {', '.join(columns)}")
    code = code_field or next((name for name in CODE_NAMES if name in columns), None)
    name = name_field or next((name for name in NAME_NAMES if name in columns), None)
    if code is None and name is None:
        raise SchemaError(
            f"{path.name}: no attribute looks like a code or a name; name them with --code-field "
            f"and --name-field; it has {', '.join(columns)}"
        )
    texts = {
        "code": [""] * len(frame) if code is None else [plain(_text(v)) for v in frame[code]],
        "name": [""] * len(frame) if name is None else [_text(v).strip() for v in frame[name]],
    }
    rest = frame.drop(columns=[c for c in ("code", "name") if c in columns])
    named = gpd.GeoDataFrame({**texts, **{c: rest[c] for c in rest.columns}}, crs=frame.crs)
    named["name"] = [n or c for n, c in zip(named["name"], named["code"], strict=True)]
    return named.set_geometry("geometry")


def _text(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN is the one value unlike itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _checked(frame: gpd.GeoDataFrame, path: Path) -> gpd.GeoDataFrame:
    """Mend what can be mended without changing an area, and name features that cannot be used."""
    shapes = frame.geometry.to_numpy().copy()
    faults: list[str] = []
    mended: list[str] = []
    for position, (label, shape) in enumerate(zip(frame["name"], shapes, strict=True)):
        where = f"feature {position + 1} ({label or 'no name'})"
        if shape is None or shape.is_empty:
            faults.append(f"{where}: no geometry")
        elif shape.geom_type not in {"Polygon", "MultiPolygon"}:
            faults.append(f"{where}: a {shape.geom_type}, expected a polygon")
        elif not shape.is_valid:
            shapes[position] = _same_area(shape)
            reason = f"{where}: {shapely.is_valid_reason(shape)}"
            (faults if shapes[position] is None else mended).append(reason)
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults[:LISTED])
        more = f"\n  … and {len(faults) - LISTED} more" if len(faults) > LISTED else ""
        raise GeometryError(
            f"{path.name}: {len(faults)} feature(s) cannot be used:\n{listed}{more}\n"
            "mend them (QGIS: Fix geometries) and load again; nothing was stored"
        )
    frame = frame.set_geometry(gpd.GeoSeries(shapes, index=frame.index, crs=frame.crs))
    frame.attrs["mended"] = mended
    return frame


def _same_area(shape: BaseGeometry) -> BaseGeometry | None:
    """
    Return a valid form of a broken polygon that has its area, else None.

    A ring that touches itself is written in another way; where lines cross, the area would depend
    on who mends it, so that is left to a person.
    """
    valid = shapely.make_valid(shape)
    polygonal = valid.geom_type in {"Polygon", "MultiPolygon"}
    return valid if polygonal and math.isclose(valid.area, shape.area, rel_tol=1e-9) else None
