"""What lies at a point, and what is known of a cell or a region (定位与区域)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.codes import check_cell
from gridgis.crs import parse_crs, to_lonlat
from gridgis.errors import OutsideCity
from gridgis.services.lookup import APPROXIMATE
from gridgis.store import metrics
from gridgis.store.engine import begin

if TYPE_CHECKING:
    from gridgis.services.context import Context
    from gridgis.store.engine import Connection
    from gridgis.store.metrics import Row

FAR_DEG = 10.0
"""A point this far outside the city's extent is refused before it is projected."""


def locate(context: Context, lon: float, lat: float, *, crs: str) -> Row:
    """
    Return cell, street and regions of a point (坐标定位).

    Raises
    ------
    OutsideCity
        If the point lies in no region.
    """
    word = parse_crs(crs)
    lon84, lat84 = to_lonlat(lon, lat, word)
    west, south, east, north = context.city.extent
    outside = max(west - lon84, lon84 - east, south - lat84, lat84 - north)
    if not outside <= FAR_DEG:  # also when it is no number
        raise OutsideCity(metrics.outside_message(lon84, lat84))
    with begin(context.engine) as tx:
        found = metrics.locate(tx, lon84, lat84)
    places = {level: _place(found, level) for level in ("street", "district", "region")}
    return {
        "query": {"lon": lon, "lat": lat, "crs": word},
        "lon": round(lon84, 7),
        "lat": round(lat84, 7),
        "crs": "wgs84",
        "cell_code": found["cell_code"],
        "grid_version": found["grid_version"],
        **places,
        "approximate": any(place["approximate"] for place in places.values() if place),
        "synthetic": bool(context.city.synthetic),
    }


def read_cell(context: Context, code: str) -> Row:
    """Return one unit grid with its newest count (单元网格)."""
    code = check_cell(code)
    with begin(context.engine) as tx:
        row = metrics.read_cell(tx, code)
        counts = _newest(tx, "cell", code, grid_version=str(row["grid_version"]))
    generated = row["synthetic"]
    return {
        **row,
        "generated": generated,
        "counts": counts,
        "synthetic": bool(context.city.synthetic),
    }


def read_region(context: Context, code: str) -> Row:
    """Return one district or zone with its newest count (区域)."""
    with begin(context.engine) as tx:
        row = metrics.read_region(tx, code)
        counts = _newest(tx, "district", str(row["code"]), grid_version=None)
    return {**row, "counts": counts, "synthetic": bool(context.city.synthetic)}


def _newest(tx: Connection, level: str, code: str, *, grid_version: str | None) -> Row | None:
    found = metrics.newest_count(tx, level, code, grid_version=grid_version)
    if found is None:
        return None
    return {"run": found["run_id"], "month": found["month"], "unit": "cases", "cases": found["n"]}


def _place(found: Row, level: str) -> Row | None:
    if found[f"{level}_code"] is None:
        return None
    quality = found[f"{level}_quality"]
    return {
        "code": found[f"{level}_code"],
        "name": found[f"{level}_name"],
        "quality": quality,
        "approximate": quality in APPROXIMATE,
    }
