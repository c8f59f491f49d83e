"""
Which cell, street and region hold a case (落格).

Set-based, in the measuring CRS. A point on a border lies in the area with the lowest code; the
region with the highest priority counts. The rows come from one import or from the store; both
run the same steps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from gridgis.store.city import bump_data_version
from gridgis.store.engine import query

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

COARSE_M = 50.0
"""A point less certain than this is not trusted to pick a region against the stated one."""
CELLS_PER_POINT = 2
"""With fewer points than this share of the cells, asking per point is cheaper than per cell."""
CASES_LOCK = 0x63617365
_TEMPORARY = (
    "to_place", "placed_cell", "sorted_point", "placed_region", "placed_street", "placed",
)  # fmt: skip


def lock_cases(tx: Connection, *, waiting: Callable[[], None] = lambda: None) -> None:
    """Let one transaction at a time place cases; `waiting` is told when there is another."""
    if not tx.scalar(text("SELECT pg_try_advisory_xact_lock(:k)"), {"k": CASES_LOCK}):
        waiting()
        tx.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": CASES_LOCK})


def place_staged(tx: Connection) -> None:
    """Decide the place of every row of `staged_case`; the verdicts are in `placed`."""
    open_placing(tx)
    tx.execute(query("placement", "placing_staged"))
    _place(tx)


def place_stored(tx: Connection) -> int:
    """Place every stored case again after areas or cells changed; return how many changed."""
    lock_cases(tx)
    open_placing(tx)
    tx.execute(query("placement", "placing_stored"))
    _place(tx)
    changed = tx.execute(query("placement", "apply_placed")).rowcount
    tx.execute(text(f"DROP TABLE {', '.join(_TEMPORARY)}"))
    bump_data_version(tx)
    return changed


def open_placing(tx: Connection) -> None:
    """Make the empty table `to_place` of this transaction."""
    tx.execute(query("placement", "create_placing"))
    tx.execute(query("placement", "create_placed_cell"))


def place_cells(tx: Connection) -> None:
    """
    Put the cell of every point of `to_place` into `placed_cell` (点落网格).

    Uncut squares by their key, the other cells by their geometry: over the index of the points,
    or point by point where there are few.
    """
    tx.execute(text("ANALYZE to_place"))
    tx.execute(query("placement", "place_by_key"))
    sizes = tx.execute(query("placement", "placing_sizes")).one()
    few = sizes.points * CELLS_PER_POINT < sizes.cells
    if sizes.cells and not few:
        _sort_points(tx)
        tx.execute(query("placement", "place_by_cover"))
    tx.execute(query("placement", "place_by_point"), {"all_points": few})


def _place(tx: Connection) -> None:
    place_cells(tx)
    _sort_points(tx)
    for step in ("place_regions", "place_streets"):
        tx.execute(query("placement", step))
    tx.execute(query("placement", "create_placed"), {"coarse_m": COARSE_M})
    tx.execute(text("ANALYZE placed"))


def _sort_points(tx: Connection) -> None:
    """Sort and index the located points, once."""
    if tx.scalar(text("SELECT to_regclass('pg_temp.sorted_point')")) is None:
        for step in ("sort_points", "index_points"):
            tx.execute(query("placement", step))
        tx.execute(text("ANALYZE sorted_point"))
