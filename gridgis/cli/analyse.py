"""`gridgis analyse …`: compute and store a month (分析)."""

from __future__ import annotations

from typing import Annotated

import typer

from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.model.period import Period
from gridgis.services.context import open_context
from gridgis.services.lookup import density
from gridgis.services.monitor import measure_density

app = typer.Typer(help="Compute and store a month's results (分析).", no_args_is_help=True)

Month = Annotated[str, typer.Option(help="Month as YYYY-MM.")]


@app.command("density")
def density_command(
    month: Month,
    *,
    as_json: JsonFlag = False,
) -> None:
    """Count a month's cases per cell, street and region (案件密度)."""
    context = open_context(Settings())
    note(f"counting {month} …")
    balance = measure_density(context, period=Period.month(month, context.city.time_zone))
    districts = density(context, level="district", run=balance.run_id)
    summary = {
        "run": balance.run_id, "month": month, "unit": "cases", "total": balance.total,
        "cells": {"in_cells": balance.in_cells, "no_point": balance.no_point,
                  "too_coarse": balance.too_coarse, "outside_cells": balance.outside_cells},
        "districts": districts["rows"], "rest": districts["rest"],
        "synthetic": bool(context.city.synthetic),
    }  # fmt: skip
    if as_json:
        say_json(summary)
        return
    if context.city.synthetic:
        say("合成数据 / synthetic data")
    say(f"run {balance.run_id}: {balance.total:,} cases = {balance.in_cells:,} in cells + "
        f"{balance.no_point:,} no_point + {balance.too_coarse:,} too_coarse + "
        f"{balance.outside_cells:,} outside_cells")  # fmt: skip
    say_table(
        ("code", "区域", "案件数", "占组内比例"),
        [(row["code"], row["name"], row["numerator"], row["share_text"])
         for row in districts["rows"]]
        + [(rest["reason"], rest["label"], rest["cases"], None) for rest in districts["rest"]],
    )  # fmt: skip
