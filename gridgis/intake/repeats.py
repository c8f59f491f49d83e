"""Repeated case numbers in one file (重复编号)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    BoolArray = NDArray[np.bool_]
    Hashes = NDArray[np.uint64]


class Repeats:
    """The case numbers accepted so far, as 64-bit hashes: 16 bytes a row."""

    def __init__(self) -> None:
        self._keys: Hashes = np.empty(0, dtype=np.uint64)
        self._rows: Hashes = np.empty(0, dtype=np.uint64)

    def find(self, keys: Hashes, rows: Hashes) -> tuple[BoolArray, BoolArray]:
        """
        Return which rows repeat an earlier number, and which of them are the same row.

        Parameters
        ----------
        keys, rows : (n,) uint64
            Hashes of the case number and of the whole row, in file order. Rows that repeat
            nothing are remembered.
        """
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        first = first[inverse]
        earlier_rows = rows[first]
        at = np.searchsorted(self._keys, keys).clip(max=max(len(self._keys) - 1, 0))
        known = self._keys[at] == keys if len(self._keys) else np.zeros(len(keys), dtype=bool)
        if known.any():
            earlier_rows[known] = self._rows[at[known]]
        repeated = known | (first != np.arange(len(keys)))
        self._remember(keys[~repeated], rows[~repeated])
        return repeated, repeated & (earlier_rows == rows)

    def _remember(self, keys: Hashes, rows: Hashes) -> None:
        keys = np.concatenate([self._keys, keys])
        order = np.argsort(keys, kind="stable")
        self._keys = keys[order]
        self._rows = np.concatenate([self._rows, rows])[order]
