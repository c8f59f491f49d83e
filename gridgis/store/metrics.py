"""Read stored runs, names and places (读取计算结果与目录)."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from gridgis.errors import (
    CellNotFound,
    DistrictNotFound,
    InputError,
    OutsideCity,
    RunNotFound,
)
from gridgis.store.engine import query

Row = dict[str, object]
LEVELS = ("cell", "street", "district", "admin", "city")
HISTOGRAMS = ("cell", "block500", "block1000")
TILE_LAYERS = ("cells", "streets", "districts", "base")
CELL_ZOOM, BLOCK_500_ZOOM, BLOCK_1000_ZOOM = 12, 10, 9
MAX_ZOOM = 22
LISTS = ("months", "categories", "sources", "regions", "groups", "streets", "list_runs",
         "attributions")  # fmt: skip


@dataclass(frozen=True, slots=True)
class CountFilter:
    """Which counts of a run are meant."""

    category: str | None = None
    source: str | None = None
    district: str | None = None

    def values(self) -> dict[str, str | None]:
        """Return the bound values; a category is a prefix."""
        prefix = f"{self.category}%" if self.category else None
        return {"category": prefix, "source": self.source, "district": self.district}

    @property
    def empty(self) -> bool:
        """Tell whether everything is meant."""
        return self.category is None and self.source is None and self.district is None


@dataclass(frozen=True, slots=True)
class DensityRows:
    """Counts of places of one level, and the rest without a place."""

    rows: list[Row]
    rest: list[Row]
    """`reason`, `n`."""


def find_run(tx: Connection, *, kind: str, month: str | None, run: int | None) -> Row:
    """
    Return a run by its id, or the newest of a month, or the newest month.

    Raises
    ------
    RunNotFound
        If there is none.
    """
    if run is None:
        wanted = month or tx.scalar(query("metrics", "newest_month"), {"kind": kind})
        run = tx.scalar(query("metrics", "latest_run"), {"kind": kind, "month": wanted})
    row = tx.execute(query("metrics", "read_run"), {"run_id": run}).one_or_none()
    if row is None or row.kind != kind:
        raise RunNotFound(
            f"no finished {kind} run for {month or run or 'any month'}: compute it with "
            f"`gridgis analyse {kind} --month {month or 'YYYY-MM'}`",
            month=month, run=run,
        )  # fmt: skip
    return dict(row._mapping)


def density_rows(tx: Connection, run_id: int, level: str, chosen: CountFilter) -> DensityRows:
    """Return the counts of one level; rows and rest sum to the filtered total."""
    if level not in LEVELS:
        raise InputError(f"level {level!r}: expected one of {', '.join(LEVELS)}")
    values = {"run_id": run_id, **chosen.values()}
    rows = _rows(tx, f"{level}_rows", values)
    rest = [] if level == "city" else _rows(tx, f"{level}_rest", values)
    return DensityRows(rows, rest)


def histogram(
    tx: Connection, run_id: int, level: str, chosen: CountFilter
) -> list[tuple[int, int]]:
    """Return `(cases, number of places)` of cells or blocks, empty places included."""
    values = {"run_id": run_id, **chosen.values()}
    if level == "cell":
        rows = tx.execute(query("metrics", "cell_histogram"), values)
    else:
        block = {"block_m": int(level.removeprefix("block"))}
        rows = tx.execute(query("metrics", "block_histogram"), {**values, **block})
    return [(int(row.n), int(row.places)) for row in rows]


def read_list(tx: Connection, name: str) -> list[Row]:
    """Return one of the small lists: months, categories, sources, regions, groups, streets."""
    if name not in LISTS:
        raise InputError(f"list {name!r}: expected one of {', '.join(LISTS)}")
    return _rows(tx, name, {})


def read_cell(tx: Connection, code: str) -> Row:
    """Return one cell of today's grid, or raise `CellNotFound`."""
    row = tx.execute(query("metrics", "read_cell"), {"code": code}).one_or_none()
    if row is None:
        raise CellNotFound(f"cell {code!r}: not in today's unit grid", code=code)
    return dict(row._mapping)


def read_region(tx: Connection, code: str) -> Row:
    """Return one region, or raise `DistrictNotFound`."""
    row = tx.execute(query("metrics", "read_region"), {"code": code}).one_or_none()
    if row is None:
        raise DistrictNotFound(f"region {code!r}: no such district or zone", code=code)
    return dict(row._mapping)


def locate(tx: Connection, lon: float, lat: float) -> Row:
    """
    Return what covers a WGS84 point today.

    Raises
    ------
    OutsideCity
        If no region covers it.
    """
    row = dict(tx.execute(query("metrics", "locate"), {"lon": lon, "lat": lat}).one()._mapping)
    if row["region_code"] is None:
        raise OutsideCity(
            f"point lon={lon:.6f} lat={lat:.6f} lies in no region of the city: check the order "
            "(longitude first) and the CRS (gcj02 read as wgs84 moves a point by hundreds of metres)"
        )
    names = {str(entry["code"]): entry for entry in _rows(tx, "names", {})}
    for level in ("street", "district", "region"):
        known: Mapping[str, object] = names.get(str(row[f"{level}_code"]), {})
        row[f"{level}_name"] = known.get("name")
        row[f"{level}_quality"] = known.get("geom_quality")
    return row


def areas_frame(tx: Connection, kind: str) -> list[Row]:
    """Return rows with WKB of today's `cells`, `districts`, `streets` or `water`."""
    return _rows(tx, f"frame_{kind}", {})


def tile(  # noqa: PLR0913 - a tile address has five parts
    tx: Connection, run: Row, layer: str, z: int, x: int, y: int, chosen: CountFilter
) -> bytes:
    """
    Return one vector tile, gzipped; empty bytes if nothing is in it (矢量瓦片).

    Raises
    ------
    InputError
        If the address lies outside the world.
    """
    if not 0 <= z <= MAX_ZOOM or not 0 <= x < 2**z or not 0 <= y < 2**z:
        raise InputError(f"tile {z}/{x}/{y}: outside the world; z is 0 to {MAX_ZOOM}")
    name, extra = _tile_query(layer, z, chosen)
    if name is None:
        return b""
    values = {"run_id": run["run_id"], "grid_version": run["grid_version"], "z": z, "x": x, "y": y,
              **chosen.values(), **extra}  # fmt: skip
    content = tx.scalar(query("tiles", name), values)
    return gzip.compress(bytes(content), compresslevel=6, mtime=0) if content else b""


def _tile_query(layer: str, z: int, chosen: CountFilter) -> tuple[str | None, dict[str, int]]:
    """The zoom ladder: districts only, 1 km, 500 m, then unit grids."""
    if layer not in TILE_LAYERS:
        raise InputError(f"tile layer {layer!r}: expected one of {', '.join(TILE_LAYERS)}")
    if layer != "cells":
        return layer, {}
    suffix = "" if chosen.empty else "_filtered"
    if z >= CELL_ZOOM:
        return f"cells{suffix}", {}
    if z >= BLOCK_1000_ZOOM:
        return f"blocks{suffix}", {"block_m": 500 if z >= BLOCK_500_ZOOM else 1000}
    return None, {}


def _rows(tx: Connection, name: str, values: Mapping[str, object]) -> list[Row]:
    return [dict(row._mapping) for row in tx.execute(query("metrics", name), values)]
