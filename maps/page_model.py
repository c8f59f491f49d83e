"""What the map page shows, as finished texts: templates compute nothing (页面模型)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Option:
    """One entry of a select."""

    value: str
    text: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Entries under one heading; an empty heading is none."""

    label: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """One field of the filter form (筛选项)."""

    name: str
    label: str
    groups: tuple[OptionGroup, ...]


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One class: its colour number, its range, its places and cases."""

    colour: int
    label: str
    places: str
    cases: str


@dataclass(frozen=True, slots=True)
class Legend:
    """The legend of one level (图例)."""

    level: str
    title: str
    """Measure and unit, `案件数（件/100米格）`."""
    subtitle: str
    places: str
    """Heading of the column of places."""
    rows: tuple[LegendRow, ...]
    rest: tuple[tuple[str, str], ...]
    """Cases without a place of this level, by reason."""
    places_total: str
    total: str
    bounds: tuple[float, ...]
    """Upper bounds of the classes above zero, ascending."""
    colours: tuple[int, ...]
    """Colour number of each class."""


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One region of the table (区域)."""

    code: str
    label: str
    approximate: bool
    colour: int | None
    """Colour number on the district map; None without an area."""
    cases: str
    km2: str
    density: str
    share: str
    bbox: tuple[float, float, float, float] | None


@dataclass(frozen=True, slots=True)
class RegionGroup:
    """A reporting group with its regions (统计分组)."""

    label: str
    cases: str
    rows: tuple[RegionRow, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A link with its text."""

    href: str
    text: str
    lang: str = ""
    """Language of the text, if it is not the page's."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence above the content, with ways on (提示)."""

    kind: str
    """`info`, `empty` or `missing`."""
    text: str
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class MapPage:
    """The map page of one question (热点地图)."""

    lang: str
    city: str
    title: str
    month: str
    synthetic: bool
    languages: tuple[Link, ...]
    """Every language by its own name; the page's own has an empty `href`."""
    selects: tuple[Select, ...]
    hidden: tuple[Option, ...]
    """Parameters that the form carries on."""
    notices: tuple[Notice, ...]
    filtered: bool
    reset: str
    """Address without filters."""
    total: str = ""
    unlocated: str = ""
    """Cases without a region, by reason; empty under a filter by region."""
    legends: tuple[Legend, ...] = ()
    groups: tuple[RegionGroup, ...] = ()
    rest: tuple[tuple[str, str], ...] = ()
    run: Link | None = None
    computed: str = ""
    exports: tuple[Link, ...] = ()
    attributions: tuple[str, ...] = ()
    approximate: bool = False
    """Whether some border shown is approximate."""
    state: Mapping[str, object] = field(default_factory=dict)
    """What the scripts are handed, as JSON."""

    @property
    def found(self) -> bool:
        """Tell whether there is a run to show."""
        return self.run is not None
