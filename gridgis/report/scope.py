"""
What a report is about: its month, areas, types and names, in the order of the report (统计范围).

Regions and the rest (unlocated, cross-area, other, restricted) are disjoint and sum to the city;
groups are sums of regions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.model.figures import FACTS
from gridgis.model.period import Period

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from gridgis.model.profile import CityProfile, Region
    from gridgis.report.cube import Cube
    from gridgis.report.wording import Words

REST = ("unlocated", "cross_area", "other")
RESTRICTED = "restricted"
"""Region and class of a case of a restricted class (受限类), in every fact."""
TIERS = ("city", "district")
LEVELS = ("city", "district", "street")
KINDS = ("event", "component")
CITY_KEY = "total"


@dataclass(frozen=True, slots=True)
class Named:
    """A code and what it is called in the language of the report."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Area:
    """A region, a rest, a group of regions or the whole city."""

    key: str
    """What stands for it in keys of figures: `530102`, `other`, `group.main`, `total`."""
    name: str
    kind: str
    """`region`, `rest`, `group` or `city`."""
    values: tuple[object, ...] | None = None
    """Its values of `region_key`; None: any."""
    group: str = ""
    """Code of the group of a region."""

    @property
    def where(self) -> dict[str, object]:
        """What a slice of the area says about its rows."""
        return {} if self.values is None else {"region_key": self.values}


@dataclass(frozen=True, slots=True)
class Block:
    """Areas whose rates are compared with each other (同组比较)."""

    name: str
    areas: tuple[Area, ...]
    is_last: bool


@dataclass(frozen=True, slots=True)
class Scope:
    """Areas and names of a report."""

    month: str
    start: date
    end: date
    """First day after the month."""
    city: Area
    regions: tuple[Area, ...]
    rest: tuple[Area, ...]
    groups: tuple[Area, ...]
    types: tuple[Named, ...]
    """Assessment types; empty: the city has none and every case is assessed."""
    tiers: tuple[Named, ...]
    levels: tuple[Named, ...]
    kinds: tuple[Named, ...]
    sources: tuple[Named, ...]
    tiered: frozenset[str]
    """Sources of the city's or the districts' supervisors."""
    subcategories: dict[str, str]
    restricted: tuple[str, ...]
    """Prefixes of subcategories that no list by subcategory names: they are known as a sum."""

    @property
    def areas(self) -> tuple[Area, ...]:
        """Every area that figures are made for."""
        return (*self.regions, *self.rest, *self.groups, self.city)

    @property
    def assessed(self) -> dict[str, object]:
        """What a slice says about cases that are assessed."""
        if not self.types:
            return {}
        return {"assessment_type": tuple(kind.code for kind in self.types)}

    def members(self, group: Area) -> tuple[Area, ...]:
        """Return the regions of a group."""
        return tuple(area for area in self.regions if f"group.{area.group}" == group.key)

    def group_of(self, area: Area) -> Area:
        """Return the group of a region, or the city if it has none."""
        return next((g for g in self.groups if g.key == f"group.{area.group}"), self.city)

    def blocks(self) -> tuple[Block, ...]:
        """
        Return the areas that are compared: the last group alone, all groups before it together.

        A city lists its urban groups first; its outer counties are the last group. Regions
        without a group are compared with the first ones.
        """
        if len(self.groups) < 2:  # noqa: PLR2004
            return (Block("", self.regions, is_last=False),) if self.regions else ()
        last = self.members(self.groups[-1])
        first = tuple(area for area in self.regions if area not in last)
        return (
            Block("first", first, is_last=False),
            Block(self.groups[-1].name, last, is_last=True),
        )

    def is_restricted(self, subcategory: str) -> bool:
        """Tell whether a subcategory may not be named (受限类)."""
        return subcategory.startswith(self.restricted)

    def subcategory(self, code: str) -> str:
        """Return the name of a subcategory, or its code."""
        return self.subcategories.get(code, code)


def scope_of(
    profile: CityProfile,
    month: str,
    cubes: Sequence[Cube],
    *,
    words: Words,
    restricted: tuple[str, ...] = (),
) -> Scope:
    """
    Return the scope of a month: regions that are valid in it, or that have counts.

    Values of `region_key` that the profile does not know count as "other", so that regions and
    rest always sum to the city. Restricted classes are those that the profile marks, and more.
    """
    period = Period.month(month, profile.time_zone)
    start, end = period.start.date(), period.end.date()
    seen = {
        value
        for cube in cubes
        for fact, known in FACTS.items()
        if "region_key" in known.dims
        for value in cube.values(fact, "region_key")
    }
    shown = [r for r in profile.regions if _is_valid(r, start, end) or r.code in seen]
    order = [group.code for group in profile.groups]
    shown.sort(key=lambda r: order.index(r.group) if r.group in order else len(order))
    hidden = tuple(category.code for category in profile.categories if category.restricted)
    rest = (*REST, RESTRICTED) if hidden or RESTRICTED in seen else REST
    unknown = sorted(seen - {r.code for r in shown} - {*rest, None}, key=str)
    others = ("other", *unknown, *((None,) if None in seen else ()))
    regions = tuple(
        Area(r.code, words.either(r.name, r.name_en), "region", (r.code,), r.group) for r in shown
    )
    return Scope(
        month=month,
        start=start,
        end=end,
        city=Area(CITY_KEY, words.word("city_total"), "city"),
        regions=regions,
        rest=tuple(
            Area(key, words.word(key), "rest", others if key == "other" else (key,)) for key in rest
        ),
        groups=tuple(_groups(profile, regions, words)),
        types=tuple(Named(t.code, words.either(t.name, t.name_en)) for t in profile.ledger.types),
        tiers=_named(TIERS, "tier", words),
        levels=_named(LEVELS, "level", words),
        kinds=_named(KINDS, "kind", words),
        sources=tuple(Named(s.code, words.either(s.name, s.name_en)) for s in profile.sources),
        tiered=frozenset(s.code for s in profile.sources if s.tier),
        subcategories={c.code: c.name for c in profile.categories},
        restricted=(RESTRICTED, *hidden, *restricted),
    )


def _groups(profile: CityProfile, regions: tuple[Area, ...], words: Words) -> Iterable[Area]:
    for group in profile.groups:
        codes: tuple[object, ...] = tuple(r.key for r in regions if r.group == group.code)
        if codes:
            name = words.either(group.name, group.name_en)
            yield Area(f"group.{group.code}", name, "group", codes, group.code)


def _named(codes: tuple[str, ...], what: str, words: Words) -> tuple[Named, ...]:
    return tuple(Named(code, words.word(f"{what}_{code}")) for code in codes)


def _is_valid(region: Region, start: date, end: date) -> bool:
    return (region.valid_from is None or region.valid_from < end) and (
        region.valid_to is None or region.valid_to > start
    )
