"""How many rows a table has, and how fine the coordinates of each source are (预读)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.errors import SchemaError
from gridgis.intake.columns import Distinct, decimals, mask, plain, trimmed
from gridgis.intake.points import group_places

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gridgis.intake.tables import TableFile

_MOST_PLACES = 20


def survey(
    table: TableFile, columns: Mapping[str, str], *, constant_source: str
) -> tuple[int, dict[str, int]]:
    """
    Walk a table once, over few columns (预读全表).

    Parameters
    ----------
    columns : mapping
        Field to header.
    constant_source : str
        Source of all rows where no column holds it.

    Returns
    -------
    rows : int
        Rows below the header, blank ones included.
    places : dict
        Source as written to the decimals that it uses.

    Raises
    ------
    SchemaError
        If there is no row, or if the table cannot be walked to its end.
    """
    needed = [columns[name] for name in ("x", "y", "source") if name in columns]
    needed = list(dict.fromkeys(needed)) or [next(iter(columns.values()))]
    counts: dict[str, NDArray[np.int64]] = {}
    rows = 0
    for chunk in table.chunks(needed):
        rows += len(chunk.numbers) + len(chunk.ragged)
        if "x" in columns:
            texts = {
                name: trimmed(column) for name, column in zip(needed, chunk.table, strict=True)
            }
            sources = (
                texts[columns["source"]]
                if "source" in columns
                else pa.repeat(constant_source, len(chunk.numbers))
            )
            _count_places(counts, texts[columns["x"]], texts[columns["y"]], sources)
    if rows == 0:
        raise SchemaError(f"{table.name}: the file is empty: it has a header, but no row")
    return rows, {name: group_places(found) for name, found in counts.items()}


def _count_places(
    counts: dict[str, NDArray[np.int64]], x: pa.Array, y: pa.Array, sources: pa.Array
) -> None:
    x, y = plain(x), plain(y)
    places = np.maximum(decimals(x), decimals(y)).clip(max=_MOST_PLACES)
    given = mask(pc.not_equal(x, ""))
    groups = Distinct.of(sources)
    for at, name in enumerate(groups.values):
        found = np.bincount(places[given & (groups.codes == at)], minlength=_MOST_PLACES + 1)
        counts[name] = counts.get(name, np.zeros(_MOST_PLACES + 1, dtype=np.int64)) + found
