"""Rejects files that come back mended (退回文件再导入)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.intake.columns import mask
from gridgis.intake.headers import unnamed
from gridgis.intake.rejects import FORMULA
from gridgis.intake.rules import REJECT_HEADERS
from gridgis.intake.tables import Chunk, Ragged

_PROTECTED = rf"^'({FORMULA})"


def unprotected(chunk: Chunk) -> Chunk:
    """Return a chunk without what protects texts from being taken for formulas (还原文本)."""
    plain = [pc.replace_substring_regex(c, _PROTECTED, r"\1") for c in chunk.table.columns]
    return replace(chunk, table=pa.Table.from_arrays(plain, names=chunk.table.column_names))


def restored(chunk: Chunk) -> Chunk:
    """
    Return the rows of a rejects file as they were before it was written (还原退回行).

    Texts lose what protected them from being taken for formulas. A row that still has values
    beyond the header is still ragged.
    """
    table = unprotected(chunk).table
    first = len(REJECT_HEADERS["en"]) + 1
    beyond = [n for at, n in enumerate(table.column_names, start=first) if n == unnamed(at)]
    if not beyond:
        return replace(chunk, table=table)
    over = np.logical_or.reduce([mask(pc.not_equal(table[name], "")) for name in beyond])
    rows = table.filter(pa.array(over)).to_pylist()
    ragged = [
        Ragged(int(number), ",".join(row.values()), tuple(row.values()))
        for number, row in zip(chunk.numbers[over], rows, strict=True)
    ]
    kept = table.filter(pa.array(~over))
    return replace(chunk, numbers=chunk.numbers[~over], table=kept, ragged=(*chunk.ragged, *ragged))
