"""`gridgis locate`: what covers a point (坐标定位)."""

from __future__ import annotations

from typing import Annotated

import typer

from gridgis.cli.output import JsonFlag, say, say_json
from gridgis.config import Settings
from gridgis.model.query import parse_numbers
from gridgis.services.context import open_context
from gridgis.services.places import locate as locate_point


def locate(
    *,
    lonlat: Annotated[str, typer.Option(help="LON,LAT of the point.")],
    crs: Annotated[str, typer.Option(help="wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")],
    as_json: JsonFlag = False,
) -> None:
    """Say in which cell, street and regions a point lies (坐标所在网格与区域)."""
    lon, lat = parse_numbers("lonlat", lonlat, count=2)
    found = locate_point(open_context(Settings()), lon, lat, crs=crs)
    if as_json:
        say_json(found)
        return
    say(f"WGS84 {found['lon']}, {found['lat']}")
    say(f"单元网格: {found['cell_code'] or '—（网格范围外）'}")
    for label, level in (("街道", "street"), ("行政区", "district"), ("管理区域", "region")):
        place = found[level]
        if isinstance(place, dict):
            mark = "（近似边界）" if place["approximate"] else ""
            say(f"{label}: {place['code']} {place['name']}{mark}")
