"""`gridgis city …`: city profiles and their databases (城市)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.layers import load_layers, make_profile_cells
from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.services.context import (
    init_city,
    open_context,
    profile_folder,
    use_database,
)

app = typer.Typer(help="City profiles and their databases (城市配置).", no_args_is_help=True)


@app.command("list")
def list_profiles(*, as_json: JsonFlag = False) -> None:
    """List the shipped city profiles."""
    rows = []
    for name, folder in sorted(shipped_profiles().items()):
        profile = load_profile(folder)
        rows.append((name, profile.code, profile.name, profile.measuring_crs))
    if as_json:
        say_json([dict(zip(("profile", "code", "name", "crs"), row, strict=True)) for row in rows])
    else:
        say_table(("profile", "code", "name", "measuring CRS"), rows)


@app.command()
def show(*, as_json: JsonFlag = False) -> None:
    """Show the city in use."""
    city = open_context(Settings()).city
    facts = {name: getattr(city, name) for name in city.__slots__}
    if as_json:
        say_json(facts)
    else:
        for name, value in facts.items():
            say(f"{name}: {value}")


@app.command()
def init(
    profile: Annotated[str, typer.Option(help="A shipped profile's name, or a profile folder.")],
    *,
    database: Annotated[
        str | None, typer.Option(help="Database name on the embedded cluster.")
    ] = None,
    cells: Annotated[bool, typer.Option(help="Also make the profile's unit grids.")] = True,
) -> None:
    """
    Create a city's database from its profile, load its layers, and use it.

    A profile without geometry is fine: load districts afterwards with `gridgis boundaries load`
    and make the cells with `gridgis boundaries make-cells`.
    """
    loaded = load_profile(profile_folder(profile))
    note(f"setting up {loaded.name} …")
    context = init_city(Settings(), profile, database=database)
    if loaded.layers:
        load_layers(context, loaded)
        if cells and not any(layer.kind == "cell" for layer in loaded.layers):
            make_profile_cells(context, loaded)
    say(f"{loaded.name} is ready; its database is in use from now on")


@app.command()
def use(
    database: Annotated[str, typer.Option(help="Name given to `city init` (gridgis_SLUG).")],
) -> None:
    """Choose another city database of the embedded cluster."""
    settings = Settings()
    use_database(settings, database)
    say(f"using {open_context(settings).city.name}")


@app.command()
def check(
    profile: Annotated[Path, typer.Option(help="A profile folder.")],
) -> None:
    """Read a profile folder and report every fault at once."""
    loaded = load_profile(profile)
    say(
        f"{loaded.name}: {len(loaded.regions)} regions, {len(loaded.streets)} streets, "
        f"{len(loaded.categories)} subcategories, {len(loaded.layers)} layers; no fault found"
    )
