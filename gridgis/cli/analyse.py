"""`gridgis analyse …`: compute and store a month (分析)."""

from __future__ import annotations

from typing import Annotated

import typer

from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.model.period import Period
from gridgis.services.context import open_context
from gridgis.services.exports import NOTICE, nature
from gridgis.services.lookup import density, named_filter
from gridgis.services.monitor import measure_density
from gridgis.store.metrics import Row

app = typer.Typer(help="Compute and store a month's results (分析).", no_args_is_help=True)

HEADS = {"cell": "单元网格", "street": "街道", "district": "区域"}
TOP_CELLS = 20


@app.command("density")
def density_command(
    *,
    month: Annotated[str, typer.Option(help="Month as YYYY-MM.")],
    category: Annotated[
        str | None, typer.Option(help="Show one class: code, prefix (S05) or name.")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Show one source: code or name.")] = None,
    level: Annotated[
        str, typer.Option(help="What the table lists: district, street or cell.")
    ] = "district",
    as_json: JsonFlag = False,
) -> None:
    """
    Count a month's cases per cell, street and region and store them as a run (案件密度).

    Filters are answered from the stored run, which holds every class and source.
    """
    context = open_context(Settings())
    period = Period.month(month, context.city.time_zone)
    chosen = named_filter(context, category=category, source=source)
    note(f"counting {month} …")
    balance = measure_density(context, period=period)
    found = {
        name: density(context, level=name, run=balance.run_id, chosen=chosen)
        for name in dict.fromkeys(("cell", "district", level))
    }
    cells = {
        "in_cells": sum(_cases(row) for row in _rows(found["cell"])),
        **{str(rest["reason"]): rest["cases"] for rest in _rest(found["cell"])},
    }
    if as_json:
        say_json(
            {
                "run": balance.run_id,
                "month": month,
                "unit": "cases",
                "filters": found[level]["filters"],
                "total": found[level]["total"],
                "cells": {"no_point": 0, "too_coarse": 0, "outside_cells": 0, **cells},
                "districts": _rows(found["district"]),
                "rest": _rest(found["district"]),
                "level": level,
                "rows": [*_rows(found[level]), *_rest(found[level])],
                **nature(synthetic=bool(context.city.synthetic)),
            }
        )
        return
    if context.city.synthetic:
        say(NOTICE)
    parts = " + ".join(f"{count:,} {reason}" for reason, count in cells.items())
    say(f"run {balance.run_id}: {found[level]['total']:,} cases = {parts}")
    _say_level(found[level], level)


def _say_level(found: Row, level: str) -> None:
    rows = _rows(found)
    shown = rows
    if level == "cell":
        shown = sorted(rows, key=lambda row: (-_cases(row), str(row["code"])))[:TOP_CELLS]
    say_table(
        ("code", HEADS.get(level, level), "案件数", "面积 km²", "件/km²", "占组内比例"),
        [
            (
                row["code"],
                row["name"],
                _cases(row),
                None if row["denominator"] is None else f"{row['denominator']:,.2f}",
                row["text"],
                row["share_text"],
            )
            for row in shown
        ]
        + [(row["code"], row["name"], _cases(row), None, None, None) for row in _rest(found)],
    )
    if len(shown) < len(rows):
        say(f"… {len(rows) - len(shown):,} more cells with cases: --json prints all")


def _rows(found: Row) -> list[Row]:
    return found["rows"]  # type: ignore[return-value]


def _rest(found: Row) -> list[Row]:
    return found["rest"]  # type: ignore[return-value]


def _cases(row: Row) -> int:
    return int(str(row["numerator"]))
