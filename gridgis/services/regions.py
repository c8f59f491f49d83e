"""Store areas and unit grids, and place the cases in them again (区域与单元网格)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridgis.crs import require_crs
from gridgis.intake.profile import PRIORITIES
from gridgis.model.profile import Region
from gridgis.services.lookup import APPROXIMATE
from gridgis.store import areas
from gridgis.store.engine import begin
from gridgis.store.placement import place_stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from gridgis.model.profile import CityProfile
    from gridgis.services.context import Context
    from gridgis.store.areas import GridFacts, Validity
    from gridgis.store.engine import Connection

WGS84 = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class AreaLayer:
    """Areas of one kind, ready to store: WGS84 with `code`, each once, and `name` (区域图层)."""

    kind: str
    frame: gpd.GeoDataFrame
    quality: str
    attribution: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing areas or cells changed."""

    areas: int
    moved_cases: int


def store_areas(
    context: Context, layers: Iterable[AreaLayer], *, profile: CityProfile, validity: Validity
) -> Stored:
    """
    Store layers of districts, zones, streets or water, then place every case again.

    Regions get group, priority, English name and their own dates from the profile; those that
    the profile names but that have no polygon are kept without one, so that stated regions still
    count.
    """
    with begin(context.engine) as tx:
        count = sum(_store(tx, layer, profile, validity) for layer in layers)
        areas.settle_areas(tx)
        areas.place_cells_in_regions(tx)
        return Stored(count, place_stored(tx))


def store_grid(context: Context, cells: gpd.GeoDataFrame, *, facts: GridFacts) -> Stored:
    """
    Store one version of the unit grid, then place every case again (存入单元网格).

    Parameters
    ----------
    cells : GeoDataFrame
        In the measuring CRS: `cell_code geometry area_m2 ix iy whole district_code street_code
        synthetic`, as `boundaries.make_cells` returns them; `ix`, `iy` may be missing values.
    facts : GridFacts
        Its version gets a digest of the cells: a run of other cells under the same codes must not
        be drawn on these.
    """
    require_crs(cells, f"EPSG:{context.city.measuring_srid}")
    facts = replace(facts, version=f"{facts.version}-{_digest(cells)}")
    columns = ("area_m2", "ix", "iy", "whole", "district_code", "street_code", "synthetic")
    rows = zip(
        cells["cell_code"].tolist(),
        shapely.to_wkb(cells.geometry.to_numpy()).tolist(),
        *(_values(cells[name]) for name in columns),
        strict=True,
    )
    with begin(context.engine) as tx:
        count = areas.insert_grid(tx, facts, rows)
        areas.place_cells_in_regions(tx)
        return Stored(count, place_stored(tx))


def read_areas(context: Context, kind: str, *, day: date | None = None) -> gpd.GeoDataFrame:
    """
    Return the areas of one kind that hold on a day, today by default (读取区域).

    Returns
    -------
    GeoDataFrame
        WGS84, sorted by code: `code name kind quality approximate synthetic attribution
        valid_from valid_to`; cells have `grid_version district_code street_code region_code
        area_m2` besides.
    """
    with begin(context.engine) as tx:
        rows = areas.read_areas(tx, kind, day)
    shapes = shapely.from_wkb(np.array([row.pop("wkb") for row in rows], dtype=object))
    table = pd.DataFrame(rows) if rows else pd.DataFrame({"code": [], "name": [], "quality": []})
    flags = {"approximate": table["quality"].isin(APPROXIMATE)}
    if "synthetic" not in table:
        flags["synthetic"] = table["quality"] == "synthetic"
    return gpd.GeoDataFrame(table.assign(**flags), geometry=shapes, crs=WGS84)


def grid_versions(context: Context) -> list[dict[str, object]]:
    """Return the versions of the unit grid, newest first (单元网格版本)."""
    with begin(context.engine) as tx:
        return areas.grid_versions(tx)


def _store(tx: Connection, layer: AreaLayer, profile: CityProfile, validity: Validity) -> int:
    require_crs(layer.frame, WGS84)
    shapes = shapely.to_wkb(layer.frame.geometry.to_numpy()).tolist()
    named = list(
        zip(layer.frame["code"].tolist(), layer.frame["name"].tolist(), shapes, strict=True)
    )
    shared = {"geom_quality": layer.quality, "attribution": layer.attribution}
    if layer.kind == "water":
        lakes = [{"name": name, "wkb": wkb, **shared} for _, name, wkb in named]
        return areas.replace_water(tx, lakes)
    if layer.kind == "street":
        streets = [
            {"street_code": code, "name": name, "district_code": code[:6], "wkb": wkb, **shared}
            for code, name, wkb in named
        ]
        return areas.replace_streets(tx, streets, validity=validity)
    return areas.replace_regions(
        tx, _region_rows(profile, layer.kind, named, shared), kind=layer.kind, validity=validity
    )


def _region_rows(
    profile: CityProfile,
    kind: str,
    named: Sequence[tuple[str, str, bytes]],
    shared: dict[str, str],
) -> list[dict[str, object]]:
    """Return the profile's regions of a kind in its order, then those the layer adds."""
    known = {region.code: region for region in profile.regions if region.kind == kind}
    shapes = {code: (name, wkb) for code, name, wkb in named}
    rows: list[dict[str, object]] = []
    for position, code in enumerate([*known, *sorted(set(shapes) - set(known))]):
        name, wkb = shapes.get(code, ("", None))
        region = known.get(code) or Region(code, name, name, kind, "", PRIORITIES[kind])
        rows.append(
            {
                "region_code": code,
                "name": region.name,
                "name_en": region.name_en,
                "group_code": region.group or None,
                "position": position,
                "priority": region.priority,
                "own_from": str(region.valid_from or "-infinity"),
                "own_to": str(region.valid_to or "infinity"),
                "wkb": wkb,
                **(shared if wkb else {"geom_quality": "none", "attribution": ""}),
            }
        )
    return rows


def _digest(cells: gpd.GeoDataFrame) -> str:
    """Return eight hex digits over codes and shapes, whatever the order of the cells."""
    ordered = cells.sort_values("cell_code")
    shapes = shapely.to_wkb(ordered.geometry.to_numpy(), byte_order=1)
    content = hashlib.sha256("\n".join(ordered["cell_code"]).encode())
    for shape in shapes:
        content.update(shape)
    return content.hexdigest()[:8]


def _values(column: pd.Series) -> list[object]:
    """Return a column as plain values, None where one is missing."""
    return column.astype(object).where(column.notna(), None).tolist()
