"""The margins of a demo ledger, read from `demo.toml` (合成数据参数)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.demo.targets import CROSS_AREA, UNLOCATED, LedgerTargets, read_targets
from gridgis.errors import ProfileInvalid

if TYPE_CHECKING:
    from pathlib import Path

    from gridgis.model.profile import CityProfile

HOTLINE = "hotline_12345"
CITIZENS = (HOTLINE, "wechat")


@dataclass(frozen=True, slots=True)
class RepeatPoint:
    """A place that comes back (反复点位)."""

    name: str
    region: str
    address: str
    subcategory: str
    lon: float
    lat: float
    precision_m: float
    cases: int


@dataclass(frozen=True, slots=True)
class Defects:
    """Faults of real data, on purpose."""

    missing_share: float
    rounded_share: float
    default_point_rows: int
    default_region: str
    default_lon: float
    default_lat: float
    gcj02_rows: int
    wrong_datum_rows: int
    wrong_datum_region: str
    wrong_datum_inside_m: float
    repeated_rows: int
    conflicting_rows: int


@dataclass(frozen=True, slots=True)
class Mix:
    """Base cases that the accepted cases of a region sum to in a month (区域构成)."""

    region: str
    base_cases: int
    type: str | None = None
    """Of this assessment type only; None: of all."""
    heavy: bool = False
    """By few heavy cases of the type rather than by many light ones."""


@dataclass(frozen=True, slots=True)
class DemoSpec:
    """Everything that the generator must hit."""

    seed: int
    last_month: str
    case_prefix: str
    accepted: dict[str, int]
    self_handled: int
    regions: dict[str, int]
    unlocated: int
    cross_area: int
    self_handled_shares: dict[str, float]
    event_share: float
    excluded: tuple[str, ...]
    light: tuple[str, ...]
    """Subcategories of self-handled cases."""
    top_shares: dict[str, float]
    volumes: dict[str, float]
    other_volume: float
    mix: tuple[Mix, ...]
    repeat_points: tuple[RepeatPoint, ...]
    defects: Defects
    core_share: float
    stated_cell_share: float
    ledger: LedgerTargets

    @property
    def total(self) -> int:
        """Case rows of the calibrated month."""
        return sum(self.accepted.values()) + self.self_handled

    @property
    def places(self) -> dict[str, int]:
        """Case rows of every region and of the rest."""
        return {**self.regions, UNLOCATED: self.unlocated, CROSS_AREA: self.cross_area}


def read_spec(profile: CityProfile) -> DemoSpec:
    """
    Read `demo.toml` of a profile.

    Raises
    ------
    ProfileInvalid
        If the profile has none, if its regions and sources do not sum to the same total, or if
        the targets of its ledger contradict.
    """
    path = profile.folder / "demo.toml"
    if not path.exists():
        raise ProfileInvalid(
            f"the profile {profile.slug} has no demo.toml: there is no synthetic ledger for it"
        )
    given = tomllib.loads(path.read_text(encoding="utf-8"))
    faults, categories = given["defects"], given["categories"]
    spec = DemoSpec(
        seed=given["seed"], last_month=given["last_month"], case_prefix=given["case_prefix"],
        accepted=given["accepted"], self_handled=given["self_handled"],
        regions=given["regions"], unlocated=given["rest"]["unlocated"],
        cross_area=given["rest"]["cross_area"],
        self_handled_shares=given.get("self_handled_shares", {}),
        event_share=categories["event_share"], excluded=tuple(categories["exclude"]),
        light=tuple(categories["light"]),
        top_shares={**categories["event"], **categories["component"]},
        volumes=categories["volumes"], other_volume=categories["other_volume"],
        mix=tuple(Mix(**part) for part in given.get("mix", ())),
        repeat_points=tuple(RepeatPoint(**point) for point in given.get("repeat_points", ())),
        defects=Defects(
            faults["missing_share"], faults["rounded_share"], faults["default_point_rows"],
            faults["default_point"]["region"], faults["default_point"]["lon"],
            faults["default_point"]["lat"], faults["gcj02_rows"], faults["wrong_datum_rows"],
            faults["wrong_datum"]["region"], faults["wrong_datum"]["inside_m"],
            faults["repeated_rows"], faults["conflicting_rows"],
        ),
        core_share=given["core_share"], stated_cell_share=given["stated_cell_share"],
        ledger=read_targets(given.get("ledger", {}), profile),
    )  # fmt: skip
    _check_mix(path, spec, profile)
    placed = sum(spec.places.values())
    if placed != spec.total:
        raise ProfileInvalid(
            f"{path}: regions and rest sum to {placed:,}, sources to {spec.total:,}: "
            "they must agree"
        )
    return spec


def _check_mix(path: Path, spec: DemoSpec, profile: CityProfile) -> None:
    types = {kind.code for kind in profile.ledger.types}
    for mix in spec.mix:
        if mix.region not in spec.regions or (mix.type and mix.type not in types):
            raise ProfileInvalid(
                f"{path}: [[mix]] {mix.region} {mix.type or ''}: no such region or assessment type"
            )
