"""Cases and records in the fields of an import, row by row (台账导出)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.store.engine import query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, RowMapping

BATCH = 5_000


def handed_out(
    tx: Connection, name: str, month: int | None, *, restricted: bool
) -> tuple[tuple[str, ...], Iterator[RowMapping]]:
    """
    Return the fields and the rows of one kind of records; memory stays flat.

    Parameters
    ----------
    month : int, optional
        `YYYYMM`: of the case, or of the complaint or whistle itself; None gives all.
    restricted : bool
        Those of restricted classes (受限类) too.
    """
    options = {"stream_results": True, "yield_per": BATCH}
    rows = tx.execute(
        query("handout", name),
        {"month": month, "restricted": restricted},
        execution_options=options,
    )
    return tuple(rows.keys()), iter(rows.mappings())
