"""What stored runs say: density, legends, tiles, and the lists of codes (查询计算结果)."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from gridgis.analysis.classify import ClassTable, natural_classes
from gridgis.analysis.density import M2_PER_KM2, density_per_km2
from gridgis.errors import InputError
from gridgis.model.case import STATUS_NAMES
from gridgis.model.measure import Rate, Unit, hundredths, percent_text
from gridgis.model.period import Period
from gridgis.services.names import resolve
from gridgis.store import metrics
from gridgis.store.engine import begin
from gridgis.store.metrics import CountFilter, Row

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from gridgis.services.context import Context
    from gridgis.store.engine import Connection

    FloatArray = NDArray[np.float64]

PER = ("km2", "none")
LEGEND_LEVELS = ("cell", "block500", "block1000", "street", "district")
APPROXIMATE = ("approximate", "synthetic")
REST_LABELS = {
    "no_point": ("无坐标", "no coordinates"),
    "too_coarse": ("坐标过粗", "coordinates too coarse"),
    "outside_cells": ("网格范围外", "outside the unit grids"),
    "outside_streets": ("街道范围外", "outside the streets"),
    "unlocated": ("未定位", "unlocated"),
    "cross_area": ("跨区", "cross-area"),
    "other": ("其他", "other"),
    "no_district": ("无行政区", "no administrative district"),
    "restricted": ("受限类", "restricted classes"),
    "no_area": ("无面积", "no area known"),
    "unknown_place": ("区域已变更", "place no longer known"),
}


def named_filter(
    context: Context,
    *,
    category: str | None = None,
    source: str | None = None,
    district: str | None = None,
) -> CountFilter:
    """Return the filter of a density question in codes or names; an empty text is none."""
    if not (category or source or district):
        return CountFilter()
    with begin(context.engine) as tx:
        return CountFilter(
            resolve(tx, "category", category) if category else None,
            resolve(tx, "source", source) if source else None,
            resolve(tx, "region", district) if district else None,
        )


def density(
    context: Context,
    *,
    level: str,
    month: str | None = None,
    run: int | None = None,
    chosen: CountFilter | None = None,
    per: str = "km2",
) -> Row:
    """
    Return the density of a stored run per place, and the rest without one (案件密度).

    Rows carry numerator, denominator and value; rows and rest sum to `total`.
    """
    if per not in PER:
        raise InputError(f"per {per!r}: this version offers {', '.join(PER)}")
    chosen = chosen or CountFilter()
    with begin(context.engine) as tx:
        found = _find_run(tx, month, run)
        counted = metrics.density_rows(tx, found, level, chosen)
        groups = {str(g["code"]): g for g in metrics.read_list(tx, "groups")}
    rows = _rated(counted.rows, per)
    if level == "city":
        rows[0]["code"] = context.city.code
    if level == "district":
        _add_shares(rows, groups, whole=chosen.district is None)
    rest = [_rest(entry) for entry in counted.rest]
    return {
        "run": _run_facts(found),
        "level": level,
        "unit": Unit.CASES.value,
        "per": per,
        "filters": chosen.values(),
        "total": sum(_int(row["numerator"]) for row in [*rows, *rest]),
        "rows": rows,
        "rest": rest,
        "synthetic": bool(context.city.synthetic),
    }


def legend(
    context: Context,
    *,
    level: str,
    month: str | None = None,
    run: int | None = None,
    chosen: CountFilter | None = None,
    k: int = 5,
) -> Row:
    """
    Return class breaks with places and cases per class (图例).

    Cells and blocks are classed by cases, streets and districts by cases per km² of land. Cases
    of all classes and the rest sum to `total`.
    """
    if level not in LEGEND_LEVELS:
        raise InputError(f"level {level!r}: expected one of {', '.join(LEGEND_LEVELS)}")
    chosen = chosen or CountFilter()
    by_area = level in {"street", "district"}
    with begin(context.engine) as tx:
        found = _find_run(tx, month, run)
        table, rest = (_area_table if by_area else _cell_table)(tx, found, level, chosen)
    run_facts = _run_facts(found)
    return {
        "run": run_facts,
        "level": level,
        "unit": Unit.CASES.value,
        "per": "km2" if by_area else "none",
        "method": "natural",
        "filters": chosen.values(),
        "classes": [asdict(entry) for entry in natural_classes(table, k)],
        "zero": {"places": table.empty_places},
        "rest": [_rest(entry) for entry in rest],
        "total": table.total + sum(_int(entry["n"]) for entry in rest),
        "generated_at": run_facts["created_at"],
        "synthetic": bool(context.city.synthetic),
    }


def months(context: Context) -> list[Row]:
    """Return the months with a finished density run, newest first (已计算月份)."""
    return read_list(context, "months")


def read_list(context: Context, name: str) -> list[Row]:
    """Return one of the small lists by which every code can be discovered (目录)."""
    if name == "statuses":
        return [
            {"code": status.value, "name": label, "name_en": status.value}
            for status, label in STATUS_NAMES.items()
        ]
    with begin(context.engine) as tx:
        return metrics.read_list(tx, name)


def tile(
    context: Context, run: int, layer: str, z: int, x: int, y: int, *, chosen: CountFilter
) -> bytes:
    """Return one gzipped vector tile, empty if nothing is in it (矢量瓦片)."""
    with begin(context.engine) as tx:
        found = _find_run(tx, None, run)
        return metrics.tile(tx, found, layer, z, x, y, chosen)


def check_layer(layer: str) -> None:
    """Refuse an unknown tile layer."""
    metrics.check_layer(layer)


def grid_bounds(context: Context) -> tuple[float, float, float, float] | None:
    """Return west, south, east, north of today's unit grid, if there is one."""
    with begin(context.engine) as tx:
        return metrics.grid_bounds(tx)


def find_run(context: Context, *, month: str | None = None, run: int | None = None) -> Row:
    """Return the facts of a density run: the one asked for, or the newest (统计批次)."""
    with begin(context.engine) as tx:
        return _run_facts(_find_run(tx, month, run))


def stamp(context: Context) -> str:
    """Return a text that changes whenever an answer of this database may change."""
    with begin(context.engine) as tx:
        return metrics.stamp(tx)


def areas(context: Context, kind: str, *, day: date | None = None) -> gpd.GeoDataFrame:
    """Return `cells`, `streets`, `districts`, `admin` or `water` of a day, today by default."""
    with begin(context.engine) as tx:
        rows = metrics.areas_frame(tx, kind, day)
    shapes = shapely.from_wkb([bytes(row.pop("wkb")) for row in rows])  # type: ignore[call-overload]
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=4326)
    if "geom_quality" in frame:
        frame["approximate"] = frame["geom_quality"].isin(APPROXIMATE)
    return frame


def _find_run(tx: Connection, month: str | None, run: int | None) -> Row:
    if month is not None:
        Period.month(month, "UTC")
    return metrics.find_run(tx, kind="density", month=month, run=run)


def _rated(rows: list[Row], per: str) -> list[Row]:
    """Return places with numerator, denominator (km² of land) and value."""
    values = _per_km2(rows) if per == "km2" else [None] * len(rows)
    return [
        {
            "code": row["code"],
            "name": row["name"],
            "name_en": row["name_en"],
            "kind": row["kind"],
            "group": row["group_code"],
            "approximate": row["geom_quality"] in APPROXIMATE,
            "numerator": row["n"],
            "denominator": None if value is None else _area(row) / M2_PER_KM2,
            "value": value,
            "text": f"{row['n']:,}" if value is None else f"{value:,.2f}",
            "share_text": None,
        }
        for row, value in zip(rows, values, strict=True)
    ]


def _per_km2(rows: list[Row]) -> list[float | None]:
    """
    Return cases per km² in hundredths, as tiles and legend class them; None without an area.

    A place with cases is never in the class zero: its value is at least 0.01.
    """
    areas = np.array([_area(row) for row in rows])
    counts = np.array([_int(row["n"]) for row in rows], dtype=np.int64)
    exact = density_per_km2(counts, np.where(areas > 0, areas, 1.0)).tolist()
    return [
        None if area <= 0 else max(hundredths(value), 0.01) if count else 0.0
        for value, area, count in zip(exact, areas.tolist(), counts.tolist(), strict=True)
    ]


def _area(row: Row) -> float:
    """Return the land area in m², 0 if it is not known."""
    return float(row["land_area_m2"] or 0)  # type: ignore[arg-type]


def _add_shares(rows: list[Row], groups: dict[str, Row], *, whole: bool) -> None:
    """Add the share within the reporting group: numerator and denominator beside the text."""
    totals: dict[str, int] = {}
    for row in rows:
        key = str(row["group"])
        totals[key] = totals.get(key, 0) + _int(row["numerator"])
    for row in rows:
        group = groups.get(str(row["group"]))
        row["group_name"] = group["name"] if group else None
        row["group_name_en"] = group["name_en"] if group else None
        if group is not None and whole:
            rate = Rate(Unit.CASES, _int(row["numerator"]), totals[str(row["group"])])
            row["group_total"] = rate.denominator
            row["share_text"] = f"{percent_text(rate)}%" if rate.denominator else percent_text(rate)


def _cell_table(
    tx: Connection, run: Row, level: str, chosen: CountFilter
) -> tuple[ClassTable, list[Row]]:
    """Return cells or blocks, and the cases without a cell."""
    histogram, rest = metrics.histogram(tx, run, level, chosen)
    return ClassTable.of_counts(histogram), rest


def _area_table(
    tx: Connection, run: Row, level: str, chosen: CountFilter
) -> tuple[ClassTable, list[Row]]:
    """Return streets or regions of known land area, and the cases without one."""
    counted = metrics.density_rows(tx, run, level, chosen)
    known = [row for row in counted.rows if _area(row) > 0]
    counts = np.array([_int(row["n"]) for row in known], dtype=np.float64)
    values = np.array(_per_km2(known), dtype=np.float64)
    table = ClassTable(values, np.ones(len(known)), counts)
    lost = sum(_int(row["n"]) for row in counted.rows) - table.total
    return table, [*counted.rest, {"reason": "no_area", "n": lost}] if lost else counted.rest


def _rest(entry: Row) -> Row:
    """Return the cases without a place as a row of their own: it has no area, so no density."""
    reason, cases = str(entry["reason"]), _int(entry["n"])
    label, label_en = REST_LABELS[reason]
    return {
        "code": reason,
        "name": label,
        "name_en": label_en,
        "kind": "rest",
        "group": None,
        "approximate": False,
        "numerator": cases,
        "denominator": None,
        "value": None,
        "text": f"{cases:,}",
        "share_text": None,
        "reason": reason,
        "label": label,
        "cases": cases,
    }


def _run_facts(run: Row) -> Row:
    return {
        "id": run["run_id"],
        "kind": run["kind"],
        "month": run["month"],
        "unit": run["unit"],
        "day": run["day"].isoformat(),  # type: ignore[attr-defined]
        "cases": run["rows_in"],
        "grid_version": run["grid_version"],
        "cell_size_m": run["cell_size_m"],
        "gridgis_version": run["gridgis_version"],
        "created_at": run["ended_at"].isoformat(),  # type: ignore[attr-defined]
        "outdated": run["outdated"],
        "mark": run["mark"],
    }


def _int(value: object) -> int:
    return int(value)  # type: ignore[call-overload, no-any-return]


def ready(context: Context) -> bool:
    """Tell whether the database answers and holds a finished run (就绪)."""
    with begin(context.engine) as tx:
        return bool(metrics.read_list(tx, "months"))
