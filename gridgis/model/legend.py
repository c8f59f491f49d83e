"""
Colours of class maps (图例配色).

One palette for pages, offline files and, later, printed maps. Zero is a class of its own, so that
"no case" and "few cases" are told apart also with impaired colour vision.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ZERO_COLOUR = "#cfd8dc"
"""Places without a case (无案件)."""
CLASS_COLOURS = ("#ffffb2", "#fecc5c", "#fd8d3c", "#f03b20", "#bd0026")
"""ColorBrewer YlOrRd 5, low to high."""


def colour_numbers(classes: int) -> tuple[int, ...]:
    """
    Return which colour each class takes, 1 the lightest.

    Fewer classes than colours are spread over the whole range, a single class takes the middle.
    """
    last = len(CLASS_COLOURS) - 1
    if classes == 1:
        return (last // 2 + 1,)
    return tuple(round(number * last / (classes - 1)) + 1 for number in range(classes))


def colour_number(value: float, bounds: Sequence[float]) -> int:
    """
    Return the colour of a value: 0 for zero, else the one of its class (lo, hi].

    Parameters
    ----------
    value : float
        Zero or positive.
    bounds : sequence of float
        Ascending upper bounds; a value above the last one takes the last class.
    """
    if value <= 0 or not bounds:
        return 0
    return colour_numbers(len(bounds))[min(bisect_left(bounds, value), len(bounds) - 1)]


def colour(number: int) -> str:
    """Return the hex colour of a colour number."""
    return CLASS_COLOURS[number - 1] if number else ZERO_COLOUR
