"""What every reader offers: a table of texts that can be walked as often as needed (文本表)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from pyproj import CRS

CHUNK_ROWS = 50_000
WHOLE_LIMIT = 1e15
"""Whole numbers from here on have more digits than a spreadsheet keeps."""


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
    """Walk the named columns from the start; memory stays flat for text and vector files."""
    has_geometry: bool = False
    crs: CRS | None = None
    """The CRS that the file itself states for its geometry."""
    cut_headers: bool = False
    """Headers are cut after ten bytes, as a shapefile does."""


def text_table(columns: Sequence[str], values: Sequence[Sequence[str]]) -> pa.Table:
    """Build a table of texts from one list a column."""
    arrays = [pa.array(column, type=pa.string()) for column in values]
    return pa.Table.from_arrays(arrays, names=list(columns))


def as_texts(column: pa.ChunkedArray) -> pa.Array | None:
    """
    Return a typed column as texts without nulls, or None if it cannot be (列转文本).

    Whole numbers have no decimal point; those of more than 15 digits stay in scientific notation,
    so that a code that a program has rounded is seen to be one.
    """
    flat = column.combine_chunks()
    kind = flat.type
    if pa.types.is_dictionary(kind):
        flat, kind = flat.cast(kind.value_type), kind.value_type
    if pa.types.is_floating(kind):
        return _floats(flat.cast(pa.float64()))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_nested(kind):
        return None
    return pc.fill_null(flat.cast(pa.string()), "")


def number_text(value: float) -> str:
    """Return a number as text, by the rules of `as_texts`."""
    if value.is_integer():
        return str(int(value)) if abs(value) < WHOLE_LIMIT else f"{value:.14E}"
    return repr(value)


def _floats(column: pa.Array) -> pa.Array:
    finite = pc.fill_null(pc.is_finite(column), fill_value=False)
    small = pc.less(pc.abs(column), WHOLE_LIMIT)
    whole = pc.and_(pc.and_(finite, small), pc.equal(pc.round(column), column))
    whole = pc.fill_null(whole, fill_value=False)
    plain = pc.if_else(whole, column, 0.0).cast(pa.int64()).cast(pa.string())
    texts = pc.if_else(whole, plain, column.cast(pa.string()))
    return pc.if_else(finite, pc.fill_null(texts, ""), "")
