"""Read-only use cases: cases, density, places, tiles (检索)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from gridgis.analysis.classify import natural_breaks
from gridgis.analysis.density import density_per_km2
from gridgis.codes import check_category, check_region
from gridgis.crs import parse_crs, to_lonlat
from gridgis.errors import InputError, OutsideCity
from gridgis.model.case import Source
from gridgis.model.measure import Rate, Unit, percent_text
from gridgis.store import lookup as cases_store
from gridgis.store import metrics
from gridgis.store.engine import begin
from gridgis.store.metrics import CountFilter

if TYPE_CHECKING:
    from gridgis.model.query import CaseFilter
    from gridgis.services.context import Context
    from gridgis.store.lookup import Page
    from gridgis.store.metrics import DensityRows, Row

PER = ("km2", "none")
LEGEND_LEVELS = ("cell", "block500", "block1000", "street", "district")
APPROXIMATE = ("approximate", "synthetic")
REST_LABELS = {
    "no_point": "无坐标", "too_coarse": "坐标过粗", "outside_cells": "网格范围外",
    "outside_streets": "街道范围外", "unlocated": "未定位", "cross_area": "跨区", "other": "其他",
    "no_district": "无行政区",
}  # fmt: skip


def find_cases(
    context: Context, chosen: CaseFilter, *, limit: int, cursor: str | None = None
) -> Page:
    """Return one page of cases and the exact total (分页检索)."""
    with begin(context.engine) as tx:
        return cases_store.find_cases(tx, chosen, limit=limit, cursor=cursor)


def count_cases(context: Context, chosen: CaseFilter) -> int:
    """Return how many cases a filter means (计数)."""
    with begin(context.engine) as tx:
        return cases_store.count_cases(tx, chosen)


def stream_cases(context: Context, chosen: CaseFilter) -> Iterator[Row]:
    """Yield every case of a filter, in order (导出)."""
    with begin(context.engine) as tx:
        yield from cases_store.stream_cases(tx, chosen)


def read_case(context: Context, case_no: str) -> Row:
    """Return one case with its original coordinates (案件详情)."""
    with begin(context.engine) as tx:
        return cases_store.read_case(tx, case_no)


def count_filter(
    *, category: str | None = None, source: str | None = None, district: str | None = None
) -> CountFilter:
    """Check the filters of a density question."""
    if category is not None:
        check_category(category)
    if district is not None:
        check_region(district)
    if source is not None and source not in set(Source):
        raise InputError(f"source {source!r}: expected one of {', '.join(Source)}")
    return CountFilter(category, source, district)


def density(  # noqa: PLR0913 - the question has this many parts
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
        found = metrics.find_run(tx, kind="density", month=month, run=run)
        counted = metrics.density_rows(tx, _run_id(found), level, chosen)
        groups = {str(g["code"]): g for g in metrics.read_list(tx, "groups")}
    rows = _rated(counted, per)
    if level == "district":
        _add_shares(rows, groups, whole=chosen.district is None)
    rest = [_rest(entry) for entry in counted.rest]
    return {
        "run": _run_facts(found), "level": level, "unit": Unit.CASES.value, "per": per,
        "filters": _filters(chosen),
        "total": sum(_int(row["numerator"]) for row in rows) + sum(_int(r["cases"]) for r in rest),
        "rows": rows, "rest": rest, "synthetic": bool(context.city.synthetic),
    }  # fmt: skip


def legend(  # noqa: PLR0913 - the question has this many parts
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
    with begin(context.engine) as tx:
        found = metrics.find_run(tx, kind="density", month=month, run=run)
        run_id = _run_id(found)
        rest_level = level if level in {"street", "district"} else "cell"
        counted = metrics.density_rows(tx, run_id, rest_level, chosen)
        if rest_level == "cell":
            table = metrics.histogram(tx, run_id, level, chosen)
            values = np.array([n for n, _ in table], dtype=np.float64)
            places = np.array([p for _, p in table], dtype=np.float64)
            counts = values * places
        else:
            rows = [row for row in counted.rows if row["land_area_m2"]]
            counts = np.array([_int(row["n"]) for row in rows], dtype=np.float64)
            values = density_per_km2(counts.astype(np.int64), _areas(rows)) if rows else counts
            values, places = np.round(values, 2), np.ones(len(rows))
    rest = [_rest(entry) for entry in counted.rest]
    unplaced = sum(_int(r["n"]) for r in counted.rows) - int(counts.sum())
    if unplaced:
        rest.append({"reason": "no_area", "label": "无面积", "cases": unplaced})
    return {
        "run": _run_facts(found), "level": level, "unit": Unit.CASES.value,
        "per": "none" if rest_level == "cell" else "km2", "method": "natural",
        "filters": _filters(chosen), "classes": _classes(values, places, counts, k),
        "zero": {"places": int(places[values == 0].sum())}, "rest": rest,
        "total": int(counts.sum()) + sum(_int(r["cases"]) for r in rest),
        "generated_at": _run_facts(found)["created_at"], "synthetic": bool(context.city.synthetic),
    }  # fmt: skip


def months(context: Context) -> list[Row]:
    """Return the months with a finished density run, newest first (已计算月份)."""
    return read_list(context, "months")


def read_list(context: Context, name: str) -> list[Row]:
    """Return one of the small lists by which every code can be discovered (目录)."""
    with begin(context.engine) as tx:
        return metrics.read_list(tx, name)


def read_cell(context: Context, code: str) -> Row:
    """Return one unit grid (单元网格)."""
    with begin(context.engine) as tx:
        return metrics.read_cell(tx, code)


def read_region(context: Context, code: str) -> Row:
    """Return one district or zone (区域)."""
    with begin(context.engine) as tx:
        return metrics.read_region(tx, code)


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
    if not (np.isfinite(lon84) and np.isfinite(lat84) and abs(lat84) <= 90):  # noqa: PLR2004
        raise OutsideCity(f"point {lon}, {lat} in {word} is not on the globe")
    with begin(context.engine) as tx:
        found = metrics.locate(tx, float(lon84), float(lat84))
    approximate = any(found[f"{level}_quality"] in APPROXIMATE for level in ("street", "region"))
    return {
        "query": {"lon": lon, "lat": lat, "crs": word},
        "lon": round(float(lon84), 7), "lat": round(float(lat84), 7),
        "cell_code": found["cell_code"],
        "street": _place(found, "street"), "district": _place(found, "district"),
        "region": _place(found, "region"), "approximate": approximate,
    }  # fmt: skip


def tile(  # noqa: PLR0913 - a tile address has five parts
    context: Context, run: int, layer: str, z: int, x: int, y: int, *, chosen: CountFilter
) -> bytes:
    """Return one gzipped vector tile, empty if nothing is in it (矢量瓦片)."""
    with begin(context.engine) as tx:
        found = metrics.find_run(tx, kind="density", month=None, run=run)
        return metrics.tile(tx, found, layer, z, x, y, chosen)


def areas(context: Context, kind: str) -> gpd.GeoDataFrame:
    """Return today's `cells`, `districts`, `streets` or `water` as a WGS84 frame."""
    with begin(context.engine) as tx:
        rows = metrics.areas_frame(tx, kind)
    shapes = shapely.from_wkb([bytes(row.pop("wkb")) for row in rows])  # type: ignore[call-overload]
    frame = gpd.GeoDataFrame(rows, geometry=shapes, crs=4326)
    if "geom_quality" in frame:
        frame["approximate"] = frame["geom_quality"].isin(APPROXIMATE)
    return frame


def _rated(counted: DensityRows, per: str) -> list[Row]:
    rows: list[Row] = []
    for row in counted.rows:
        area = row["land_area_m2"]
        km2 = float(str(area)) / 1e6 if area else None
        value = _int(row["n"]) / km2 if per == "km2" and km2 else None
        rows.append({
            "code": row["code"], "name": row["name"], "name_en": row["name_en"],
            "kind": row["kind"], "group": row["group_code"],
            "approximate": row["geom_quality"] in APPROXIMATE,
            "numerator": _int(row["n"]),
            "denominator": round(km2, 4) if per == "km2" and km2 else None,
            "value": round(value, 2) if value is not None else None,
            "text": f"{value:,.2f}" if value is not None else f"{_int(row['n']):,}",
            "share_text": None,
        })  # fmt: skip
    return rows


def _add_shares(rows: list[Row], groups: dict[str, Row], *, whole: bool) -> None:
    """Add the share within the reporting group: numerator and denominator beside the text."""
    totals: dict[str, int] = {}
    for row in rows:
        key = str(row["group"])
        totals[key] = totals.get(key, 0) + _int(row["numerator"])
    for row in rows:
        group = groups.get(str(row["group"]))
        row["group_name"] = group["name"] if group else None
        if group is not None and whole:
            rate = Rate(Unit.CASES, _int(row["numerator"]), totals[str(row["group"])])
            row["group_total"] = rate.denominator
            row["share_text"] = f"{percent_text(rate)}%" if rate.denominator else percent_text(rate)


def _classes(
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    places: np.ndarray[tuple[int], np.dtype[np.float64]],
    counts: np.ndarray[tuple[int], np.dtype[np.float64]],
    k: int,
) -> list[Row]:
    positive = values > 0
    if not positive.any():
        return []
    distinct, inverse = np.unique(values[positive], return_inverse=True)
    weights = np.bincount(inverse, weights=places[positive])
    bounds = natural_breaks(distinct, weights, k)
    which = np.searchsorted(bounds, values[positive], side="left")
    rows: list[Row] = []
    low = 0.0
    for number, high in enumerate(bounds):
        mine = which == number
        rows.append({"lo": low, "hi": float(high), "places": int(places[positive][mine].sum()),
                     "cases": int(counts[positive][mine].sum())})  # fmt: skip
        low = float(high)
    return rows


def _areas(rows: list[Row]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([float(str(row["land_area_m2"])) for row in rows], dtype=np.float64)


def _rest(entry: Row) -> Row:
    reason = str(entry["reason"])
    return {"reason": reason, "label": REST_LABELS.get(reason, reason), "cases": _int(entry["n"])}


def _run_id(run: Row) -> int:
    return _int(run["run_id"])


def _run_facts(run: Row) -> Row:
    return {
        "id": run["run_id"], "kind": run["kind"], "month": run["month"], "unit": run["unit"],
        "cases": run["rows_in"], "grid_version": run["grid_version"],
        "gridgis_version": run["gridgis_version"],
        "created_at": run["ended_at"].isoformat(),  # type: ignore[attr-defined]
    }  # fmt: skip


def _filters(chosen: CountFilter) -> Row:
    return {"category": chosen.category, "source": chosen.source, "district": chosen.district}


def _place(found: Row, level: str) -> Row | None:
    if found[f"{level}_code"] is None:
        return None
    quality = found[f"{level}_quality"]
    return {"code": found[f"{level}_code"], "name": found[f"{level}_name"],
            "quality": quality, "approximate": quality in APPROXIMATE}  # fmt: skip


def _int(value: object) -> int:
    return int(value)  # type: ignore[call-overload, no-any-return]


def ready(context: Context) -> bool:
    """Tell whether the database answers and holds a finished run (就绪)."""
    with begin(context.engine) as tx:
        return bool(metrics.read_list(tx, "months"))
