"""`gridgis demo`: the synthetic city, end to end by the public commands (演示)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli import cases
from gridgis.cli.layers import load_layers, make_profile_cells
from gridgis.cli.output import note, progress, say
from gridgis.cli.serve import serve
from gridgis.config import Settings
from gridgis.demo import write_demo
from gridgis.errors import ConfigError
from gridgis.model.period import Period
from gridgis.services.context import Context, init_city, profile_folder
from gridgis.services.ingest import ImportRequest
from gridgis.services.lookup import months
from gridgis.services.monitor import measure_density

DEFAULT_PROFILE = "kunming"


def run_demo(
    *,
    serve_map: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the map at the end.")
    ] = True,
    months_count: Annotated[
        int, typer.Option("--months", help="Months of cases, ending with the calibrated one.",
                          min=1, max=12)
    ] = 3,
    profile: Annotated[str, typer.Option(help="A profile that has a demo.toml.")] = DEFAULT_PROFILE,
    port: Annotated[int, typer.Option(help="TCP port of the map.", min=1, max=65535)] = 8000,
) -> None:
    """
    Make the synthetic demo city, import it, analyse it and serve its map (演示城市).

    Everything is labelled 合成数据 / synthetic and lives in a database of its own. Running it
    again changes nothing and serves at once.
    """
    settings = Settings()
    if settings.database_url is not None:
        raise ConfigError("the demo uses the embedded database: unset GRIDGIS_DATABASE_URL")
    started = time.monotonic()
    folder = settings.data_dir / "demo"
    context = _set_up(settings, profile)
    files = write_or_reuse(context, folder, months_count)
    _load(context, files)
    _analyse(context, files)
    say(f"demo ready after {time.monotonic() - started:.0f} s (合成数据 / synthetic data)")
    if serve_map:
        serve(port=port)
