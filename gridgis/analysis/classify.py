"""
Class breaks for maps (分级).

Exact Fisher-Jenks natural breaks by dynamic programming on distinct values with their counts:
deterministic, and the optimum of the within-class sum of squares (Fisher 1958; Jenks 1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gridgis.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    FloatArray = NDArray[np.float64]

MIN_CLASSES, MAX_CLASSES = 3, 7
MAX_DISTINCT = 1000
"""More distinct values are first put into as many quantile bins."""


@dataclass(frozen=True, slots=True)
class ClassTable:
    """Values of places that are to be classed; zero is a class of its own (分级数据)."""

    values: FloatArray
    """Counts or densities; equal values may repeat."""
    places: FloatArray
    """How many places have each value."""
    cases: FloatArray
    """Cases of those places together."""

    @classmethod
    def of_counts(cls, histogram: Sequence[tuple[int, int]]) -> ClassTable:
        """Return the table of places classed by their cases: `(cases, places)`."""
        values = np.array([n for n, _ in histogram], dtype=np.float64)
        places = np.array([p for _, p in histogram], dtype=np.float64)
        return cls(values, places, values * places)

    @property
    def empty_places(self) -> int:
        """Places of value zero."""
        return int(self.places[self.values == 0].sum())

    @property
    def total(self) -> int:
        """Cases of all places."""
        return int(self.cases.sum())


@dataclass(frozen=True, slots=True)
class ValueClass:
    """Values in (lo, hi], with their places and cases (级)."""

    lo: float
    hi: float
    places: int
    cases: int


def natural_classes(table: ClassTable, k: int) -> list[ValueClass]:
    """Return the natural classes above zero; their places and cases are those of the table."""
    positive = table.values > 0
    if not positive.any():
        return []
    values, places, cases = (part[positive] for part in (table.values, table.places, table.cases))
    distinct, inverse = np.unique(values, return_inverse=True)
    weights = np.bincount(inverse, weights=places).astype(np.float64)
    bounds = natural_breaks(distinct, weights, k)
    which = np.searchsorted(bounds, values, side="left")
    lows = [0.0, *bounds[:-1].tolist()]
    return [
        ValueClass(low, high, int(places[which == n].sum()), int(cases[which == n].sum()))
        for n, (low, high) in enumerate(zip(lows, bounds.tolist(), strict=True))
    ]


def natural_breaks(values: FloatArray, weights: FloatArray, k: int) -> FloatArray:
    """
    Return the upper bounds of natural classes (自然断点).

    Parameters
    ----------
    values : (n,) float64
        Distinct positive values; zero is a class of its own and must not be here.
    weights : (n,) float64
        How many places have each value.
    k : int
        Wanted classes, 3 to 7; fewer distinct values give fewer classes.

    Returns
    -------
    (m,) float64
        Ascending upper bounds, m ≤ k, the last is the largest value; class i is the interval
        (bound[i-1], bound[i]].

    Raises
    ------
    InputError
        If `k` lies outside 3 to 7.
    """
    if not MIN_CLASSES <= k <= MAX_CLASSES:
        raise InputError(f"k {k}: a map has {MIN_CLASSES} to {MAX_CLASSES} classes")
    order = np.argsort(values, kind="stable")
    x, w = values[order].astype(np.float64), weights[order].astype(np.float64)
    if len(x) > MAX_DISTINCT:
        x, w = _binned(x, w)
    if len(x) <= k:
        return np.asarray(x)
    return np.asarray(x[_optimal_ends(x, w, k)])


def _optimal_ends(x: FloatArray, w: FloatArray, k: int) -> NDArray[np.int64]:
    """Return the index of the last value of every class."""
    n = len(x)
    sum_w = np.concatenate([[0.0], np.cumsum(w)])
    sum_x = np.concatenate([[0.0], np.cumsum(w * x)])
    sum_xx = np.concatenate([[0.0], np.cumsum(w * x * x)])

    def spread(start: NDArray[np.int64], end: int) -> FloatArray:
        """Within-class squares of x[start..end]."""
        weight = sum_w[end + 1] - sum_w[start]
        total = sum_x[end + 1] - sum_x[start]
        return np.asarray(sum_xx[end + 1] - sum_xx[start] - total * total / weight)

    best = np.array([spread(np.array([0]), end)[0] for end in range(n)])
    cuts = np.zeros((k, n), dtype=np.int64)
    for level in range(1, k):
        previous, best = best, best.copy()
        for end in range(level, n):
            starts = np.arange(level, end + 1)
            costs = previous[starts - 1] + spread(starts, end)
            at = int(np.argmin(costs))
            best[end], cuts[level, end] = costs[at], starts[at]
    ends = np.zeros(k, dtype=np.int64)
    end = n - 1
    for level in range(k - 1, -1, -1):
        ends[level] = end
        end = int(cuts[level, end]) - 1
    return ends


def _binned(x: FloatArray, w: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Merge neighbours into quantile bins; a bin is represented by its largest value."""
    share = np.cumsum(w) / w.sum()
    bins = np.minimum((share * MAX_DISTINCT).astype(int), MAX_DISTINCT - 1)
    last = np.flatnonzero(np.diff(np.append(bins, MAX_DISTINCT)))
    totals = np.diff(np.concatenate([[0.0], np.cumsum(w)[last]]))
    return x[last], totals
