"""What sentences, tables and charts of one report are made from (报告素材)."""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gridgis.model.period import Period
from gridgis.model.report import Cell, Paragraph
from gridgis.report.cube import Cube
from gridgis.report.indicators import closing_key, figures_of
from gridgis.report.ranks import Ranking, ranked
from gridgis.report.regimes import changes_between
from gridgis.report.scope import scope_of
from gridgis.report.wording import Said, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from gridgis.model.figures import Figure
    from gridgis.model.profile import CityProfile
    from gridgis.report.counts import Counts
    from gridgis.report.regimes import Change
    from gridgis.report.scope import Area, Scope
    from gridgis.report.wording import Words

EARLIER = {"previous": 1, "year_ago": 12}
"""Prefixes of figures of another month, and how many months before it lies."""


@dataclass(frozen=True, slots=True)
class Earlier:
    """A month that the report compares with; its keys begin with its name."""

    name: str
    """`previous` or `year_ago`."""
    month: str
    figures: dict[str, Figure]
    facts: frozenset[str]
    changes: tuple[Change, ...]
    """Changes of the reporting regime since."""


@dataclass(frozen=True, slots=True)
class Extras:
    """What counts do not tell."""

    synthetic: bool = False
    sample_rules: bool = False
    places: tuple[tuple[str, str, int], ...] = ()
    whistles: tuple[Mapping[str, object], ...] = ()
    days: tuple[tuple[date, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Material:
    """The figures of a month and the words to tell them."""

    profile: CityProfile
    scope: Scope
    words: Words
    figures: dict[str, Figure]
    facts: frozenset[str]
    """Facts that have any row in the month."""
    earlier: dict[str, Earlier]
    extras: Extras

    def fig(self, key: str) -> Figure:
        """Return a figure of the month, or of an earlier one by its prefix."""
        name, _, rest = key.partition(".")
        return self.earlier[name].figures[rest] if name in EARLIER else self.figures[key]

    def cell(self, key: str) -> Cell:
        """Return a cell that shows a figure."""
        return Cell(self.words.text(self.fig(key)), key)

    def ranking(self, areas: Iterable[Area], key: str) -> Ranking:
        """Rank areas by a figure; `{area}` in the key stands for each, `{closing}` for its keys."""
        return ranked(
            (area, self.fig(key.format(area=area.key, closing=closing_key(area)))) for area in areas
        )

    def names(self, areas: Iterable[Area]) -> Said:
        """Return the names of areas as a list."""
        return self.words.join("names", [area.name for area in areas])

    def paragraph(self, key: str, *said: Said | None) -> Paragraph:
        """Return sentences as a paragraph; None is left out."""
        whole = self.words.join("sentences", [part for part in said if part is not None])
        return Paragraph(key, whole.text, whole.keys)

    def placeholder(self, key: str) -> Paragraph:
        """Return a paragraph that a later version fills in."""
        return Paragraph(key, self.words.say(f"{key}_placeholder").text, placeholder=True)

    def missing(self, key: str, what: str) -> Paragraph:
        """Return a paragraph that says which records have not been imported."""
        name = self.words.word(f"records_{what}")
        return self.paragraph(key, self.words.say("missing", month=self.month_name, what=name))

    @property
    def month_name(self) -> str:
        """The month as sentences call it: 11月份."""
        return month_text(self.words, self.scope.month, short=True)

    def rest_keys(self, pattern: str) -> list[str]:
        """Return the keys of the rest: what counts in no region."""
        return [pattern.format(area=area.key) for area in self.scope.rest]


def month_text(words: Words, month: str, *, short: bool = False) -> str:
    """Return a month as it is written: 2024年11月, in sentences 11月份."""
    year, number = month.split("-")
    values = {"year": year, "month": str(int(number)), "name": calendar.month_name[int(number)]}
    return words.say("month" if short else "month_full", **values).text


def month_before(month: str, months: int) -> str:
    """Return the month that lies so many months before."""
    year, number = (int(part) for part in month.split("-"))
    place = year * 12 + number - 1 - months
    return f"{place // 12:04d}-{place % 12 + 1:02d}"


def collect(
    profile: CityProfile,
    counts: Counts,
    month: str,
    *,
    earlier: Mapping[str, Counts],
    restricted: tuple[str, ...],
    extras: Extras,
) -> Material:
    """Return the figures of the month and of those it is compared with (汇集素材)."""
    words = words_of(profile.language)
    cubes = {"": Cube(counts), **{name: Cube(other) for name, other in earlier.items()}}
    scope = scope_of(profile, month, list(cubes.values()), words=words, restricted=restricted)
    return Material(
        profile=profile,
        scope=scope,
        words=words,
        figures=figures_of(cubes[""], scope, words),
        facts=_facts(cubes[""]),
        earlier={name: _earlier(profile, name, cubes[name], scope, words) for name in earlier},
        extras=extras,
    )


def _earlier(profile: CityProfile, name: str, cube: Cube, scope: Scope, words: Words) -> Earlier:
    month = month_before(scope.month, EARLIER[name])
    label = month_text(words, month)
    figures = {
        key: replace(figure, key=f"{name}.{key}", label=f"{figure.label} · {label}")
        for key, figure in figures_of(cube, scope, words).items()
    }
    start = Period.month(month, profile.time_zone).start.date()
    changes = changes_between(profile.ledger.regimes, start, scope.end)
    return Earlier(name, month, figures, _facts(cube), changes)


def _facts(cube: Cube) -> frozenset[str]:
    return frozenset(name for name in cube.counts.tables if cube.has(name))


def numbered(words: Words, said: Sequence[Said]) -> list[Said]:
    """Return sentences with 1., 2. … before them."""
    return [
        words.say("numbered", number=str(place), text=text) for place, text in enumerate(said, 1)
    ]
