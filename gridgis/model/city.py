"""What a database fixes about its city (城市)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class City:
    """One city as its database knows it."""

    code: str
    slug: str
    name: str
    name_en: str
    language: str
    time_zone: str
    measuring_srid: int
    cell_size_m: int
    extent: tuple[float, float, float, float]
    """West, south, east, north in WGS84 degrees."""
    profile_folder: str
    """A shipped profile's name, or a path."""
    profile_version: str
    synthetic: bool | None
    """None until the first import decides; real and synthetic rows never mix."""
    restricted: bool = False
    """The catalogue has classes whose cases are shown to nobody here (受限类)."""
