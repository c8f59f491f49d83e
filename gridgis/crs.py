"""
Datum conversions and the guard against mixed CRS (坐标系).

Lon/lat in degrees, always longitude first. GCJ-02 (火星坐标) and BD-09 (百度坐标) are national
obfuscations of WGS84; their inverses are iterated until the round trip is below 1e-6 m. CGCS2000
(国家2000) is taken as WGS84: the difference is below one metre. Outside China points pass through.

Formulas: the published GCJ-02 polynomial (a = 6378245, ee = 0.00669342162296594323) and Baidu's
BD-09 rotation, as in the test sets of eviltransform and coordtransform.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from gridgis.errors import CrsError

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]
    Pair = tuple[FloatArray, FloatArray]

Numbers = TypeVar("Numbers", float, "FloatArray")

WORDS = ("wgs84", "cgcs2000", "gcj02", "bd09")
WGS84_SRID = 4326
CGCS2000_SRID = 4490
GCJ_STEPS = 8
"""Five do everywhere but on the 105th meridian, where the root of |lon - 105| has its cusp: there
five leave 1.8e-6 m, eight 4.3e-7 m (measured on 600,000 points)."""
BD_STEPS = 3
_A = 6378245.0
_EE = 0.00669342162296594323
_CHINA = (72.004, 0.8293, 137.8347, 55.8271)
_MARGIN = 0.1
"""Degrees beyond the box in which an obfuscated point may have come from inside it."""
_EDGE = 1e-11
"""Degrees (1 µm) by which an inverse may miss the edge of the box."""
_SPELLINGS = {
    "wgs84": "wgs84", "wgs1984": "wgs84", "gps": "wgs84", "crs84": "wgs84", "ogccrs84": "wgs84",
    "ogc1.3crs84": "wgs84",
    "cgcs2000": "cgcs2000", "国家2000": "cgcs2000", "2000国家": "cgcs2000", "2000": "cgcs2000",
    "2000国家大地": "cgcs2000", "国家大地2000": "cgcs2000", "大地2000": "cgcs2000",
    "gcj02": "gcj02", "火星": "gcj02", "国测局": "gcj02", "高德": "gcj02", "amap": "gcj02",
    "腾讯": "gcj02",
    "bd09": "bd09", "bd09ll": "bd09", "百度": "bd09", "baidu": "bd09", "百度09": "bd09",
}  # fmt: skip


def parse_crs(text: str) -> str:
    """
    Return the canonical word of a CRS: `wgs84 cgcs2000 gcj02 bd09` or `EPSG:n` (解析坐标系).

    Raises
    ------
    CrsError
        If the text names none of them.
    """
    plain = re.sub(r"[\s_\-:()]", "", unicodedata.normalize("NFKC", text).lower())
    plain = re.sub(r"(经纬度)?坐标(系统?)?$", "", plain.removeprefix("urnogcdefcrs"))
    if plain in _SPELLINGS:
        return _SPELLINGS[plain]
    match = re.fullmatch(r"(?:epsg)?([0-9]{4,6})", plain)
    if match is None:
        raise CrsError(
            f"crs {text!r}: expected wgs84, cgcs2000, gcj02, bd09 or EPSG:n "
            f"(for example EPSG:{WGS84_SRID})",
            value=text,
        )
    srid = int(match[1])
    if srid == WGS84_SRID:
        return "wgs84"
    if srid == CGCS2000_SRID:
        return "cgcs2000"
    try:
        crs = CRS.from_epsg(srid)
    except CRSError as error:
        raise CrsError(f"crs {text!r}: there is no EPSG:{srid}", value=text) from error
    if not (crs.is_geographic or crs.is_projected):
        raise CrsError(f"crs {text!r}: EPSG:{srid} ({crs.name}) has no x and y", value=text)
    return f"EPSG:{srid}"


def is_geographic(crs: str) -> bool:
    """Tell whether the numbers of a CRS are degrees."""
    word = parse_crs(crs)
    return word in WORDS or CRS.from_user_input(word).is_geographic


def to_wgs84(lon: Numbers, lat: Numbers, source: str) -> tuple[Numbers, Numbers]:
    """
    Convert lon/lat degrees of a datum to WGS84.

    Parameters
    ----------
    lon, lat : float or (n,) float64
        Degrees; NaN stays NaN.
    source : str
        `wgs84`, `cgcs2000`, `gcj02` or `bd09`.

    Returns
    -------
    lon, lat : as given
        WGS84; the round trip errs by at most 1e-6 m.

    Raises
    ------
    CrsError
        If `source` is another word.
    """
    word = _datum(source)
    x, y = _arrays(lon, lat)
    if word in _BACK:
        x, y = _where_china(x, y, _BACK[word], of_result=True)
    return _like(lon, x, y)


def from_wgs84(lon: Numbers, lat: Numbers, target: str) -> tuple[Numbers, Numbers]:
    """Convert WGS84 lon/lat degrees to a datum; the inverse of `to_wgs84`."""
    word = _datum(target)
    x, y = _arrays(lon, lat)
    if word in _FORTH:
        x, y = _where_china(x, y, _FORTH[word], of_result=False)
    return _like(lon, x, y)


def to_lonlat(x: Numbers, y: Numbers, crs: str) -> tuple[Numbers, Numbers]:
    """
    Convert coordinates of any `--crs` word to WGS84 lon/lat degrees.

    Parameters
    ----------
    x, y : float or (n,) float64
        Longitude or easting first, whatever order the authority lists; NaN stays NaN.
    crs : str
        `wgs84 cgcs2000 gcj02 bd09` or `EPSG:n`.
    """
    word = parse_crs(crs)
    if word in WORDS:
        return to_wgs84(x, y, word)
    east, north = _arrays(x, y)
    lon, lat = _transformer(word).transform(east, north)
    lon = np.where(np.isfinite(lon), lon, np.nan)
    lat = np.where(np.isfinite(lat), lat, np.nan)
    return _like(x, lon, lat)


def require_crs(frame: gpd.GeoDataFrame, expected: str) -> None:
    """
    Refuse a frame in another CRS than the one expected.

    Raises
    ------
    CrsError
        If the frame has no CRS or another one (geopandas alone would only warn).
    """
    if frame.crs is None:
        raise CrsError(f"the frame has no CRS; expected {expected}: set it with .set_crs()")
    if not frame.crs.equals(CRS.from_user_input(expected), ignore_axis_order=True):
        raise CrsError(
            f"the frame is in {frame.crs.to_string()}, expected {expected}: convert it with "
            f".to_crs({expected!r})"
        )


def require_declared(own: CRS | None, declared: str, *, file: str) -> None:
    """
    Refuse a file that states another CRS than the one declared for it (核对声明的坐标系).

    GCJ-02 and BD-09 have no EPSG number, so those words may stand over a file that says WGS84 or
    CGCS2000; these two count as one. A file that states nothing is taken as declared.

    Raises
    ------
    CrsError
        Naming both.
    """
    if own is None:
        return
    word = parse_crs(declared)
    expected = CRS(WGS84_SRID if word in WORDS else word)
    stated = CRS(WGS84_SRID) if own.to_epsg() == CGCS2000_SRID else own
    if stated.equals(expected, ignore_axis_order=True) or (
        stated.to_epsg() is not None and stated.to_epsg() == expected.to_epsg()
    ):
        return
    raise CrsError(
        f"{file}: the file says {own.to_string()[:80]}, --crs says {word}: declare "
        "the CRS the numbers are really in (gcj02 and bd09 may stand over a file that says WGS84)",
        stated=own.to_string(), declared=word,
    )  # fmt: skip


@cache
def _transformer(word: str) -> Transformer:
    return Transformer.from_crs(word, WGS84_SRID, always_xy=True)


def _datum(word: str) -> str:
    if word not in WORDS:
        raise CrsError(f"datum {word!r}: expected one of {', '.join(WORDS)}", value=word)
    return word


def _arrays(x: object, y: object) -> Pair:
    return (np.atleast_1d(np.array(x, dtype=np.float64)),
            np.atleast_1d(np.array(y, dtype=np.float64)))  # fmt: skip


def _like(given: Numbers, x: FloatArray, y: FloatArray) -> tuple[Numbers, Numbers]:
    pair: object = (x, y) if np.ndim(given) else (float(x[0]), float(y[0]))
    return cast("tuple[Numbers, Numbers]", pair)


def _where_china(
    x: FloatArray,
    y: FloatArray,
    convert: Callable[[FloatArray, FloatArray], Pair],
    *,
    of_result: bool,
) -> Pair:
    """
    Convert the points inside China, decided by the WGS84 point alone; pass the others through.

    Deciding by the WGS84 side in both directions keeps the round trip of every point inside the
    box exact, also of those that the obfuscation pushes over its edge.
    """  # fmt: skip
    out_x, out_y = x.copy(), y.copy()
    near = _in_box(x, y, _MARGIN if of_result else 0.0)
    new_x, new_y = convert(x[near], y[near])
    if of_result:
        keep = _in_box(new_x, new_y, _EDGE)
        new_x, new_y = new_x.clip(_CHINA[0], _CHINA[2]), new_y.clip(_CHINA[1], _CHINA[3])
    else:
        keep = np.ones(len(new_x), dtype=bool)
    out_x[near] = np.where(keep, new_x, x[near])
    out_y[near] = np.where(keep, new_y, y[near])
    return out_x, out_y


def _in_box(x: FloatArray, y: FloatArray, margin: float) -> NDArray[np.bool_]:
    west, south, east, north = _CHINA
    wide = (x >= west - margin) & (x <= east + margin)
    return wide & (y >= south - margin) & (y <= north + margin)


def _gcj_shift(lon: FloatArray, lat: FloatArray) -> Pair:
    """Return the GCJ-02 offset in degrees at WGS84 points."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    phi = np.radians(lat)
    magic = 1 - _EE * np.sin(phi) ** 2
    d_lat = north * 180 / (_A * (1 - _EE) / magic**1.5 * np.pi)
    d_lon = east * 180 / (_A / np.sqrt(magic) * np.cos(phi) * np.pi)
    return d_lon, d_lat


def _wgs84_to_gcj02(x: FloatArray, y: FloatArray) -> Pair:
    d_lon, d_lat = _gcj_shift(x, y)
    return x + d_lon, y + d_lat


def _gcj02_to_wgs84(x: FloatArray, y: FloatArray) -> Pair:
    """Iterate p = g - shift(p): about 5 m off in China after one step."""
    lon, lat = x, y
    for _ in range(GCJ_STEPS):
        d_lon, d_lat = _gcj_shift(lon, lat)
        lon, lat = x - d_lon, y - d_lat
    return lon, lat


def _gcj02_to_bd09(x: FloatArray, y: FloatArray) -> Pair:
    z = np.hypot(x, y) + 2e-5 * np.sin(y * np.pi * 3000 / 180)
    theta = np.arctan2(y, x) + 3e-6 * np.cos(x * np.pi * 3000 / 180)
    return z * np.cos(theta) + 0.0065, z * np.sin(theta) + 0.006


def _bd09_to_gcj02(x: FloatArray, y: FloatArray) -> Pair:
    """Turn the signs of the closed form (up to 0.2 m off), then correct by its residual."""
    u, v = x - 0.0065, y - 0.006
    z = np.hypot(u, v) - 2e-5 * np.sin(v * np.pi * 3000 / 180)
    theta = np.arctan2(v, u) - 3e-6 * np.cos(u * np.pi * 3000 / 180)
    lon, lat = z * np.cos(theta), z * np.sin(theta)
    for _ in range(BD_STEPS):
        back_x, back_y = _gcj02_to_bd09(lon, lat)
        lon, lat = lon + x - back_x, lat + y - back_y
    return lon, lat


def _wgs84_to_bd09(x: FloatArray, y: FloatArray) -> Pair:
    return _gcj02_to_bd09(*_wgs84_to_gcj02(x, y))


def _bd09_to_wgs84(x: FloatArray, y: FloatArray) -> Pair:
    return _gcj02_to_wgs84(*_bd09_to_gcj02(x, y))


_FORTH = {"gcj02": _wgs84_to_gcj02, "bd09": _wgs84_to_bd09}
_BACK = {"gcj02": _gcj02_to_wgs84, "bd09": _bd09_to_wgs84}
