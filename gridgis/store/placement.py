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
"""With fewer points than cells over this, it is cheaper to look at the cells of every point."""
CASES_LOCK = 0x63617365
_PLANNING = {
    "enable_mergejoin": "off",
    "enable_nestloop": "off",
    "enable_sort": "off",
    "work_mem": "'256MB'",
}
"""Keys are joined and grouped by hashing: what the planner knows of two columns apart lets it
expect thousands of cells for a key that has one."""
_TEMPORARY = (
    "placing_grid", "to_place", "placed_cell", "cell_square", "sorted_point", "placed_region",
    "placed_street", "placed",
)  # fmt: skip


def lock_cases(tx: Connection, *, waiting: Callable[[], None] = lambda: None) -> None:
    """Let one transaction at a time place cases; `waiting` is told when there is another."""
    if not tx.scalar(text("SELECT pg_try_advisory_xact_lock(:k)"), {"k": CASES_LOCK}):
        waiting()
        tx.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": CASES_LOCK})


def place_staged(tx: Connection) -> None:
    """Decide the place of every row of `staged_case`; the verdicts are in `placed`."""
    open_placing(tx)
    _place(tx, "placing_staged")


def place_stored(tx: Connection) -> int:
    """Place every stored case again after areas or cells changed; return how many changed."""
    lock_cases(tx)
    open_placing(tx)
    _place(tx, "placing_stored")
    changed = tx.execute(query("placement", "apply_placed")).rowcount
    tx.execute(text(f"DROP TABLE IF EXISTS {', '.join(_TEMPORARY)} CASCADE"))
    bump_data_version(tx)
    return changed


def open_placing(tx: Connection) -> None:
    """Make the empty work tables of one placement: `to_place` and what follows from it."""
    for name, value in _PLANNING.items():
        tx.execute(text(f"SET LOCAL {name} TO {value}"))
    for name in (
        "create_placing_grid",
        "create_placing",
        "create_placed_cell",
        "create_point_cell",
    ):
        tx.execute(query("placement", name))
    tx.execute(text("ANALYZE placing_grid"))


def place_cells(tx: Connection, points: int) -> None:
    """
    Find the cells that cover the points of `to_place`; `point_cell` tells (点落网格).

    Uncut squares are decided by their key as `point_cell` is read. The other cells are looked at
    here: square by square of a lattice, or point by point where there are few points.
    """
    uneven = int(tx.scalar(query("placement", "count_uneven")) or 0)
    few = points * CELLS_PER_POINT < uneven
    if uneven and not few:
        tx.execute(query("placement", "create_cell_square"))
        tx.execute(query("placement", "place_by_square"))
    tx.execute(query("placement", "place_by_point"), {"all_points": few})


def _place(tx: Connection, fill: str) -> None:
    points = tx.execute(query("placement", fill)).rowcount
    place_cells(tx, points)
    for step in ("sort_points", "index_points", "place_regions", "place_streets"):
        tx.execute(query("placement", step))
    tx.execute(query("placement", "create_placed"), {"coarse_m": COARSE_M})
    tx.execute(text("ANALYZE placed"))
    for name in _PLANNING:
        tx.execute(text(f"SET LOCAL {name} TO DEFAULT"))
