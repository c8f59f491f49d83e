"""
Vector files and parquet to text tables (矢量文件与 parquet).

The points of a file with geometry are offered as two more columns, the shortest numbers that give
them back. Rows come in batches, so memory stays flat.
"""

from __future__ import annotations

import json
import warnings
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import shapely
from pyogrio.raw import open_arrow
from pyproj import CRS
from pyproj.exceptions import CRSError

from gridgis.errors import SchemaError
from gridgis.intake.mapping import GEOMETRY_HEADERS
from gridgis.intake.shapefile import RAW, decoded, decoded_text, table_encoding
from gridgis.intake.tables import CHUNK_ROWS, Chunk, TableFile, as_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

GEOMETRY = "\0geometry"
"""Name of the geometry column while a batch is read; no field can have it."""


def open_vector(path: Path, *, layer: str | None, encoding: str | None) -> TableFile:
    """
    Open one layer of a geojson, gpkg or shp file (打开矢量文件).

    Parameters
    ----------
    encoding : str or None
        Of a shapefile; default what its `.cpg` says, else UTF-8 or GB18030 by its bytes.

    Raises
    ------
    SchemaError
        If the file is unreadable or empty, or if several layers leave a choice.
    """
    name, shape = path.name, path.suffix.lower() == ".shp"
    texts = table_encoding(path, encoding) if shape else None
    with _readable(name):
        layer = _layer(name, [str(row[0]) for row in pyogrio.list_layers(path)], layer)
        facts = pyogrio.read_info(path, layer=layer, encoding=RAW if shape else None)
        raw = [str(field) for field in facts["fields"]]
        crs = _crs(facts["crs"])
    if facts["features"] == 0:
        raise SchemaError(f"{name}: the file is empty: the layer {layer} holds no feature")
    has_geometry = facts["geometry_type"] is not None
    fields = {decoded_text(field, texts) if texts else field: field for field in raw}
    headers = (*fields, *_geometry_headers(present=has_geometry))
    chunks = _Layer(path, layer, fields, texts).chunks
    return TableFile(name, headers, chunks, has_geometry=has_geometry, crs=crs, cut_headers=shape)


def open_parquet(path: Path) -> TableFile:
    """
    Open a parquet or geoparquet file (打开 parquet).

    Raises
    ------
    SchemaError
        If the file is unreadable or holds no row.
    """
    with _readable(path.name):
        file = pq.ParquetFile(path)
        schema, rows, names = file.schema_arrow, file.metadata.num_rows, file.schema_arrow.names
        about = json.loads((schema.metadata or {}).get(b"geo", b"{}"))
        geometry = about.get("primary_column")
        described = about.get("columns", {}).get(geometry, {})
        stated = described.get("crs", "OGC:CRS84") if geometry is not None else None
        crs = None if stated is None else CRS(stated)
    if rows == 0:
        raise SchemaError(f"{path.name}: the file is empty: it has columns but no row")
    if described.get("encoding", "WKB") != "WKB":
        raise SchemaError(
            f"{path.name}: geometry encoding {described['encoding']!r}; write the file with "
            "encoding WKB, the default of GeoParquet"
        )
    empty = (pa.chunked_array([], kind) for kind in schema.types)
    plain = [
        name for name, column in zip(names, empty, strict=True) if as_texts(column) is not None
    ]
    headers = (*plain, *_geometry_headers(present=geometry is not None))
    chunks = _Parquet(path, geometry).chunks
    return TableFile(path.name, headers, chunks, has_geometry=geometry is not None, crs=crs)


@dataclass(frozen=True, slots=True)
class _Layer:
    path: Path
    layer: str
    fields: Mapping[str, str]
    """Header to the field as GDAL names it."""
    texts: str | None
    """Encoding of a shapefile's texts."""

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        name = self.path.name
        wanted = [self.fields[column] for column in columns if column in self.fields]
        with ExitStack() as stack:
            with _readable(name):
                facts, reader = stack.enter_context(
                    open_arrow(
                        self.path,
                        layer=self.layer,
                        encoding=RAW if self.texts else None,
                        columns=wanted,
                        read_geometry=len(wanted) < len(columns),
                        use_pyarrow=True,
                        datetime_as_string=True,
                        batch_size=CHUNK_ROWS,
                    )
                )
            names = {raw: header for header, raw in self.fields.items()}
            names[facts["geometry_name"] or "wkb_geometry"] = GEOMETRY
            for chunk in _chunks(name, iter(reader), columns, names):
                yield chunk if self.texts is None else self._decoded(chunk)

    def _decoded(self, chunk: Chunk) -> Chunk:
        table = chunk.table
        columns = [decoded(column.combine_chunks(), str(self.texts)) for column in table.columns]
        return replace(chunk, table=pa.Table.from_arrays(columns, names=table.column_names))


@dataclass(frozen=True, slots=True)
class _Parquet:
    path: Path
    geometry: str | None

    def chunks(self, columns: Sequence[str]) -> Iterator[Chunk]:
        wanted = [name for name in columns if name not in GEOMETRY_HEADERS.values()]
        if len(wanted) < len(columns) and self.geometry is not None:
            wanted.append(self.geometry)
        with _readable(self.path.name):
            batches = pq.ParquetFile(self.path).iter_batches(CHUNK_ROWS, columns=wanted)
        names = {self.geometry: GEOMETRY} if self.geometry is not None else {}
        yield from _chunks(self.path.name, batches, columns, names)


def _chunks(
    file: str, batches: Iterator[pa.RecordBatch], columns: Sequence[str], names: Mapping[str, str]
) -> Iterator[Chunk]:
    """Yield batches as texts; `names` says what columns are called, the geometry included."""
    first = 1
    while True:
        with _readable(file):
            batch = next(batches, None)
            if batch is None:
                return
            numbers = np.arange(first, first + batch.num_rows, dtype=np.int64)
            table = pa.Table.from_batches([batch])
            table = table.rename_columns([names.get(name, name) for name in table.column_names])
            chunk = _chunk(table, numbers, columns)
        first += batch.num_rows
        yield chunk


def _chunk(table: pa.Table, numbers: NDArray[np.int64], columns: Sequence[str]) -> Chunk:
    texts = {name: as_texts(table[name]) for name in columns if name in table.column_names}
    bad_points: dict[int, str] = {}
    if GEOMETRY in table.column_names:
        x, y, bad_points = _points(table[GEOMETRY], numbers)
        texts |= {GEOMETRY_HEADERS["x"]: x, GEOMETRY_HEADERS["y"]: y}
    arrays = pa.Table.from_arrays([texts[name] for name in columns], names=list(columns))
    arrays.validate(full=True)
    return Chunk(numbers, arrays, bad_points=bad_points)


def _points(
    geometry: pa.ChunkedArray, numbers: NDArray[np.int64]
) -> tuple[pa.Array, pa.Array, dict[int, str]]:
    """Return x and y as texts, and the rows whose geometry is something else than one point."""
    wkb = geometry.to_numpy(zero_copy_only=False)
    shapes = shapely.from_wkb(wkb, on_invalid="ignore")
    single = shapely.get_num_geometries(shapes) == 1
    points = np.where(single, shapely.get_geometry(shapes, 0), shapes)
    kinds = shapely.get_type_id(points)
    broken = (kinds < 0) & np.array([value is not None for value in wkb], dtype=bool)
    bad = broken | (kinds > 0) & ~shapely.is_empty(shapes)
    named = {
        int(numbers[at]): "broken geometry" if broken[at] else str(shapes[at].geom_type)
        for at in np.flatnonzero(bad)
    }
    point = np.where(kinds == 0, points, None)
    x, y = (as_texts(pa.chunked_array([axis(point)])) for axis in (shapely.get_x, shapely.get_y))
    return x, y, named


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """Turn what GDAL and Arrow say of a damaged file into our error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pa.ArrowException,
        UnicodeDecodeError,
        json.JSONDecodeError,
        CRSError,
        OSError,
    ) as error:
        raise SchemaError(
            f"{name}: not readable ({str(error)[:160]}): it is damaged, lacks a companion file "
            "(a shapefile needs .dbf and .shx), or has another --encoding"
        ) from error


def _layer(name: str, layers: Sequence[str], wanted: str | None) -> str:
    if wanted is None and len(layers) == 1:
        return layers[0]
    if wanted in layers:
        return str(wanted)
    given = f"no layer {wanted!r}" if wanted else "several layers"
    raise SchemaError(f"{name}: {given}; name one with --sheet: {', '.join(layers) or '(none)'}")


def _geometry_headers(*, present: bool) -> tuple[str, ...]:
    return tuple(GEOMETRY_HEADERS.values()) if present else ()


def _crs(stated: str | None) -> CRS | None:
    """Return a stated CRS; the undefined ones of GeoPackage state nothing."""
    crs = CRS(stated) if stated else None
    return None if crs is None or crs.name.lower().startswith(("undefined", "unknown")) else crs
