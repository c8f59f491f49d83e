"""
Read a city profile folder; every fault is reported at once (城市配置读取).

A profile is data: `city.toml`, `regions.csv`, `streets.csv`, `catalogue.csv`, `mappings/*.toml`
and geometry files. The formats are described in `docs/reference/city-profile.md`.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pyproj import Geod

from gridgis.crs import is_geographic
from gridgis.errors import CrsError, ProfileInvalid, SchemaError
from gridgis.intake.mapping import load_mapping
from gridgis.intake.profile_folder import ProfileFolder, Unique, digest, split
from gridgis.intake.profile_rules import read_rules
from gridgis.model.case import Source
from gridgis.model.profile import (
    Category,
    CityProfile,
    Layer,
    Region,
    RegionGroup,
    SourceName,
    Street,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd

LAYER_KINDS = ("district", "zone", "street", "water", "cell")
QUALITIES = ("surveyed", "map_derived", "approximate", "synthetic")
WORST_AREA_ERROR = 0.002
PRIORITIES = {"district": 10, "zone": 20}
"""Default priority by kind of region: a zone takes cases out of its host district."""
CELL_SIZES_M = (10, 5000)
_REGION_CODE = r"[0-9]{6}|[0-9]{4}[A-Z][0-9]"
_WITHIN = re.compile(r"(district|zone|street):([0-9A-Z]+)(@[1-9][0-9]*)?")
_CITY_KEYS = ("code", "slug", "name", "name_en", "language", "time_zone", "measuring_crs")


def shipped_profiles() -> dict[str, Path]:
    """Return the folders of the shipped city profiles by name (内置城市)."""
    root = Path(str(files("gridgis") / "cities"))
    return {path.parent.name: path.parent for path in sorted(root.glob("*/city.toml"))}


def load_profile(folder: Path) -> CityProfile:
    """
    Read a profile folder.

    Raises
    ------
    ProfileInvalid
        With every fault: file, row, value, rule and remedy.
    """
    source = ProfileFolder(folder)
    spec = source.toml("city.toml")
    profile = None if spec is None else _read(source, spec)
    if source.faults or profile is None:
        listed = "\n".join(f"  - {fault}" for fault in source.faults)
        raise ProfileInvalid(
            f"the city profile {folder} has {len(source.faults)} fault(s):\n{listed}",
            faults=source.faults,
        )
    return profile


def check_measuring_crs(districts: gpd.GeoDataFrame, crs: str) -> float:
    """
    Return the worst |area ÷ geodesic area - 1| of the districts in a measuring CRS.

    Raises
    ------
    CrsError
        If it exceeds 0.002 (areas and distances would be wrong: Web Mercator fails here), or if
        the CRS cannot show the districts at all.
    """
    geod = Geod(ellps="WGS84")
    lonlat, planar = districts.to_crs(4326).geometry, districts.to_crs(crs).geometry
    true = np.array([abs(geod.geometry_area_perimeter(shape)[0]) for shape in lonlat])
    ratios = np.nan_to_num(planar.area.to_numpy(), nan=0.0, posinf=0.0) / true
    worst = float(np.max(np.abs(ratios - 1)))
    if worst > WORST_AREA_ERROR:
        raise CrsError(
            f"measuring CRS {crs}: the area of a district is off by {worst:.4f}, allowed "
            f"{WORST_AREA_ERROR}: choose a CRS made for this place (a 3° zone, not Web Mercator)",
            crs=crs, worst=worst,
        )  # fmt: skip
    return worst


def _read(source: ProfileFolder, spec: Mapping[str, object]) -> CityProfile:
    city, cells = source.table(spec, "city"), source.table(spec, "cells")
    texts = _city_texts(source, city)
    extent = _extent(source, city)
    groups = tuple(_groups(source, spec))
    streets = tuple(_streets(source, extent))
    regions = tuple(_regions(source, {group.code for group in groups}))
    within = source.texts("city.toml [cells]", cells, "within")
    _check_links(source, regions, streets, within)
    return CityProfile(
        folder=source.path, version=digest(source.path), **texts, extent=extent,
        cell_size_m=_size(source, cells), cells_within=within, groups=groups, regions=regions,
        streets=streets, categories=tuple(_categories(source)),
        sources=tuple(_sources(source, spec)), layers=tuple(_layers(source, spec)),
        mappings=dict(_mappings(source)), ledger=read_rules(source, spec),
    )  # fmt: skip


def _city_texts(source: ProfileFolder, city: Mapping[str, object]) -> dict[str, str]:
    where = "city.toml [city]"
    texts = {key: source.text(where, city, key) for key in _CITY_KEYS}
    for key, value in texts.items():
        if not value:
            source.fault(where, "", f"{key} is missing", "add it")
    for key in set(city) - {*_CITY_KEYS, "extent"}:
        source.fault(where, key, "unknown key", f"allowed: {', '.join(_CITY_KEYS)}, extent")
    source.match(where, "code", texts["code"], r"[0-9]{6}",
                 "6 digits; a city without a GB/T 2260 code takes one from 99")  # fmt: skip
    source.match(where, "slug", texts["slug"], r"[a-z][a-z0-9_-]{0,40}",
                 "lower-case ASCII letters, digits, _ and -")  # fmt: skip
    source.match(where, "language", texts["language"], r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*",
                 "a language tag such as zh-CN or en")  # fmt: skip
    try:
        ZoneInfo(texts["time_zone"] or "UTC")
    except (ZoneInfoNotFoundError, ValueError, IsADirectoryError):
        source.fault(where, texts["time_zone"], "unknown time_zone",
                     "use an IANA name such as Europe/Paris")  # fmt: skip
    if texts["measuring_crs"]:
        crs = source.crs(f"{where} measuring_crs", texts["measuring_crs"])
        if crs is not None and is_geographic(crs):
            source.fault(where, texts["measuring_crs"], "measuring_crs is in degrees",
                         "name a projected CRS in metres, EPSG:n")  # fmt: skip
        texts["measuring_crs"] = crs or texts["measuring_crs"]
    return texts


def _extent(source: ProfileFolder, city: Mapping[str, object]) -> tuple[float, float, float, float]:
    given = city.get("extent")
    numbers = given if isinstance(given, list) else []
    if len(numbers) == 4 and all(isinstance(n, int | float) for n in numbers):  # noqa: PLR2004
        west, south, east, north = map(float, numbers)
        if -180 <= west < east <= 180 and -90 <= south < north <= 90:  # noqa: PLR2004
            return west, south, east, north
    source.fault("city.toml [city]", str(given), "extent is not a box in WGS84 degrees",
                 "give [west, south, east, north] within which a case is plausible")  # fmt: skip
    return -180.0, -90.0, 180.0, 90.0


def _size(source: ProfileFolder, cells: Mapping[str, object]) -> int:
    size = cells.get("size_m", 100)
    low, high = CELL_SIZES_M
    if isinstance(size, int) and not isinstance(size, bool) and low <= size <= high:
        return size
    source.fault("city.toml [cells]", str(size), "size_m is out of range",
                 f"a whole number of metres, {low} to {high}")  # fmt: skip
    return low


def _groups(source: ProfileFolder, spec: Mapping[str, object]) -> Iterator[RegionGroup]:
    unique = Unique(source, "group code")
    for where, row in source.tables(spec, "groups", ("code", "name")):
        code, name = source.text(where, row, "code"), source.text(where, row, "name")
        unique.add(where, code)
        yield RegionGroup(code, name, source.text(where, row, "name_en", name))


def _sources(source: ProfileFolder, spec: Mapping[str, object]) -> Iterator[SourceName]:
    unique = Unique(source, "source code")
    for where, row in source.tables(spec, "sources", ("code", "name")):
        code, name = source.text(where, row, "code"), source.text(where, row, "name")
        tier, aliases = source.text(where, row, "tier"), source.texts(where, row, "aliases")
        source.one_of(where, "source", code, [item.value for item in Source])
        source.one_of(where, "tier", tier, ("", "city", "district"))
        name_en = source.text(where, row, "name_en", name)
        unique.add(where, code, name, name_en, *aliases)
        yield SourceName(code, name, name_en, tier, aliases)


def _layers(source: ProfileFolder, spec: Mapping[str, object]) -> Iterator[Layer]:
    unique = Unique(source, "layer kind")
    for where, row in source.tables(spec, "layers", ("kind", "file", "crs")):
        kind, file = source.text(where, row, "kind"), source.text(where, row, "file")
        quality = source.text(where, row, "quality", "surveyed")
        unique.add(where, kind)
        source.one_of(where, "layer kind", kind, LAYER_KINDS)
        source.one_of(where, "quality", quality, QUALITIES)
        path = source.path / file
        if not path.resolve().is_relative_to(source.path.resolve()):
            source.fault(where, file, "the file lies outside the profile folder", "move it inside")
        elif not path.is_file():
            source.fault(where, file, "file not found", "check the name, from the profile folder")
        crs = source.crs(where, source.text(where, row, "crs"))
        yield Layer(
            kind, path, crs or "", source.text(where, row, "code_field"),
            source.text(where, row, "name_field"), quality,
            source.text(where, row, "source"),
        )  # fmt: skip


def _regions(source: ProfileFolder, groups: set[str]) -> Iterator[Region]:
    unique = Unique(source, "region code")
    allowed = ("name_en", "group", "priority", "aliases", "stat_code", "hosts", "valid_from",
               "valid_to")  # fmt: skip
    for where, row in source.csv("regions.csv", ("code", "name", "kind"), allowed):
        source.match(where, "code", row["code"], _REGION_CODE,
                     "6 digits (district), or 4 digits, a letter and a digit (zone)")  # fmt: skip
        source.one_of(where, "kind", row["kind"], PRIORITIES)
        if row.get("group"):
            source.one_of(where, "group", row["group"], groups)
        name_en, aliases = row.get("name_en") or row["name"], split(row.get("aliases"))
        unique.add(where, row["code"], row["name"], name_en, *aliases)
        start = source.day(where, row.get("valid_from"))
        end = source.day(where, row.get("valid_to"))
        if start and end and end <= start:
            source.fault(where, f"{start}..{end}", "valid_to is not after valid_from",
                         "days are half open: valid_to is the first day without it")  # fmt: skip
        default = PRIORITIES.get(row["kind"], 0)
        yield Region(
            row["code"], row["name"], name_en, row["kind"], row.get("group", ""),
            source.number(where, row.get("priority"), default), aliases,
            row.get("stat_code", ""), split(row.get("hosts")), start, end,
        )  # fmt: skip


def _streets(source: ProfileFolder, extent: tuple[float, float, float, float]) -> Iterator[Street]:
    if not (source.path / "streets.csv").exists():
        return
    unique = Unique(source, "street code")
    west, south, east, north = extent
    allowed = ("aliases", "seat_lon", "seat_lat")
    for where, row in source.csv("streets.csv", ("code", "name", "district_code"), allowed):
        source.match(where, "code", row["code"], r"[0-9]{9}", "9 digits")
        unique.add(where, row["code"])
        if not row["code"].startswith(row["district_code"]):
            source.fault(where, row["district_code"], "the code does not begin with it",
                         "a street code begins with its district's")  # fmt: skip
        lon = source.degrees(where, row.get("seat_lon"))
        lat = source.degrees(where, row.get("seat_lat"))
        seat = None if lon is None or lat is None else (lon, lat)
        if bool(row.get("seat_lon")) != bool(row.get("seat_lat")):
            source.fault(where, "", "half a seat point", "give seat_lon and seat_lat, or neither")
        if seat and not (west <= seat[0] <= east and south <= seat[1] <= north):
            source.fault(where, f"{seat[0]}, {seat[1]}", "the seat lies outside the extent",
                         "WGS84 degrees, longitude first")  # fmt: skip
        yield Street(row["code"], row["name"], row["district_code"],
                     split(row.get("aliases")), seat)  # fmt: skip


def _categories(source: ProfileFolder) -> Iterator[Category]:
    unique = Unique(source, "subcategory code")
    allowed = ("parent_code", "parent_name", "aliases", "restricted")
    for where, row in source.csv("catalogue.csv", ("code", "name", "kind"), allowed):
        code, aliases = row["code"], split(row.get("aliases"))
        source.match(where, "code", code, r"[A-Z][0-9]{4}", "a letter and 4 digits")
        source.one_of(where, "kind", row["kind"], ("component", "event"))
        restricted = row.get("restricted") or "false"
        source.one_of(where, "restricted", restricted, ("true", "false"))
        unique.add(where, code, row["name"], *aliases)
        parent = row.get("parent_code") or code[:3]
        if parent != code[:3]:
            source.fault(where, parent, "parent_code is not the start of the code",
                         f"expected {code[:3]}")  # fmt: skip
        yield Category(code, row["name"], parent, row.get("parent_name") or parent, row["kind"],
                       aliases, restricted == "true")  # fmt: skip


def _mappings(source: ProfileFolder) -> Iterator[tuple[str, Path]]:
    for path in sorted((source.path / "mappings").glob("*.toml")):
        try:
            load_mapping(path)
        except SchemaError as error:
            source.fault(f"mappings/{path.name}", "", error.message, "mend the mapping")
        yield path.stem, path


def _check_links(
    source: ProfileFolder,
    regions: tuple[Region, ...],
    streets: tuple[Street, ...],
    within: tuple[str, ...],
) -> None:
    """Report hosts, streets and cell areas that name nothing."""
    seats = {street.code: street.seat for street in streets}
    codes = {kind: {r.code for r in regions if r.kind == kind} for kind in PRIORITIES}
    for region in regions:
        for host in region.hosts:
            if host not in seats:
                source.fault("regions.csv", host, f"host of {region.code}: no such street",
                             "add it to streets.csv")  # fmt: skip
    for code in sorted({street.district_code for street in streets} - codes["district"]):
        source.fault("streets.csv", code, "no such district", "add it to regions.csv")
    for text in within:
        match = _WITHIN.fullmatch(text)
        if match is None:
            source.fault("city.toml [cells] within", text, "malformed",
                         "expected KIND:CODE or KIND:CODE@RADIUS_M")  # fmt: skip
            continue
        kind, code, radius = match.groups()
        if code not in (seats if kind == "street" else codes[kind]):
            source.fault("city.toml [cells] within", text, f"no such {kind}", "check the code")
        elif kind == "street" and radius and seats[code] is None:
            source.fault("city.toml [cells] within", text, "the street has no seat point",
                         "give one in streets.csv, or drop the radius")  # fmt: skip
