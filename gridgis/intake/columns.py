"""Columns of texts: cleaning, look-ups, numbers; Arrow instead of loops (文本列)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    BoolArray = NDArray[np.bool_]
    FloatArray = NDArray[np.float64]

T = TypeVar("T")
_NUL = re.compile(rb"\0")


def trimmed(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one array without surrounding white space."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return pc.utf8_trim_whitespace(whole)


def plain(texts: pa.Array) -> pa.Array:
    """Return texts without full-width forms (全角转半角)."""
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return texts
    return pc.utf8_trim_whitespace(pc.utf8_normalize(texts, form="NFKC"))


def nullable(texts: pa.Array) -> pa.Array:
    """Return texts with empty ones missing."""
    return pc.if_else(pc.equal(texts, ""), None, texts)


def mask(flags: pa.Array) -> BoolArray:
    """Return a boolean column as an array; missing is false."""
    found: BoolArray = pc.fill_null(flags, fill_value=False).to_numpy(zero_copy_only=False)
    return found


def matches(texts: pa.Array, pattern: str) -> BoolArray:
    """Tell which texts hold a pattern."""
    return mask(pc.match_substring_regex(texts, pattern))


def numbers(texts: pa.Array) -> FloatArray:
    """Return texts as numbers; empty ones and what is no number are NaN."""
    try:
        column = nullable(texts).cast(pa.float64())
    except pa.ArrowInvalid:
        column = pa.array(pd.to_numeric(pd.Series(texts.to_pylist()), errors="coerce"))
    found: FloatArray = column.to_numpy(zero_copy_only=False)
    return found.astype(np.float64)


def decimals(texts: pa.Array) -> NDArray[np.int64]:
    """Return the used decimals of number texts; trailing zeros do not count."""
    stripped = pc.utf8_rtrim(texts, characters="0")
    after = pc.subtract(pc.binary_length(stripped), pc.add(pc.find_substring(texts, "."), 1))
    found: NDArray[np.int64] = pc.if_else(pc.match_substring(texts, "."), after, 0).to_numpy(
        zero_copy_only=False
    )
    return found.astype(np.int64)


def rows_with_nul(table: pa.Table) -> BoolArray:
    """Tell which rows hold a NUL character, which no text of the database can."""
    found = np.zeros(table.num_rows, dtype=bool)
    for column in table.columns:
        buffers = [chunk.buffers()[2] for chunk in column.chunks]
        if any(buffer is not None and _NUL.search(buffer) for buffer in buffers):
            found |= mask(pc.match_substring(column.combine_chunks(), "\0"))
    return found


def blank_rows(table: pa.Table, candidates: BoolArray) -> BoolArray:
    """Tell which of the candidate rows have no text in any column."""
    found = candidates.copy()
    for column in table.columns:
        if not found.any():
            break
        at = np.flatnonzero(found)
        found[at] = mask(pc.equal(trimmed(column.take(pa.array(at))), ""))
    return found


def hashes(columns: Sequence[pa.Array | pa.ChunkedArray]) -> NDArray[np.uint64]:
    """Return one hash a row over some columns of texts."""
    joined = pc.binary_join_element_wise(*columns, "\x1f") if len(columns) > 1 else columns[0]
    texts = (
        joined.to_numpy()
        if isinstance(joined, pa.ChunkedArray)
        else joined.to_numpy(zero_copy_only=False)
    )
    found: NDArray[np.uint64] = pd.util.hash_array(texts, categorize=False)
    return found


@dataclass(frozen=True, slots=True)
class Distinct:
    """A column by its distinct texts, each of which is looked at once (去重列)."""

    values: list[str]
    codes: NDArray[np.int64]
    """Position of each row's text in `values`."""

    @classmethod
    def of(cls, texts: pa.Array) -> Distinct:
        """Find the distinct texts of a column."""
        encoded = texts.dictionary_encode()
        codes = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return cls(encoded.dictionary.to_pylist(), codes)

    def each(self, find: Callable[[str], T]) -> list[T]:
        """Return what is found for each distinct text."""
        return [find(value) for value in self.values]

    def spread(self, found: Sequence[object], kind: pa.DataType) -> pa.Array:
        """Return a value a distinct text as a column."""
        return pa.array(found, type=kind).take(pa.array(self.codes))

    def where(self, flags: Sequence[bool]) -> BoolArray:
        """Return a flag a distinct text as a flag a row."""
        found: BoolArray = np.array(flags, dtype=bool)[self.codes]
        return found
