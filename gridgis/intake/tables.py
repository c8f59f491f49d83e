"""What every reader offers: a table of texts that can be walked as often as needed (文本表)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK_ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Ragged:
    """A row with another number of columns than the header (列数不符的行)."""

    number: int
    text: str
    fields: tuple[str, ...]
    """The row's values as far as they can be told apart, in file order."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some rows as texts; an empty text is a missing value."""

    numbers: NDArray[np.int64]
    """1-based number of each row among the rows below the header."""
    table: pa.Table
    """String columns without nulls, in the order asked for."""
    ragged: tuple[Ragged, ...] = ()
    bad_points: dict[int, str] = field(default_factory=dict)
    """Row number to the kind of a geometry that is no point."""


@dataclass(frozen=True, slots=True)
class TableFile:
    """An opened table (已打开的表)."""

    name: str
    headers: tuple[str, ...]
    chunks: Callable[[Sequence[str]], Iterator[Chunk]]
    """Walk the named columns from the start; memory stays flat for text files."""
    encoding: str | None = None
    has_geometry: bool = False
    has_nul: bool = False
    """The text holds NUL characters; the rows that do are rejected."""


def text_table(columns: Sequence[str], values: Sequence[Sequence[str]]) -> pa.Table:
    """Build a table of texts from one list a column."""
    arrays = [pa.array(column, type=pa.string()) for column in values]
    return pa.Table.from_arrays(arrays, names=list(columns))
