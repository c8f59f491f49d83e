"""Runs: stored results with their parameters (计算结果)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.errors import EmptyPeriod, NotComparable, StoreError
from gridgis.store.engine import query, refresh_statistics

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Connection

    from gridgis.model.period import Period


@dataclass(frozen=True, slots=True)
class DensityBalance:
    """The reconciliation of one density run: total = in cells + each reason (平衡校验)."""

    run_id: int
    total: int
    in_cells: int
    no_point: int
    too_coarse: int
    outside_cells: int
    restricted: int


def store_density(
    tx: Connection, period: Period, *, gridgis_version: str, parameters: Mapping[str, object]
) -> DensityBalance:
    """
    Count the cases of a period per cell, region, street, class and source (按期统计密度).

    Raises
    ------
    EmptyPeriod
        If no case is counted in the period.
    NotComparable
        If two versions of the unit grid are valid within the period.
    """
    bounds = {"start_at": period.start, "end_at": period.end}
    if not tx.scalar(query("density", "counted"), bounds):
        raise EmptyPeriod(
            f"no case is counted in {period.label}: import cases whose accepted_at (self-handled: "
            "reported_at) lies in it, or choose another month"
        )
    run_id = int(tx.scalar(query("density", "open_run"), {
        **bounds, "kind": "density", "month": period.label, "unit": "cases",
        "gridgis_version": gridgis_version, "grid_version": _one_grid(tx, period),
        "parameters": json.dumps(parameters, ensure_ascii=False),
    }) or 0)  # fmt: skip
    tx.execute(query("density", "count"), {**bounds, "run_id": run_id})
    tx.execute(query("density", "sum_places"), {"run_id": run_id})
    balance = read_balance(tx, run_id)
    tx.execute(query("density", "close_run"), {
        "run_id": run_id, "rows_in": balance.total,
        "headline": json.dumps({"total": balance.total, "in_cells": balance.in_cells}),
    })  # fmt: skip
    refresh_statistics(tx, "runs.density_count", "runs.density_place")
    return balance


def current_run(tx: Connection, *, kind: str, month: str, gridgis_version: str) -> int | None:
    """Return the newest run of a month if neither data, profile nor program changed since."""
    found = tx.scalar(
        query("density", "current_run"),
        {"kind": kind, "month": month, "gridgis_version": gridgis_version},
    )
    return None if found is None else int(found)


def _one_grid(tx: Connection, period: Period) -> str | None:
    grids = tx.execute(
        query("density", "grids_of_period"), {"start_at": period.start, "end_at": period.end}
    ).all()
    if len(grids) > 1:
        names = ", ".join(f"{grid.grid_version} (from {grid.valid_from})" for grid in grids)
        raise NotComparable(
            f"{period.label} spans several versions of the unit grid: {names}. Cells of two "
            "versions are not summed; let a new grid start on the first day of a month"
        )
    return str(grids[0].grid_version) if grids else None


def read_balance(tx: Connection, run_id: int) -> DensityBalance:
    """
    Return the reconciliation of a density run (平衡校验).

    Raises
    ------
    StoreError
        If cells and reasons, or regions and rest, do not sum to the total.
    """
    row = tx.execute(query("density", "run_balance"), {"run_id": run_id}).one()
    parts = row.in_cells + row.no_point + row.too_coarse + row.outside_cells
    parts += row.restricted
    if not row.total == parts == row.in_regions:
        raise StoreError(
            f"run {run_id} does not reconcile: total {row.total}, cells and reasons {parts}, "
            f"regions {row.in_regions}; nothing was stored"
        )
    return DensityBalance(run_id, int(row.total), int(row.in_cells), int(row.no_point),
                          int(row.too_coarse), int(row.outside_cells),
                          int(row.restricted))  # fmt: skip
