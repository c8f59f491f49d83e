"""Read stored runs, names and places (读取计算结果与目录)."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.errors import (
    CellNotFound,
    DistrictNotFound,
    InputError,
    NotFoundError,
    OutsideCity,
    RunNotFound,
)
from gridgis.store.engine import query

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Connection

Row = dict[str, object]
LEVELS = ("cell", "street", "district", "admin", "city")
TILE_LAYERS = ("cells", "streets", "districts", "base")
CELL_ZOOM, BLOCK_500_ZOOM, BLOCK_1000_ZOOM = 12, 10, 9
MAX_ZOOM = 22
MAX_RUN = 2**31 - 1
LISTS = ("months", "categories", "sources", "regions", "groups", "streets", "runs", "attributions")
REASONS = (
    "no_point",
    "too_coarse",
    "outside_cells",
    "outside_streets",
    "unlocated",
    "cross_area",
    "other",
    "no_district",
    "restricted",
)
"""Why a case has no place of a level; in a run, the reason stands for the place."""
UNKNOWN_PLACE = "unknown_place"


@dataclass(frozen=True, slots=True)
class CountFilter:
    """Which counts of a run are meant; a category is a code or a prefix of codes."""

    category: str | None = None
    source: str | None = None
    district: str | None = None

    def values(self) -> dict[str, str | None]:
        """Return the bound values."""
        return {"category": self.category, "source": self.source, "district": self.district}


@dataclass(frozen=True, slots=True)
class DensityRows:
    """Counts of places of one level, and the rest without a place."""

    rows: list[Row]
    rest: list[Row]
    """`reason`, `n`."""


def find_run(tx: Connection, *, kind: str, month: str | None, run: int | None) -> Row:
    """
    Return a run by its id, or the newest of a month, or the newest of the newest month.

    Raises
    ------
    RunNotFound
        If there is none.
    """
    row = None
    if run is None or 0 < run <= MAX_RUN:
        values = {"kind": kind, "month": month, "run": run}
        row = _row(tx, "find_run", values)
    if row is None:
        wanted = " of ".join(
            part for part in (f"run {run}" if run is not None else "", month or "") if part
        )
        raise RunNotFound(
            f"no finished {kind} run for {wanted or 'any month'}: compute it with "
            f"`gridgis analyse {kind} --month {month or 'YYYY-MM'}`",
            month=month,
            run=run,
        )
    return row


def density_rows(tx: Connection, run: Row, level: str, chosen: CountFilter) -> DensityRows:
    """
    Return the counts of one level; rows and rest sum to the filtered total.

    Places are those of the run's day, empty ones included (but for cells). A place that the
    areas no longer hold stays in the rest, so that nothing is lost.
    """
    if level not in LEVELS:
        raise InputError(f"level {level!r}: expected one of {', '.join(LEVELS)}")
    placed, rest = _split(
        _rows(tx, "places", {"run_id": run["run_id"], "level": level, **chosen.values()})
    )
    values = {
        "day": run["day"],
        "grid_version": run["grid_version"],
        "codes": list(placed),
        "district": chosen.district,
    }
    rows = _rows(tx, f"{level}_places", values)
    for row in rows:
        row["n"] = placed.pop(str(row["code"]), 0)
    return DensityRows(rows, with_unknown(rest, sum(placed.values())))


def histogram(
    tx: Connection, run: Row, level: str, chosen: CountFilter
) -> tuple[list[tuple[int, int]], list[Row]]:
    """
    Return `(cases, number of places)` of cells or blocks, empty ones included, and the rest.

    All cases of the filter are in one or the other.
    """
    values = {"run_id": run["run_id"], "grid_version": run["grid_version"], **chosen.values()}
    if level == "cell":
        found = tx.execute(query("metrics", "cell_histogram"), values).all()
    else:
        block = {"block_m": int(level.removeprefix("block"))}
        found = tx.execute(query("metrics", "block_histogram"), {**values, **block}).all()
    table = [(int(row.n), int(row.places)) for row in found if row.reason is None]
    rest = {row.reason: int(row.n) for row in found if row.reason is not None}
    missing = rest.pop("total") - sum(rest.values()) - sum(n * places for n, places in table)
    return table, with_unknown([{"reason": why, "n": n} for why, n in rest.items()], missing)


def with_unknown(rest: list[Row], missing: int) -> list[Row]:
    """Return the rest with the cases whose place is no longer known."""
    return [*rest, {"reason": UNKNOWN_PLACE, "n": missing}] if missing else rest


def newest_count(tx: Connection, level: str, code: str, *, grid_version: str | None) -> Row | None:
    """Return `run_id month n` of one place in the newest density run, if there is one."""
    values = {"level": level, "code": code, "grid_version": grid_version}
    return _row(tx, "newest_count", values)


def today(tx: Connection) -> date:
    """Return the city's date."""
    found: date = tx.execute(query("metrics", "today")).scalar_one()
    return found


def read_list(tx: Connection, name: str) -> list[Row]:
    """Return one of the small lists: months, categories, sources, regions, groups, streets."""
    if name not in LISTS:
        raise InputError(f"list {name!r}: expected one of {', '.join(LISTS)}")
    return _rows(tx, name, {"day": today(tx)})


def known_names(tx: Connection, kind: str) -> list[tuple[str, str]]:
    """Return `(code, name)` of every category, source, region or street, aliases included."""
    rows = tx.execute(query("metrics", "known_names"), {"kind": kind})
    return [(str(row.code), str(row.name)) for row in rows]


def uses_code(tx: Connection, kind: str, code: str) -> bool:
    """Tell whether a case uses a code that the tables of names do not have."""
    return bool(tx.scalar(query("metrics", "uses_code"), {"kind": kind, "code": code}))


def stamp(tx: Connection) -> str:
    """Return a text that changes whenever an answer may change."""
    return str(tx.scalar(query("metrics", "stamp")))


def read_cell(tx: Connection, code: str) -> Row:
    """Return one cell of today's grid, or of the newest that has it, or raise `CellNotFound`."""
    row = _row(tx, "read_cell", {"code": code, "day": today(tx)})
    if row is None:
        raise CellNotFound(f"cell {code!r}: not in any version of the unit grid", code=code)
    return row


def read_region(tx: Connection, code: str) -> Row:
    """Return one region of today, or as last known, or raise `DistrictNotFound`."""
    row = _row(tx, "read_region", {"code": code, "day": today(tx)})
    if row is None:
        raise DistrictNotFound(f"region {code!r}: no such district or zone", code=code)
    return row


def locate(tx: Connection, lon: float, lat: float) -> Row:
    """
    Return what covers a WGS84 point today.

    Raises
    ------
    OutsideCity
        If no region covers it.
    """
    row = _row(tx, "locate", {"lon": lon, "lat": lat, "day": today(tx)})
    if row is None or row["region_code"] is None:
        raise OutsideCity(outside_message(lon, lat))
    return row


def outside_message(lon: float, lat: float) -> str:
    """Return why a point may lie outside the city."""
    return (
        f"point lon={lon:.6f} lat={lat:.6f} lies in no region of the city: check the order "
        "(longitude first) and the CRS (gcj02 read as wgs84 moves a point by hundreds of metres)"
    )


def grid_bounds(tx: Connection) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of today's unit grid, if there is one."""
    row = tx.execute(query("metrics", "grid_bounds"), {"day": today(tx)}).one()
    return None if row.west is None else (row.west, row.south, row.east, row.north)


def areas_frame(tx: Connection, kind: str, day: date | None) -> list[Row]:
    """Return rows with WKB of the `cells`, `districts`, `streets` or `water` of a day."""
    return _rows(tx, f"frame_{kind}", {"day": day or today(tx)})


def tile(
    tx: Connection, run: Row, layer: str, z: int, x: int, y: int, chosen: CountFilter
) -> bytes:
    """
    Return one vector tile, gzipped; empty bytes if nothing is in it (矢量瓦片).

    Raises
    ------
    NotFoundError
        If there is no such layer.
    InputError
        If the address lies outside the world.
    """
    name, extra = _tile_query(layer, z)
    if not 0 <= z <= MAX_ZOOM or not 0 <= x < 2**z or not 0 <= y < 2**z:
        raise InputError(f"tile {z}/{x}/{y}: outside the world; z is 0 to {MAX_ZOOM}")
    if name is None:
        return b""
    values = {
        "run_id": run["run_id"],
        "grid_version": run["grid_version"],
        "day": run["day"],
        "z": z,
        "x": x,
        "y": y,
        **chosen.values(),
        **extra,
    }
    content = tx.scalar(query("tiles", name), values)
    return gzip.compress(bytes(content), compresslevel=6, mtime=0) if content else b""


def check_layer(layer: str) -> None:
    """Refuse an unknown tile layer."""
    if layer not in TILE_LAYERS:
        raise NotFoundError(f"tile layer {layer!r}: expected one of {', '.join(TILE_LAYERS)}")


def _tile_query(layer: str, z: int) -> tuple[str | None, dict[str, int]]:
    """Return the query of the zoom ladder: none, squares of 1 km, of 500 m, then unit grids."""
    check_layer(layer)
    if layer != "cells":
        return layer, {}
    if z >= CELL_ZOOM:
        return "cells", {}
    if z >= BLOCK_1000_ZOOM:
        return "blocks", {"block_m": 500 if z >= BLOCK_500_ZOOM else 1000}
    return None, {}


def _split(found: list[Row]) -> tuple[dict[str, int], list[Row]]:
    """Return cases per place, and those without one by reason."""
    placed: dict[str, int] = {}
    rest: list[Row] = []
    for row in found:
        place, n = str(row["place"]), int(str(row["n"]))
        if place in REASONS:
            rest.append({"reason": place, "n": n})
        else:
            placed[place] = n
    return placed, rest


def _row(tx: Connection, name: str, values: Mapping[str, object]) -> Row | None:
    found = _rows(tx, name, values)
    return found[0] if found else None


def _rows(tx: Connection, name: str, values: Mapping[str, object]) -> list[Row]:
    found = tx.execute(query("metrics", name), values)
    names = list(found.keys())
    return [dict(zip(names, row, strict=True)) for row in found]
