"""Store areas and unit grids, and place the cases in them again (区域与单元网格)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from gridgis.crs import require_crs
from gridgis.store import areas
from gridgis.store.engine import begin
from gridgis.store.placement import place_stored

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridgis.model.profile import CityProfile
    from gridgis.services.context import Context
    from gridgis.store.areas import GridFacts, Validity
    from gridgis.store.engine import Connection

WGS84 = "EPSG:4326"


@dataclass(frozen=True, slots=True)
class AreaLayer:
    """Areas of one kind, ready to store: WGS84 with `code` and `name` (区域图层)."""

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

    Regions get group, priority and English name from the profile; regions that the profile
    names but that have no polygon are kept without one, so that stated regions still count.
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
        synthetic`, as `boundaries.make_cells` returns them.
    """
    require_crs(cells, f"EPSG:{context.city.measuring_srid}")
    rows = zip(
        cells["cell_code"].tolist(), shapely.to_wkb(cells.geometry.to_numpy()).tolist(),
        cells["area_m2"].tolist(), _integers(cells["ix"]), _integers(cells["iy"]),
        cells["whole"].tolist(), _texts(cells["district_code"]), _texts(cells["street_code"]),
        cells["synthetic"].tolist(), strict=True,
    )  # fmt: skip
    with begin(context.engine) as tx:
        count = areas.insert_grid(tx, facts, rows)
        areas.place_cells_in_regions(tx)
        return Stored(count, place_stored(tx))


def read_areas(context: Context, kind: str) -> gpd.GeoDataFrame:
    """Return today's areas of one kind as a WGS84 frame with `code` and `name`."""
    with begin(context.engine) as tx:
        rows = areas.read_areas(tx, kind)
    return gpd.GeoDataFrame(
        {"code": [row[0] for row in rows], "name": [row[1] for row in rows]},
        geometry=shapely.from_wkb([row[2] for row in rows]), crs=WGS84,
    )  # fmt: skip


def grid_versions(context: Context) -> list[dict[str, object]]:
    """Return the versions of the unit grid, newest first (单元网格版本)."""
    with begin(context.engine) as tx:
        return areas.grid_versions(tx)


def _store(tx: Connection, layer: AreaLayer, profile: CityProfile, validity: Validity) -> int:
    require_crs(layer.frame, WGS84)
    wkb = shapely.to_wkb(layer.frame.geometry.to_numpy()).tolist()
    shared = {"geom_quality": layer.quality, "attribution": layer.attribution}
    codes, names = layer.frame["code"].tolist(), layer.frame["name"].tolist()
    if layer.kind == "water":
        return areas.replace_water(tx, [
            {"name": name, "attribution": layer.attribution, "wkb": shape}
            for name, shape in zip(names, wkb, strict=True)
        ])  # fmt: skip
    if layer.kind == "street":
        return areas.replace_streets(tx, [
            {"street_code": code, "name": name, "district_code": code[:6], "wkb": shape, **shared}
            for code, name, shape in zip(codes, names, wkb, strict=True)
        ], validity=validity)  # fmt: skip
    return areas.replace_regions(
        tx, _region_rows(profile, layer.kind, dict(zip(codes, zip(names, wkb, strict=True),
                                                        strict=True)), shared),
        kind=layer.kind, validity=validity,
    )  # fmt: skip


def _region_rows(
    profile: CityProfile,
    kind: str,
    shapes: dict[str, tuple[str, bytes]],
    shared: dict[str, str],
) -> list[dict[str, object]]:
    known = {region.code: region for region in profile.regions if region.kind == kind}
    rows: list[dict[str, object]] = []
    for position, code in enumerate([*known, *sorted(set(shapes) - set(known))]):
        region, shape = known.get(code), shapes.get(code)
        rows.append({
            "region_code": code,
            "name": region.name if region else shapes[code][0],
            "name_en": region.name_en if region else shapes[code][0],
            "group_code": (region.group or None) if region else None,
            "position": position,
            "priority": region.priority if region else (20 if kind == "zone" else 10),
            "wkb": shape[1] if shape else None,
            **(shared if shape else {"geom_quality": "none", "attribution": ""}),
        })  # fmt: skip
    return rows


def _integers(column: object) -> list[int | None]:
    return [None if value is None or np.isnan(value) else int(value) for value in column]  # type: ignore[attr-defined]


def _texts(column: object) -> list[str | None]:
    return [value if isinstance(value, str) and value else None for value in column]  # type: ignore[attr-defined]
