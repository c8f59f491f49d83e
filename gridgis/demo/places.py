"""Where synthetic cases lie: clustered points inside management regions (合成点位)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from boundaries.cells import make_cells
from boundaries.read import read_vector
from boundaries.within import area_within

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.model.profile import CityProfile

    FloatArray = NDArray[np.float64]

BORDER_M = 5.0
"""Points keep this distance from borders, so that rounding never changes their region."""
PER_CLUSTER = 45
CLUSTERED = 0.78
SPREAD_M = (90.0, 18.0)
"""Standard deviations along and across a street-like cluster."""


@dataclass(frozen=True, slots=True)
class Ground:
    """The city's areas in the measuring CRS."""

    crs: str
    regions: dict[str, shapely.Geometry]
    """Land of each management region: zones taken out of districts, water out of both."""
    cells: gpd.GeoDataFrame
    core: shapely.Geometry
    streets: gpd.GeoDataFrame


def read_ground(profile: CityProfile) -> Ground:
    """Read the layers of a profile and make its unit grids."""
    layers = {layer.kind: read_vector(layer.path, crs=layer.crs) for layer in profile.layers}
    crs = profile.measuring_crs
    planar = {kind: frame.to_crs(crs) for kind, frame in layers.items()}
    water = planar["water"].union_all() if "water" in planar else shapely.Polygon()
    zones = planar.get("zone", planar["district"].iloc[:0])
    taken = shapely.union_all([*zones.geometry, water])
    regions = {
        code: shapely.difference(shape, taken)
        for code, shape in zip(planar["district"]["code"], planar["district"].geometry, strict=True)
    }
    regions |= {
        code: shapely.difference(shape, water)
        for code, shape in zip(zones["code"], zones.geometry, strict=True)
    }
    joined = gpd.GeoDataFrame(pd.concat([layers["district"], layers.get("zone")]), crs=4326)
    core = area_within(
        profile.cells_within, regions=joined, streets=layers["street"],
        seats={s.code: s.seat for s in profile.streets if s.seat}, crs=crs,
        water=layers.get("water"),
    )  # fmt: skip
    cells = make_cells(
        layers["district"],
        size_m=profile.cell_size_m,
        crs=crs,
        streets=layers["street"],
        water=layers.get("water"),
        within=core,
    )
    return Ground(crs, {c: shapely.buffer(s, -BORDER_M) for c, s in regions.items()}, cells, core,
                  planar["street"])  # fmt: skip


def scatter(
    ground: Ground, region: str, count: int, *, core_share: float, rng: np.random.Generator
) -> FloatArray:
    """
    Return points of a region, clustered along street-like strips.

    Returns
    -------
    (count, 2) float64
        Easting and northing in the measuring CRS.
    """
    shape = ground.regions[region]
    core = shapely.intersection(shape, ground.core)
    in_core = 0 if core.area < 1e4 else round(count * core_share)  # noqa: PLR2004 - one cell
    parts = [_clustered(core, in_core, rng), _clustered(shape, count - in_core, rng)]
    points = np.concatenate(parts)
    return points[rng.permutation(count)]


def inside_only(
    ground: Ground, region: str, count: int, *, inside_m: float, rng: np.random.Generator
) -> FloatArray:
    """Return points of a region's unit grids that lie far inside it."""
    deep = shapely.intersection(shapely.buffer(ground.regions[region], -inside_m), ground.core)
    return _clustered(deep, count, rng)


def to_lonlat(ground: Ground, points: FloatArray) -> FloatArray:
    """Return WGS84 lon/lat of measured points."""
    transformer = Transformer.from_crs(ground.crs, 4326, always_xy=True)
    return np.column_stack(transformer.transform(points[:, 0], points[:, 1]))


def from_lonlat(ground: Ground, lon: FloatArray, lat: FloatArray) -> FloatArray:
    """Return measured points of WGS84 lon/lat."""
    transformer = Transformer.from_crs(4326, ground.crs, always_xy=True)
    return np.column_stack(transformer.transform(lon, lat))


def cell_codes(ground: Ground, points: FloatArray, size_m: int) -> NDArray[np.object_]:
    """Return the code of the uncut square that holds each point, else None."""
    whole = ground.cells[ground.cells["whole"]]
    index = pd.Series(whole["cell_code"].to_numpy(), index=pd.MultiIndex.from_arrays(
        [whole["ix"].to_numpy(), whole["iy"].to_numpy()]))  # fmt: skip
    keys = pd.MultiIndex.from_arrays(
        [np.floor(points[:, 0] / size_m).astype(int), np.floor(points[:, 1] / size_m).astype(int)]
    )
    found = index.reindex(keys).to_numpy(dtype=object)
    found[pd.isna(found)] = None
    return found


def _clustered(shape: shapely.Geometry, count: int, rng: np.random.Generator) -> FloatArray:
    if count == 0:
        return np.empty((0, 2))
    clusters = max(1, count // PER_CLUSTER)
    centres = _uniform(shape, clusters, rng)
    weights = rng.pareto(1.6, clusters) + 0.15
    weights /= weights.sum()
    angles = rng.choice([0.0, np.pi / 2], clusters) + rng.normal(0, 0.12, clusters)
    shapely.prepare(shape)
    found = [_uniform(shape, count - int(count * CLUSTERED), rng)]
    left = count - len(found[0])
    while left > 0:
        own = rng.choice(clusters, left, p=weights)
        along, across = (rng.normal(0, spread, left) for spread in SPREAD_M)
        cos, sin = np.cos(angles[own]), np.sin(angles[own])
        points = centres[own] + np.column_stack(
            [along * cos - across * sin, along * sin + across * cos]
        )
        good = points[shapely.contains_xy(shape, points[:, 0], points[:, 1])]
        found.append(good)
        left -= len(good)
    return np.concatenate(found)


def _uniform(shape: shapely.Geometry, count: int, rng: np.random.Generator) -> FloatArray:
    """Sample a polygon uniformly by rejection."""
    west, south, east, north = shapely.bounds(shape)
    shapely.prepare(shape)
    found: list[FloatArray] = []
    have = 0
    while have < count:
        points = rng.uniform((west, south), (east, north), (max(64, (count - have) * 4), 2))
        good = points[shapely.contains_xy(shape, points[:, 0], points[:, 1])]
        found.append(good)
        have += len(good)
    return np.concatenate([*found, np.empty((0, 2))])[:count]
