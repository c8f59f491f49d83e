"""
Read a city profile folder; every fault is reported at once (城市配置读取).

A profile is data: `city.toml`, `regions.csv`, `streets.csv`, `catalogue.csv`, `mappings/*.toml`
and geometry files. The formats are described in `docs/reference/city-profile.md`.
"""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pyproj import Geod

from gridgis.crs import is_geographic, parse_crs
from gridgis.errors import CrsError, ProfileInvalid
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
    import geopandas as gpd

T = TypeVar("T")
D = TypeVar("D")

LAYER_KINDS = ("district", "zone", "street", "water", "cell")
QUALITIES = ("surveyed", "map_derived", "approximate", "synthetic")
WORST_AREA_ERROR = 0.002
_REGION_CODE = re.compile(r"\d{6}|\d{4}[A-Z]\d")
_STREET_CODE = re.compile(r"\d{9}")
_CATEGORY_CODE = re.compile(r"[A-Z]\d{4}")
_SLUG = re.compile(r"[a-z][a-z0-9_-]{0,40}")


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
    reader = _Reader(folder)
    profile = reader.read()
    if reader.faults:
        listed = "\n".join(f"  - {fault}" for fault in reader.faults)
        raise ProfileInvalid(
            f"the city profile {folder} has {len(reader.faults)} fault(s):\n{listed}",
            faults=reader.faults,
        )
    assert profile is not None  # noqa: S101 - no fault means a profile
    return profile


def check_measuring_crs(districts: gpd.GeoDataFrame, crs: str) -> float:
    """
    Return the worst |area ÷ geodesic area - 1| of the districts in a measuring CRS.

    Raises
    ------
    CrsError
        If it exceeds 0.002: areas and distances would be wrong (Web Mercator fails here).
    """
    geod = Geod(ellps="WGS84")
    lonlat, planar = districts.to_crs(4326).geometry, districts.to_crs(crs).geometry
    true = np.array([abs(geod.geometry_area_perimeter(shape)[0]) for shape in lonlat])
    worst = float(np.max(np.abs(planar.area.to_numpy() / true - 1)))
    if worst > WORST_AREA_ERROR:
        raise CrsError(
            f"measuring CRS {crs}: the area of a district is off by {worst:.4f}, allowed "
            f"{WORST_AREA_ERROR}: choose a CRS made for this place (a 3° zone, not Web Mercator)"
        )
    return worst


class _Reader:
    """Collects faults while it reads; returns None where it cannot go on."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []

    def read(self) -> CityProfile | None:
        spec = self._toml("city.toml")
        if spec is None:
            return None
        city = self._table(spec, "city")
        groups = tuple(
            RegionGroup(row["code"], row["name"], row.get("name_en", row["name"]))
            for row in self._rows(spec, "groups", ("code", "name"))
        )
        regions = tuple(self._regions({group.code for group in groups}))
        streets = tuple(self._streets())
        cells = spec.get("cells", {})
        text = self._city_texts(city)
        return CityProfile(
            folder=self.folder, version=_digest(self.folder), **text,
            extent=self._extent(city), cell_size_m=self._size(cells),
            cells_within=tuple(map(str, cells.get("within", []))), groups=groups,
            regions=regions, streets=streets, categories=tuple(self._categories()),
            sources=tuple(self._sources(spec)), layers=tuple(self._layers(spec)),
            mappings={p.stem: p for p in sorted((self.folder / "mappings").glob("*.toml"))},
        )  # fmt: skip

    # ------------------------------------------------------------- city.toml

    def _city_texts(self, city: Mapping[str, object]) -> dict[str, str]:
        names = ("code", "slug", "name", "name_en", "language", "time_zone", "measuring_crs")
        texts = {name: str(city.get(name, "")) for name in names}
        for name, value in texts.items():
            if not value:
                self._fault("city.toml", f"[city] {name}", "missing", "add it")
        self._match("city.toml", "code", texts["code"], re.compile(r"\d{6}"), "6 digits")
        self._match("city.toml", "slug", texts["slug"], _SLUG, "lower-case letters and digits")
        try:
            ZoneInfo(texts["time_zone"] or "UTC")
        except (ZoneInfoNotFoundError, ValueError):
            self._fault("city.toml", texts["time_zone"], "no such time zone", "use an IANA name")
        try:
            texts["measuring_crs"] = parse_crs(texts["measuring_crs"] or "EPSG:3857")
            if is_geographic(texts["measuring_crs"]):
                self._fault("city.toml", texts["measuring_crs"], "measuring_crs is in degrees",
                            "name a projected CRS in metres")  # fmt: skip
        except CrsError as error:
            self._fault("city.toml", texts["measuring_crs"], "measuring_crs", error.message)
        return texts

    def _extent(self, city: Mapping[str, object]) -> tuple[float, float, float, float]:
        given = city.get("extent")
        if isinstance(given, list) and len(given) == 4:  # noqa: PLR2004 - W, S, E, N
            west, south, east, north = map(float, given)
            if -180 <= west < east <= 180 and -90 <= south < north <= 90:  # noqa: PLR2004
                return west, south, east, north
        self._fault("city.toml", str(given), "extent is not [west, south, east, north] in degrees",
                    "give the plausible extent of a case in WGS84")  # fmt: skip
        return 0.0, 0.0, 1.0, 1.0

    def _size(self, cells: Mapping[str, object]) -> int:
        size = cells.get("size_m", 100)
        if not isinstance(size, int) or not 10 <= size <= 5000:  # noqa: PLR2004
            self._fault("city.toml", str(size), "[cells] size_m", "a whole number, 10 to 5000")
            return 100
        return size

    def _sources(self, spec: Mapping[str, object]) -> Iterator[SourceName]:
        allowed = [source.value for source in Source]
        for row in self._rows(spec, "sources", ("code", "name")):
            if row["code"] not in allowed:
                self._fault("city.toml", row["code"], "unknown source", f"one of {allowed}")
                continue
            yield SourceName(row["code"], row["name"], row.get("name_en", row["name"]),
                             row.get("tier", ""), tuple(row.get("aliases", ())))  # fmt: skip

    def _layers(self, spec: Mapping[str, object]) -> Iterator[Layer]:
        for row in self._rows(spec, "layers", ("kind", "file", "crs")):
            path = self.folder / row["file"]
            if not path.exists():
                self._fault("city.toml", row["file"], "layer file not found", "check [[layers]]")
            if row["kind"] not in LAYER_KINDS:
                self._fault("city.toml", row["kind"], "unknown layer kind", str(LAYER_KINDS))
            quality = row.get("quality", "surveyed")
            if quality not in QUALITIES:
                self._fault("city.toml", quality, "unknown quality", str(QUALITIES))
            try:
                crs = parse_crs(row["crs"])
            except CrsError as error:
                self._fault("city.toml", row["crs"], "layer crs", error.message)
                continue
            yield Layer(row["kind"], path, crs, row.get("code_field", "code"),
                        row.get("name_field", "name"), quality, row.get("source", ""))  # fmt: skip

    # ---------------------------------------------------------------- tables

    def _regions(self, groups: set[str]) -> Iterator[Region]:
        seen: set[str] = set()
        for number, row in self._csv("regions.csv", ("code", "name", "kind")):
            where = f"regions.csv row {number}"
            self._match(where, "code", row["code"], _REGION_CODE, "6 digits, or 4 + letter + digit")
            if row["kind"] not in {"district", "zone"}:
                self._fault(where, row["kind"], "unknown kind", "district or zone")
            if row.get("group") and row["group"] not in groups:
                self._fault(where, row["group"], "unknown group", "add it to [[groups]]")
            if row["code"] in seen:
                self._fault(where, row["code"], "code twice", "one row a region")
            seen.add(row["code"])
            yield Region(
                code=row["code"], name=row["name"], name_en=row.get("name_en") or row["name"],
                kind=row["kind"], group=row.get("group", ""),
                priority=self._number(where, row.get("priority"), 20 if row["kind"] == "zone" else 10),
                aliases=_split(row.get("aliases")), stat_code=row.get("stat_code", ""),
                hosts=_split(row.get("hosts")),
                valid_from=self._date(where, row.get("valid_from")),
                valid_to=self._date(where, row.get("valid_to")),
            )  # fmt: skip

    def _streets(self) -> Iterator[Street]:
        if not (self.folder / "streets.csv").exists():
            return
        for number, row in self._csv("streets.csv", ("code", "name", "district_code")):
            where = f"streets.csv row {number}"
            self._match(where, "code", row["code"], _STREET_CODE, "9 digits")
            seat = None
            if row.get("seat_lon") and row.get("seat_lat"):
                lon = self._float(where, row["seat_lon"])
                lat = self._float(where, row["seat_lat"])
                seat = (lon, lat) if lon is not None and lat is not None else None
            yield Street(row["code"], row["name"], row["district_code"],
                         _split(row.get("aliases")), seat)  # fmt: skip

    def _categories(self) -> Iterator[Category]:
        seen: set[str] = set()
        for number, row in self._csv("catalogue.csv", ("code", "name", "kind")):
            where = f"catalogue.csv row {number}"
            self._match(where, "code", row["code"], _CATEGORY_CODE, "a letter and 4 digits")
            if row["kind"] not in {"component", "event"}:
                self._fault(where, row["kind"], "unknown kind", "component or event")
            if row["code"] in seen:
                self._fault(where, row["code"], "code twice", "one row a subcategory")
            seen.add(row["code"])
            yield Category(
                row["code"], row["name"], row.get("parent_code") or row["code"][:3],
                row.get("parent_name") or row["code"][:3], row["kind"], _split(row.get("aliases")),
            )  # fmt: skip

    # --------------------------------------------------------------- reading

    def _toml(self, name: str) -> dict[str, object] | None:
        path = self.folder / name
        try:
            return tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            self._fault(name, str(self.folder), "file missing", "a profile needs it")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            self._fault(name, "", f"not readable as TOML: {error}", "mend it")
        return None

    def _csv(self, name: str, needed: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
        path = self.folder / name
        if not path.exists():
            self._fault(name, str(self.folder), "file missing", "a profile needs it")
            return
        with path.open(encoding="utf-8-sig", newline="") as handle:
            reader = csv.DictReader(handle)
            missing = [column for column in needed if column not in (reader.fieldnames or ())]
            if missing:
                self._fault(name, ", ".join(missing), "columns missing", "add them")
                return
            for number, row in enumerate(reader, start=2):
                yield number, {key: (value or "").strip() for key, value in row.items() if key}

    def _table(self, spec: Mapping[str, object], name: str) -> Mapping[str, object]:
        table = spec.get(name)
        if isinstance(table, dict):
            return table
        self._fault("city.toml", f"[{name}]", "table missing", "add it")
        return {}

    def _rows(
        self, spec: Mapping[str, object], name: str, needed: tuple[str, ...]
    ) -> Iterator[dict[str, str]]:
        rows = spec.get(name, [])
        for number, row in enumerate(rows if isinstance(rows, list) else [], start=1):
            missing = [key for key in needed if key not in row]
            if missing:
                self._fault("city.toml", f"[[{name}]] #{number}", f"lacks {missing}", "add them")
                continue
            yield row

    # ---------------------------------------------------------------- values

    def _match(
        self, where: str, name: str, value: str, pattern: re.Pattern[str], rule: str
    ) -> None:
        if value and pattern.fullmatch(value) is None:
            self._fault(where, value, f"{name} is malformed", rule)

    def _number(self, where: str, text: str | None, default: int) -> int:
        return self._parsed(where, text, int, default)

    def _float(self, where: str, text: str) -> float | None:
        return self._parsed(where, text, float, None)

    def _date(self, where: str, text: str | None) -> date | None:
        return self._parsed(where, text, date.fromisoformat, None)

    def _parsed(
        self, where: str, text: str | None, parse: Callable[[str], T], default: D
    ) -> T | D:
        if not text:
            return default
        try:
            return parse(text)
        except ValueError:
            self._fault(where, text, f"not a {parse.__name__}", "correct the value")
            return default

    def _fault(self, where: str, value: str, rule: str, remedy: str) -> None:
        self.faults.append(f"{where}: {value!r}: {rule}; {remedy}")


def _split(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split("|") if part.strip())


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
