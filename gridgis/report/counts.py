"""The counts of a month by fact, and sums of slices of them (计数汇总)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.model.figures import FACTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gridgis.model.figures import Slice

HUNDREDTHS = 100


@dataclass(frozen=True, slots=True)
class Counts:
    """
    Sums per combination of dimensions, one table a fact (计数立方).

    Measures are in hundredths of the fact's unit, so that weighted sums stay exact.
    """

    tables: dict[str, pd.DataFrame]

    @classmethod
    def of(cls, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> Counts:
        """Build the tables from the store's rows, fact by fact."""
        tables = {}
        for name, fact in FACTS.items():
            table = pd.DataFrame(rows.get(name, []), columns=[*fact.dims, *fact.measures])
            for dim in fact.dims:
                table[dim] = table[dim].astype(object).where(table[dim].notna(), None)
            tables[name] = table
        return cls(tables)

    def sum(self, chosen: Slice) -> Decimal:
        """Return the sum of a slice in the unit of its fact."""
        table = self.tables[chosen.fact]
        fits = np.ones(len(table), dtype=bool)
        for dim, values in chosen.where:
            column = table[dim]
            known = [value for value in values if value is not None]
            one = column.isin(known)
            fits &= (one | column.isna()).to_numpy() if None in values else one.to_numpy()
        total = int(table[chosen.measure].to_numpy(dtype=np.int64)[fits].sum())
        return Decimal(total) / HUNDREDTHS

    def values(self, fact: str, dim: str) -> list[str]:
        """Return the values of a dimension that occur, sorted; missing ones left out."""
        return sorted(set(self.tables[fact][dim].dropna()))
