"""`gridgis map …`: maps as one self-contained file (离线地图)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.output import note, say
from gridgis.config import Settings
from gridgis.errors import InputError
from gridgis.services.context import open_context
from maps.folium_map import density_map
from maps.offline import MAX_POLYGONS

app = typer.Typer(
    help="Write a map into one file that needs no network (离线地图).", no_args_is_help=True
)


@app.callback()
def _group() -> None:
    """Keep `density` a subcommand while it is the only one."""


@app.command("density")
def density_command(
    *,
    month: Annotated[str, typer.Option(help="Month as YYYY-MM.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    level: Annotated[
        str, typer.Option(help="street, district, or auto: the finest below the cap.")
    ] = "auto",
    lang: Annotated[
        str | None, typer.Option(help="zh-CN or en; default: the city's language.")
    ] = None,
) -> None:
    """Write a month's density by street or region as an offline map (案件密度图)."""
    if not out.parent.is_dir():
        raise InputError(f"out {out}: folder {out.parent} does not exist")
    drawn = density_map(open_context(Settings()), month=month, level=level, lang=lang)
    if level == "auto":
        note(f"level {drawn.level}: the finest with at most {MAX_POLYGONS:,} polygons")
    out.write_text(drawn.html, encoding="utf-8")
    size_kb = out.stat().st_size / 1024
    say(f"{out}: run {drawn.run_id}, {drawn.polygons:,} polygons by {drawn.level}, "
        f"{size_kb:,.0f} KB; it opens without a network")  # fmt: skip
