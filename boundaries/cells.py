"""
Square unit grids that tile an area exactly (单元网格生成).

Squares of one size in the measuring CRS, origin (0, 0), cut by the outer area less the water and
by district borders only. Codes have 15 digits: the street of the representative point, a
synthetic community 600-999, a sequence from north to south and west to east (DB11/T 2157-2023).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridgis.codes import SYNTHETIC_COMMUNITIES, cell_code, check_division
from gridgis.errors import CrsError, GeometryError, LimitExceeded

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    Shapes = NDArray[np.object_]

SNAP_M = 2.0**-16
"""Vertices lie on a raster of 15 µm, so that neighbours share them exactly; a power of two, so
that side tests on edges below 180 m are exact in doubles."""
COARSE = 16
"""Side of a pre-cut block in squares: cutting in two steps keeps polygons small."""
SLIVER_SHARE = 0.1
"""A piece below this share of a square joins a neighbour."""
MOST_CELLS = 500_000


def make_cells(
    districts: gpd.GeoDataFrame,
    *,
    size_m: int,
    crs: str,
    streets: gpd.GeoDataFrame | None = None,
    water: gpd.GeoDataFrame | None = None,
    within: BaseGeometry | None = None,
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
    LimitExceeded
        If the area would need more than 500,000 squares.
    """
    land, planar = _land(districts, crs, water, within)
    if land.is_empty:
        raise GeometryError("nothing to tile: the area less the water is empty")
    if land.area > MOST_CELLS * size_m**2:
        raise LimitExceeded(
            f"{land.area / 1e6:,.0f} km² need about {land.area / size_m**2:,.0f} cells of "
            f"{size_m} m, more than {MOST_CELLS:,}: name a smaller area (--within) or larger "
            "cells (--size-m)"
        )
    pieces = _merge_slivers(_cut_squares(land, planar, size_m), size_m)
    points = _representative(pieces)
    pieces["street_code"] = _streets_of(points, pieces["district_code"], streets, crs)
    return _coded(pieces, points, size_m, crs)


def loaded_cells(areas: gpd.GeoDataFrame, *, crs: str) -> gpd.GeoDataFrame:
    """
    Return a city's own cells, of any shape, in the columns of `make_cells` (导入单元网格).

    Parameters
    ----------
    areas : GeoDataFrame
        `code` (15 digits, checked) and polygons, any declared CRS.
    crs : str
        Measuring CRS, `EPSG:n`.

    Notes
    -----
    District and street are read from the code. A cell with a synthetic community, as an export of
    generated cells has, stays marked.
    """
    planar = areas.to_crs(crs).sort_values("code")
    codes, shapes = planar["code"].astype(str), planar.geometry.to_numpy()
    return gpd.GeoDataFrame(
        {
            "cell_code": codes,
            "area_m2": shapely.area(shapes),
            "ix": None,
            "iy": None,
            "whole": False,
            "district_code": codes.str[:6],
            "street_code": codes.str[:9],
            "synthetic": codes.str[9:12].astype(int).isin(SYNTHETIC_COMMUNITIES),
        },
        geometry=shapes,
        crs=crs,
    ).reset_index(drop=True)


def _land(
    districts: gpd.GeoDataFrame,
    crs: str,
    water: gpd.GeoDataFrame | None,
    within: BaseGeometry | None,
) -> tuple[BaseGeometry, pd.DataFrame]:
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
        land = _polygonal(shapely.intersection(land, within, grid_size=SNAP_M))
    if water is not None and len(water):
        land = shapely.difference(land, water.to_crs(crs).union_all(), grid_size=SNAP_M)
    return _polygonal(land), pd.DataFrame({"code": planar["code"].to_numpy(), "shape": shapes})


def _cut_squares(land: BaseGeometry, districts: pd.DataFrame, size_m: int) -> pd.DataFrame:
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
    """Split the pieces that a border crosses; on an overlap the lowest district code."""
    names, shapes = districts["code"].to_numpy(), districts["shape"].to_numpy()
    shapely.prepare(shapes)
    order, found = shapely.STRtree(pieces).query(shapes, predicate="intersects")
    table = pd.DataFrame({"piece": found, "district": order}).sort_values(["piece", "district"])
    shared = table["piece"].duplicated(keep=False).to_numpy()
    alone = table[~shared]
    done = [pieces[alone["piece"].to_numpy()]]
    codes = [names[alone["district"].to_numpy()]]
    for piece, group in table[shared].groupby("piece")["district"]:
        own = group.to_numpy()
        faces = _faces(pieces[int(str(piece))], shapely.boundary(shapes[own]))
        inside = shapely.covers(shapes[own][:, None], shapely.point_on_surface(faces)[None, :])
        done.append(faces)
        codes.append(names[own[np.argmax(inside, axis=0)]])
    return np.concatenate(done), np.concatenate(codes)


def _faces(piece: BaseGeometry, borders: Shapes) -> Shapes:
    """Return the faces into which lines divide a piece: they share their edges vertex by vertex."""
    lines = [shapely.boundary(piece), *shapely.intersection(borders, piece)]
    noded = shapely.union_all(lines, grid_size=SNAP_M)
    faces = _areas(np.array([shapely.polygonize(shapely.get_parts(noded))]))
    shapely.prepare(piece)
    inside: Shapes = faces[shapely.covers(piece, shapely.point_on_surface(faces))]
    return inside


def _areas(shapes: Shapes) -> Shapes:
    """Return the connected polygons of some geometries."""
    parts = shapely.get_parts(shapes)
    areas: Shapes = parts[shapely.area(parts) > 0]
    return areas


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
    """
    Join every small piece to the neighbour with the longest shared edge.

    A neighbour in the piece's own district goes first: a district border moves only for a speck
    that the rest of its district does not touch.
    """
    table = _ordered(table)
    shapes, whole = table["shape"].to_numpy().copy(), table["whole"].to_numpy().copy()
    districts = table["district_code"].to_numpy()
    limit = SLIVER_SHARE * size_m * size_m
    tree = shapely.STRtree(shapes)
    home = np.arange(len(table))
    areas = shapely.area(shapes)
    for index in np.argsort(areas, kind="stable")[: np.count_nonzero(areas < limit)]:
        if home[index] != index or shapely.area(shapes[index]) >= limit:
            continue
        near = {_root(home, i) for i in tree.query(shapes[index], predicate="intersects")}
        others = np.array(sorted(near - {index}), dtype=np.int64)
        edges = shapely.length(shapely.intersection(shapes[index], shapes[others]))
        if not (edges > 0).any():
            continue
        own = (edges > 0) & (districts[others] == districts[index])
        best = others[np.argmax(np.where(own, edges, 0) if own.any() else edges)]
        shapes[best] = shapely.union(shapes[best], shapes[index])
        whole[best] = False
        home[index] = best
    left: pd.DataFrame = table.assign(shape=shapes, whole=whole)[home == np.arange(len(table))]
    return left.reset_index(drop=True)


def _root(home: NDArray[np.int64], index: int) -> int:
    while home[index] != index:
        index = int(home[index])
    return index


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    """Sort pieces by place and write each in one way: the order of the input does not matter."""
    shapes = shapely.normalize(table["shape"].to_numpy())
    bounds = shapely.bounds(shapes)
    keys = (shapely.area(shapes), *bounds.T[::-1], table["ix"].to_numpy(), table["iy"].to_numpy())
    return table.assign(shape=shapes).iloc[np.lexsort(keys)].reset_index(drop=True)


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


def _polygonal(shape: BaseGeometry) -> BaseGeometry:
    parts = _areas(np.array([shape]))
    return shapely.multipolygons(list(parts)) if len(parts) else shapely.MultiPolygon()
