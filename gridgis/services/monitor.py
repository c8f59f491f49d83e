"""Run the monthly analyses and store them (按期分析)."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from gridgis.store.engine import begin
from gridgis.store.runs import DensityBalance, current_run, read_balance, store_density

if TYPE_CHECKING:
    from gridgis.model.period import Period
    from gridgis.services.context import Context


def measure_density(context: Context, *, period: Period) -> DensityBalance:
    """Count one period per cell, street and region as a new run (按期统计密度)."""
    with begin(context.engine) as tx:
        return store_density(
            tx, period, gridgis_version=version("gridgis"), parameters={"counted_on": "counted_at"}
        )


def ensure_density(context: Context, *, period: Period) -> DensityBalance:
    """Measure the density of a period unless the newest run still counts today's data."""
    with begin(context.engine) as tx:
        run = current_run(
            tx, kind="density", month=period.label, gridgis_version=version("gridgis")
        )
        if run is not None:
            return read_balance(tx, run)
    return measure_density(context, period=period)
