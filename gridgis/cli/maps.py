"""`gridgis map …`: maps as one self-contained file (离线地图)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.open_work import At, Category, District, Stage, State, Street, Stuck
from gridgis.cli.output import note, say
from gridgis.config import Settings
from gridgis.errors import InputError
from gridgis.services.context import open_context
from gridgis.services.open_work import work_filter

Out = Annotated[Path, typer.Option(help="HTML file to write.")]
Language = Annotated[str | None, typer.Option(help="zh-CN or en; default: the city's language.")]
app = typer.Typer(
    help="Write a map into one file that needs no network (离线地图).", no_args_is_help=True
)


@app.command("density")
def density_command(
    *,
    month: Annotated[str, typer.Option(help="Month as YYYY-MM.")],
    out: Out,
    level: Annotated[
        str, typer.Option(help="street, district, or auto: the finest below the cap.")
    ] = "auto",
    lang: Language = None,
) -> None:
    """Write a month's density by street or region as an offline map (案件密度图)."""
    _check_folder(out)
    from maps.folium_map import density_map  # noqa: PLC0415 - folium takes its time
    from maps.offline import MAX_POLYGONS  # noqa: PLC0415

    drawn = density_map(open_context(Settings()), month=month, level=level, lang=lang)
    if level == "auto":
        note(f"level {drawn.level}: the finest with at most {MAX_POLYGONS:,} polygons")
    out.write_text(drawn.html, encoding="utf-8")
    size_kb = out.stat().st_size / 1024
    say(f"{out}: run {drawn.run_id}, {drawn.polygons:,} polygons by {drawn.level}, "
        f"{size_kb:,.0f} KB; it opens without a network")  # fmt: skip


@app.command("open")
def open_command(  # noqa: PLR0913 - one option per filter
    *,
    out: Out,
    stage: Stage = None,
    state: State = None,
    stuck: Stuck = None,
    district: District = None,
    street: Street = None,
    category: Category = None,
    at: At = None,
    lang: Language = None,
) -> None:
    """Write tasks to dispatch and cases to close at a moment as an offline map (待办地图)."""
    _check_folder(out)
    context = open_context(Settings())
    chosen = work_filter(
        context,
        stage=stage,
        state=state,
        stuck=stuck,
        district=district,
        street=street,
        category=category,
    )
    from maps.open_map import open_map  # noqa: PLC0415 - folium takes its time

    drawn = open_map(context, chosen, at=at, lang=lang)
    if drawn.left_out:
        note(f"{drawn.left_out:,} located items with a later limit are not drawn: filter them")
    out.write_text(drawn.html, encoding="utf-8")
    size_kb = out.stat().st_size / 1024
    say(f"{out}: {drawn.drawn:,} points at {drawn.at[:16].replace('T', ' ')}, "
        f"{drawn.unlocated:,} items without a point, {size_kb:,.0f} KB; it opens without a "
        "network")  # fmt: skip


def _check_folder(out: Path) -> None:
    if not out.parent.is_dir():
        raise InputError(f"out {out}: folder {out.parent} does not exist")
