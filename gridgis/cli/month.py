"""`gridgis month run`: everything a month needs, in one (月度作业)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.output import note, say
from gridgis.config import Settings
from gridgis.model.period import Period
from gridgis.report.forms import write_report
from gridgis.services import report
from gridgis.services.context import open_context
from gridgis.services.monitor import ensure_density

app = typer.Typer(help="Everything a month needs, in one (月度作业).", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Keep `run` a subcommand while it is the only one."""


@app.command("run")
def run_command(
    month: Annotated[str, typer.Argument(help="Month as YYYY-MM.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Folder for the written report.")] = None,
) -> None:
    """
    Count a month's density and make its report; fit for a timer (月度作业).

    What is up to date already is not computed again.
    """
    context = open_context(Settings())
    note(f"counting {month} …")
    balance = ensure_density(context, period=Period.month(month, context.city.time_zone))
    say(f"{month}: {balance.total:,} cases, {balance.in_cells:,} of them in a unit grid")
    note(f"making the report of {month} …")
    made = report.make_report(context, month)
    say(f"{made.title}: issue {made.issue.number if made.issue else 1}, draft")
    if out is not None:
        shapes = report.report_shapes(context)
        for path in write_report(made, shapes, formats=("docx", "pdf", "xlsx"), folder=out):
            say(f"wrote {path}")
