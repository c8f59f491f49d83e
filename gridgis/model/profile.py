"""
The city profile: every city-specific fact as data (城市配置).

A profile is a folder (`city.toml`, CSV tables, geometry files); `gridgis.intake.profile` reads
it into these frozen values and reports all faults at once. No module knows a city by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gridgis.model.rules import LedgerRules

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class RegionGroup:
    """A reporting group of regions, in the order of the report (统计分组)."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Region:
    """A reporting area: a district or a management zone over districts (区县、开发区)."""

    code: str
    name: str
    name_en: str
    kind: str
    """`district` or `zone`."""
    group: str
    priority: int
    """The covering region with the highest priority counts a case (zone over district)."""
    aliases: tuple[str, ...] = ()
    stat_code: str = ""
    hosts: tuple[str, ...] = ()
    """Street codes that an approximate zone is composed of."""
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class Street:
    """A street office or town; the seat is in WGS84 degrees (街道、乡镇)."""

    code: str
    name: str
    district_code: str
    aliases: tuple[str, ...] = ()
    seat: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Category:
    """A subcategory of the catalogue (小类)."""

    code: str
    name: str
    parent_code: str
    parent_name: str
    kind: str
    """`component` (部件) or `event` (事件)."""
    aliases: tuple[str, ...] = ()
    restricted: bool = False
    """Known only as a sum (受限类): no case of it is on a map, in a list or in an export."""


@dataclass(frozen=True, slots=True)
class SourceName:
    """How this city names one of the glossary's sources (问题来源)."""

    code: str
    name: str
    name_en: str
    tier: str
    """`city`, `district` or empty."""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """A geometry file of the profile."""

    kind: str
    """`district`, `zone`, `street`, `water` or `cell`."""
    path: Path
    crs: str
    """One of the words of `--crs`: wgs84, cgcs2000, gcj02, bd09 or EPSG:n."""
    code_field: str
    name_field: str
    quality: str
    """`surveyed`, `map_derived`, `approximate` or `synthetic`."""
    source: str
    """Origin and licence, shown as attribution."""


@dataclass(frozen=True, slots=True)
class CityProfile:
    """Everything gridgis knows about one city (城市配置)."""

    folder: Path
    version: str
    """SHA-256 over the folder; kept with every run."""
    code: str
    slug: str
    """ASCII name: folder, database."""
    name: str
    name_en: str
    language: str
    time_zone: str
    measuring_crs: str
    """`EPSG:n`, metres."""
    extent: tuple[float, float, float, float]
    """West, south, east, north in WGS84 degrees: outside it a point is not plausible."""
    cell_size_m: int
    cells_within: tuple[str, ...]
    """`KIND:CODE` or `KIND:CODE@RADIUS_M`; empty means every district."""
    groups: tuple[RegionGroup, ...]
    regions: tuple[Region, ...]
    streets: tuple[Street, ...]
    categories: tuple[Category, ...]
    sources: tuple[SourceName, ...]
    layers: tuple[Layer, ...]
    mappings: dict[str, Path] = field(default_factory=dict)
    """Named mapping files (`mappings/NAME.toml`)."""
    ledger: LedgerRules = field(default_factory=LedgerRules)
    """Limits, weights, assessment types, calendar and regimes (台账规则)."""

    @property
    def measuring_srid(self) -> int:
        """EPSG number of the measuring CRS."""
        return int(self.measuring_crs.removeprefix("EPSG:"))

    @property
    def districts(self) -> tuple[Region, ...]:
        """Administrative districts, without zones (行政区)."""
        return tuple(region for region in self.regions if region.kind == "district")
