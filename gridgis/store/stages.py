"""Stage times and deadlines of cases as their events and limits tell them (阶段时间与时限)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from gridgis.store.engine import query

if TYPE_CHECKING:
    from sqlalchemy import Connection


def project(tx: Connection) -> None:
    """Let the stage times of the cases in `touched` follow their events (阶段时间投影)."""
    tx.execute(text("ANALYZE touched"))
    tx.execute(query("ledger", "project_events"))


def settle_cases(tx: Connection) -> None:
    """After cases were merged: events tell their stages, limits their missing deadlines."""
    tx.execute(query("ledger", "touched_by_cases"))
    project(tx)
    tx.execute(query("ledger", "limit_cases"))
