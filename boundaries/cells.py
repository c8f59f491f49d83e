"""
Square unit grids that tile an area exactly (单元网格生成).

Squares of one size in the measuring CRS, origin (0, 0), cut by the outer area less the water and
by district borders only. Codes have 15 digits: the street of the representative point, a
synthetic community 600-999, a sequence from north to south and west to east (DB11/T 2157-2023).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridgis.codes import cell_code, check_division
from gridgis.errors import CrsError, GeometryError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]

SNAP_M = 0.001
"""Cut vertices lie on a millimetre raster, so that neighbours share them exactly."""
COARSE = 16
"""Side of a pre-cut block in squares: cutting in two steps keeps polygons small."""
SLIVER_SHARE = 0.1
"""A piece below this share of a square joins a neighbour."""


def make_cells(
    districts: gpd.GeoDataFrame,
    *,
    size_m: int,
    crs: str,
    streets: gpd.GeoDataFrame | None = None,
    water: gpd.GeoDataFrame | None = None,
    within: shapely.Geometry | None = None,
) -> gpd.GeoDataFrame:
    """
    Return square cells that tile the districts less the water exactly (生成单元网格).

    Parameters
    ----------
    districts : GeoDataFrame
        `code` (6 digits) and polygons, any declared CRS.
    size_m : int
        Side of a square in metres.
    crs : str
        Measuring CRS, `EPSG:n`.
    streets : GeoDataFrame, optional
        `code` (9 digits) and polygons; without it the street part is 000.
    water : GeoDataFrame, optional
        Polygons to leave out.
    within : Geometry, optional
        Outer area in the measuring CRS, as `area_within` returns it.

    Returns
    -------
    GeoDataFrame
        In `crs`, sorted by `cell_code`: `cell_code geometry area_m2 ix iy whole district_code
        street_code synthetic`. `whole` marks uncut squares, whose key (ix, iy) alone decides
        what lies inside. The same input in any order gives the same codes.

    Raises
    ------
    CrsError
        If a frame has no CRS.
    CodeError
        If a district or street code is malformed, or a street holds too many cells.
    GeometryError
        If nothing is left to tile.
    """
    land, planar = _land(districts, crs, water, within)
    if land.is_empty:
        raise GeometryError("nothing to tile: the area less the water is empty")
    pieces = _merge_slivers(_cut_squares(land, planar, size_m), size_m)
    points = _representative(pieces)
    pieces["street_code"] = _streets_of(points, pieces["district_code"], streets, crs)
    return _coded(pieces, points, size_m, crs)


def area_within(
    specs: Iterable[str],
    *,
    regions: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    seats: Mapping[str, tuple[float, float]],
    crs: str,
    water: gpd.GeoDataFrame | None = None,
) -> shapely.Geometry:
    """
    Return the union of named areas in the measuring CRS (网格范围).

    Parameters
    ----------
    specs : iterable of str
        `district:CODE`, `zone:CODE`, `street:CODE`, each optionally `@RADIUS_M`: cut to a circle
        round the seat point of that street (districts and zones: round their centroid).
    seats : mapping
        Street code to WGS84 (lon, lat).

    Raises
    ------
    InputError
        If a spec is malformed or names no area; it is quoted.
    """
    tables = {"district": regions, "zone": regions, "street": streets}
    shapes = {
        kind: dict(zip(frame["code"], frame.to_crs(crs).geometry, strict=True))
        for kind, frame in tables.items()
    }
    found = [_area_of(spec, shapes, seats, crs) for spec in specs]
    area = shapely.union_all(found)
    if water is not None and len(water):
        area = shapely.difference(area, water.to_crs(crs).union_all())
    return area


def _area_of(
    spec: str,
    shapes: Mapping[str, Mapping[str, shapely.Geometry]],
    seats: Mapping[str, tuple[float, float]],
    crs: str,
) -> shapely.Geometry:
    name, _, radius = spec.partition("@")
    kind, _, code = name.partition(":")
    if kind not in shapes:
        raise InputError(f"--within {spec!r}: expected KIND:CODE or KIND:CODE@RADIUS_M with kind "
                         f"{', '.join(shapes)}")  # fmt: skip
    if code not in shapes[kind]:
        raise InputError(f"--within {spec!r}: no {kind} {code} with a polygon is loaded")
    area = shapes[kind][code]
    if not radius:
        return area
    if not radius.isdigit() or int(radius) == 0:
        raise InputError(f"--within {spec!r}: the radius must be a whole number of metres")
    if kind == "street" and code in seats:
        centre = gpd.GeoSeries([shapely.Point(seats[code])], crs=4326).to_crs(crs).iloc[0]
    elif kind == "street":
        raise InputError(f"--within {spec!r}: street {code} has no seat point in streets.csv")
    else:
        centre = area.centroid
    return shapely.intersection(area, centre.buffer(int(radius), quad_segs=16))


def _land(
    districts: gpd.GeoDataFrame,
    crs: str,
    water: gpd.GeoDataFrame | None,
    within: shapely.Geometry | None,
) -> tuple[shapely.Geometry, pd.DataFrame]:
    """Return the area to tile, and `code, shape` of the districts, all on the raster."""
    for name, frame in (("districts", districts), ("water", water)):
        if frame is not None and frame.crs is None:
            raise CrsError(f"{name} have no CRS: declare it with .set_crs()")
    planar = districts.to_crs(crs).sort_values("code")
    for code in planar["code"]:
        check_division(code, digits=6)
    shapes = shapely.set_precision(planar.geometry.to_numpy(), SNAP_M)
    land = shapely.union_all(shapes, grid_size=SNAP_M)
    if within is not None:
        land = shapely.intersection(land, within, grid_size=SNAP_M)
    if water is not None and len(water):
        land = shapely.difference(land, water.to_crs(crs).union_all(), grid_size=SNAP_M)
    return _polygonal(land), pd.DataFrame({"code": planar["code"].to_numpy(), "shape": shapes})


def _cut_squares(land: shapely.Geometry, districts: pd.DataFrame, size_m: int) -> pd.DataFrame:
    """Cut the land into squares, then along district borders; one row a connected piece."""
    blocks = _cut(np.array([land]), size_m * COARSE)
    shapes, codes = _split_by_district(_cut(blocks, size_m), districts)
    table = pd.DataFrame({"shape": shapes, "district_code": codes})
    centres = shapely.get_coordinates(shapely.centroid(shapely.envelope(shapes)))
    table["ix"] = np.floor(centres[:, 0] / size_m).astype(int)
    table["iy"] = np.floor(centres[:, 1] / size_m).astype(int)
    squares = _squares(table["ix"].to_numpy(), table["iy"].to_numpy(), size_m)
    table["whole"] = shapely.equals(shapes, squares) & (
        shapely.get_num_coordinates(shapes) == 5  # noqa: PLR2004 - four corners, closed
    )
    return table


def _split_by_district(
    pieces: Shapes, districts: pd.DataFrame
) -> tuple[Shapes, NDArray[np.object_]]:
    """Split pieces on a border. The last district takes the rest, so nothing overlaps or is lost."""
    names, shapes = districts["code"].to_numpy(), districts["shape"].to_numpy()
    tree = shapely.STRtree(pieces)
    order, found = tree.query(shapes, predicate="intersects")
    table = pd.DataFrame({"piece": found, "district": order}).sort_values(["piece", "district"])
    alone = ~table["piece"].duplicated(keep=False)
    done = [pieces[table.loc[alone, "piece"]]]
    codes = [names[table.loc[alone, "district"]]]
    for piece, group in table[~alone].groupby("piece"):
        rest = pieces[piece]
        *first, last = group["district"]
        for district in first:
            part = _polygonal(shapely.intersection(rest, shapes[district], grid_size=SNAP_M))
            rest = _polygonal(shapely.difference(rest, part, grid_size=SNAP_M))
            own = _areas(np.array([part]))
            done.append(own)
            codes.append(np.full(len(own), names[district], dtype=object))
        own = _areas(np.array([rest]))
        done.append(own)
        codes.append(np.full(len(own), names[last], dtype=object))
    return np.concatenate(done), np.concatenate(codes)


def _areas(shapes: Shapes) -> Shapes:
    """Return the connected polygons of some geometries."""
    parts: Shapes = shapely.get_parts(shapes)
    return parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) > 0)]  # noqa: PLR2004


def _cut(shapes: Shapes, side: int) -> Shapes:
    """Return the connected pieces of polygons in squares of one side."""
    found: list[Shapes] = [np.array([], dtype=object)]
    for shape in shapes:
        west, south, east, north = (int(np.floor(v / side)) for v in shapely.bounds(shape))
        columns, rows = np.meshgrid(np.arange(west, east + 1), np.arange(south, north + 1))
        squares = _squares(columns.ravel(), rows.ravel(), side)
        shapely.prepare(shape)
        squares = squares[shapely.intersects(shape, squares)]
        inside = shapely.covers(shape, squares)
        cut = shapely.intersection(shape, squares[~inside], grid_size=SNAP_M)
        found.append(_areas(np.concatenate([squares[inside], cut])))
    return np.concatenate(found)


def _squares(ix: NDArray[np.int64], iy: NDArray[np.int64], side: int) -> Shapes:
    x, y = ix.astype(float) * side, iy.astype(float) * side
    squares: Shapes = shapely.box(x, y, x + side, y + side)
    return squares


def _merge_slivers(table: pd.DataFrame, size_m: int) -> pd.DataFrame:
    """Join every small piece to the neighbour with the longest shared edge, same district first."""
    table = _ordered(table)
    shapes = table["shape"].to_numpy().copy()
    areas = shapely.area(shapes)
    districts = table["district_code"].to_numpy()
    alive = np.ones(len(table), dtype=bool)
    whole = table["whole"].to_numpy().copy()
    limit = SLIVER_SHARE * size_m * size_m
    tree = shapely.STRtree(shapes)
    home = np.arange(len(table))
    for index in np.argsort(areas, kind="stable"):
        if shapely.area(shapes[index]) >= limit or not alive[index]:
            continue
        near = {_root(home, int(i)) for i in tree.query(shapes[index], predicate="intersects")}
        others = np.array(sorted(i for i in near if i != index and alive[i]), dtype=int)
        if not len(others):
            continue
        edges = shapely.length(shapely.intersection(shapes[index], shapes[others]))
        touching = others[edges > 0]
        if not len(touching):
            continue
        best = max(
            zip(touching, edges[edges > 0], strict=True),
            key=lambda pair: (districts[pair[0]] == districts[index], pair[1], -pair[0]),
        )[0]
        shapes[best] = shapely.union(shapes[best], shapes[index], grid_size=SNAP_M)
        whole[best] = False
        alive[index] = False
        home[index] = best
    merged = table.assign(shape=shapes, whole=whole)[alive]
    return merged.reset_index(drop=True)


def _root(home: NDArray[np.int64], index: int) -> int:
    while home[index] != index:
        index = int(home[index])
    return index


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Sort pieces by place, so that the order of the input does not matter."""
    bounds = shapely.bounds(table["shape"].to_numpy())
    keys = table.assign(_x=bounds[:, 0], _y=bounds[:, 1])
    keys = keys.sort_values(["iy", "ix", "_y", "_x", "district_code"], kind="stable")
    return keys.drop(columns=["_x", "_y"]).reset_index(drop=True)


def _representative(pieces: pd.DataFrame) -> Shapes:
    shapes = pieces["shape"].to_numpy()
    points: Shapes = shapely.point_on_surface(shapes)
    whole = pieces["whole"].to_numpy()
    points[whole] = shapely.centroid(shapes[whole])
    return points


def _streets_of(
    points: Shapes,
    districts: pd.Series[str],
    streets: gpd.GeoDataFrame | None,
    crs: str,
) -> NDArray[np.object_]:
    """Return the street code of every representative point; nearest of its district in a gap."""
    codes = np.array([f"{code}000" for code in districts], dtype=object)
    if streets is None or streets.empty:
        return codes
    planar = streets.to_crs(crs).sort_values("code")
    for code in planar["code"]:
        check_division(code, digits=9)
    for district in np.unique(districts.to_numpy().astype(str)):
        own = planar[planar["code"].str[:6] == district]
        mine = np.flatnonzero(districts.to_numpy() == district)
        if own.empty:
            continue
        tree = shapely.STRtree(own.geometry.to_numpy())
        names = own["code"].to_numpy()
        nearest = tree.query_nearest(points[mine], all_matches=True)
        for position, street in zip(*nearest[:, ::-1], strict=True):
            codes[mine[position]] = names[street]  # reversed: the lowest code is written last
    return codes


def _coded(pieces: pd.DataFrame, points: Shapes, size_m: int, crs: str) -> gpd.GeoDataFrame:
    x, y = shapely.get_x(points), shapely.get_y(points)
    table = pieces.assign(_x=x, _y=y, _row=-np.floor(y / size_m))
    table = table.sort_values(["street_code", "_row", "_x", "_y"], kind="stable")
    position = table.groupby("street_code", sort=False).cumcount()
    table["cell_code"] = [
        cell_code(street, number)
        for street, number in zip(table["street_code"], position, strict=True)
    ]
    table = table.sort_values("cell_code").reset_index(drop=True)
    shapes = table["shape"].to_numpy()
    return gpd.GeoDataFrame(
        {
            "cell_code": table["cell_code"], "area_m2": shapely.area(shapes),
            "ix": table["ix"], "iy": table["iy"], "whole": table["whole"].astype(bool),
            "district_code": table["district_code"], "street_code": table["street_code"],
            "synthetic": True,
        },
        geometry=shapes, crs=crs,
    )  # fmt: skip


def _polygonal(shape: shapely.Geometry) -> shapely.Geometry:
    parts = _areas(np.array([shape]))
    return shapely.multipolygons(list(parts)) if len(parts) else shapely.MultiPolygon()
