"""`gridgis meta …`: the codes that filters take (目录)."""

from __future__ import annotations

from typing import Annotated

import typer

from gridgis.cli.output import JsonFlag, say_json, say_table
from gridgis.config import Settings
from gridgis.errors import InputError
from gridgis.services.context import open_context
from gridgis.services.lookup import read_list

COLUMNS = {
    "categories": ("code", "name", "kind", "parent_code", "parent_name"),
    "sources": ("code", "name", "name_en", "tier"),
    "regions": ("code", "name", "name_en", "kind", "group", "land_area_km2", "geom_quality"),
    "streets": ("code", "name", "district_code", "land_area_km2", "geom_quality"),
    "statuses": ("code", "name"),
    "months": ("month", "run", "cases", "ended_at"),
    "runs": ("run", "kind", "month", "unit", "cases", "grid_version", "ended_at"),
}
WHAT = Annotated[str, typer.Argument(help=f"One of {', '.join(COLUMNS)}.", metavar="LIST")]


def meta(what: WHAT, *, as_json: JsonFlag = False) -> None:
    """List the codes of filters with their names, the months and the runs (目录)."""
    if what not in COLUMNS:
        raise InputError(f"list {what!r}: expected one of {', '.join(COLUMNS)}")
    rows = read_list(open_context(Settings()), what)
    if as_json:
        say_json(rows)
        return
    say_table(COLUMNS[what], [tuple(row[name] for name in COLUMNS[what]) for row in rows])
