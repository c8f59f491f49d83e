"""The outer area of a unit grid, named in words (网格范围)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from gridgis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry


def area_within(
    specs: Iterable[str],
    *,
    regions: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    seats: Mapping[str, tuple[float, float]],
    crs: str,
    water: gpd.GeoDataFrame | None = None,
) -> BaseGeometry:
    """
    Return the union of named areas in the measuring CRS (网格范围).

    Parameters
    ----------
    specs : iterable of str
        `district:CODE`, `zone:CODE`, `street:CODE`, each optionally `@RADIUS_M`: cut to a circle
        round the seat point of that street (districts and zones: round their centroid).
    regions, streets : GeoDataFrame
        `code` and polygons; districts and zones are both regions.
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
    area = shapely.union_all([_area_of(spec, shapes, seats, crs) for spec in specs])
    if water is not None and len(water):
        area = shapely.difference(area, water.to_crs(crs).union_all())
    return area


def _area_of(
    spec: str,
    shapes: Mapping[str, Mapping[str, BaseGeometry]],
    seats: Mapping[str, tuple[float, float]],
    crs: str,
) -> BaseGeometry:
    name, _, radius = spec.partition("@")
    kind, _, code = name.partition(":")
    if kind not in shapes:
        raise InputError(
            f"--within {spec!r}: expected KIND:CODE or KIND:CODE@RADIUS_M with kind "
            f"{', '.join(shapes)}"
        )
    if code not in shapes[kind]:
        raise InputError(f"--within {spec!r}: no {kind} {code} with a polygon is loaded")
    area = shapes[kind][code]
    if not radius:
        return area
    if not (radius.isascii() and radius.isdigit()) or int(radius) == 0:
        raise InputError(f"--within {spec!r}: the radius must be a whole number of metres")
    if kind == "street" and code in seats:
        centre = gpd.GeoSeries([shapely.Point(seats[code])], crs=4326).to_crs(crs).iloc[0]
    elif kind == "street":
        raise InputError(f"--within {spec!r}: street {code} has no seat point in streets.csv")
    else:
        centre = area.centroid
    return shapely.intersection(area, centre.buffer(int(radius), quad_segs=16))
