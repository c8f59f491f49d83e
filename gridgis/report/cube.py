"""
Sums of many slices: each set of dimensions is aggregated once (计数聚合).

A report asks for thousands of slices of one month; `Counts.sum` scans a table for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING

import pandas as pd

from gridgis.model.figures import FACTS
from gridgis.report.counts import HUNDREDTHS

if TYPE_CHECKING:
    from gridgis.model.figures import Slice
    from gridgis.report.counts import Counts

Sums = dict[tuple[object, ...], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Cube:
    """The counts of a month, with the aggregates that were asked for so far."""

    counts: Counts
    _kept: dict[tuple[str, tuple[str, ...]], Sums] = field(default_factory=dict)

    def sum(self, chosen: Slice) -> Decimal:
        """Return what `Counts.sum` returns."""
        sums = self._sums(chosen.fact, tuple(dim for dim, _ in chosen.where))
        cells = product(*(dict.fromkeys(values) for _, values in chosen.where))
        total = sum(sums[cell][chosen.measure] for cell in cells if cell in sums)
        return Decimal(total) / HUNDREDTHS

    def has(self, fact: str) -> bool:
        """Tell whether the month has any row of a fact."""
        return not self.counts.tables[fact].empty

    def values(self, fact: str, dim: str) -> list[object]:
        """Return the values of a dimension that occur, sorted; a missing one comes last."""
        found = {value for (value,) in self._sums(fact, (dim,))}
        return sorted(found, key=lambda value: (value is None, str(value)))

    def _sums(self, fact: str, dims: tuple[str, ...]) -> Sums:
        if (fact, dims) not in self._kept:
            self._kept[fact, dims] = _aggregate(self.counts.tables[fact], fact, dims)
        return self._kept[fact, dims]


def _aggregate(table: pd.DataFrame, fact: str, dims: tuple[str, ...]) -> Sums:
    measures = list(FACTS[fact].measures)
    if table.empty:
        return {}
    if not dims:
        return {(): {name: int(table[name].sum()) for name in measures}}
    summed = table.groupby(list(dims), dropna=False, sort=False)[measures].sum()
    frame = summed.reset_index()
    keys = zip(*(_plain(frame[dim].tolist()) for dim in dims), strict=True)
    columns = zip(*(frame[name].tolist() for name in measures), strict=True)
    return {
        key: {name: int(value) for name, value in zip(measures, row, strict=True)}
        for key, row in zip(keys, columns, strict=True)
    }


def _plain(column: list[str | bool | float | None]) -> list[object]:
    """Return values with None where one is missing."""
    return [None if pd.isna(value) else value for value in column]
