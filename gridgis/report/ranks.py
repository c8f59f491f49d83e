"""Superlatives that keep ties, and lists of the most (排序与并列)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from decimal import Decimal

    from gridgis.model.figures import Figure
    from gridgis.report.scope import Area

Placed = tuple["Area", "Figure"]


@dataclass(frozen=True, slots=True)
class Ranking:
    """Areas from the highest figure to the lowest; equal figures share a place (并列)."""

    places: tuple[tuple[Placed, ...], ...]
    without: tuple[Placed, ...]
    """Areas without the figure: the denominator, or the count itself, is 0."""

    @property
    def highest(self) -> tuple[Placed, ...]:
        """All areas of the first place."""
        return self.places[0] if self.places else ()

    @property
    def lowest(self) -> tuple[Placed, ...]:
        """All areas of the last place."""
        return self.places[-1] if self.places else ()

    @property
    def is_level(self) -> bool:
        """Tell whether all areas are equal."""
        return len(self.places) == 1

    def lower(self, least: int) -> tuple[Placed, ...]:
        """Return the areas of the last places, at least so many if there are, never the best."""
        found: list[Placed] = []
        for place in reversed(self.places[1:]):
            if len(found) >= least:
                break
            found.extend(place)
        return tuple(found)

    def rank(self, area: Area) -> int | None:
        """Return 1 for the highest; ties share a number and the next one is skipped."""
        before = 0
        for place in self.places:
            if any(placed.key == area.key for placed, _ in place):
                return before + 1
            before += len(place)
        return None


def ranked(given: Iterable[Placed]) -> Ranking:
    """
    Rank areas by a figure, exactly (排序).

    Parameters
    ----------
    given : iterable of (Area, Figure)
        In the order of the report, which areas of one place keep.
    """
    all_given = list(given)
    usable = [pair for pair in all_given if _is_usable(pair[1])]
    usable.sort(key=_value, reverse=True)
    places = tuple(tuple(place) for _, place in groupby(usable, key=_value))
    return Ranking(places, tuple(pair for pair in all_given if not _is_usable(pair[1])))


def top(counted: Mapping[str, Decimal], most: int) -> list[str]:
    """Return the codes with the largest counts above 0; equal ones by code."""
    found = sorted((-count, code) for code, count in counted.items() if count > 0)
    return [code for _, code in found[:most]]


def _is_usable(figure: Figure) -> bool:
    return bool(figure.numerator if figure.denominator is None else figure.denominator)


def _value(pair: Placed) -> Decimal:
    """Return a value that is not None: quotients of equal ratios are equal to 28 digits."""
    value = pair[1].value
    if value is None:
        raise ValueError(pair[1].key)
    return value
