"""`gridgis map …`: maps as one self-contained file (离线地图)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridgis.errors import ConfigError

app = typer.Typer(help="Write a map into one file that needs no network (离线地图).",
                  no_args_is_help=True)  # fmt: skip


@app.callback()
def _group() -> None:
    """Keep `density` a subcommand while it is the only one."""


@app.command("density")
def density_command(
    *,
    month: Annotated[str, typer.Option(help="Month as YYYY-MM.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
    level: Annotated[str, typer.Option(help="auto, street or district.")] = "auto",
) -> None:
    """Write the density of a month as an offline map (案件密度图)."""
    raise ConfigError(f"map density {month} {level} {out}: under construction")
