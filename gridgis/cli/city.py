"""`gridgis city …`: city profiles and their databases (城市)."""

from __future__ import annotations

from typing import Annotated

import typer

from gridgis.cli.layers import check_profile_crs, load_layers, make_profile_cells
from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.services.context import (
    city_list,
    database_in_use,
    init_city,
    open_context,
    profile_folder,
    use_city,
)
from gridgis.services.regions import grid_versions, read_areas

app = typer.Typer(help="City profiles and their databases (城市配置).", no_args_is_help=True)


@app.command("list")
def list_cities(*, as_json: JsonFlag = False) -> None:
    """List the shipped city profiles and the city databases of the embedded cluster."""
    settings = Settings()
    profiles = [
        {"profile": name, "code": profile.code, "name": profile.name, "crs": profile.measuring_crs}
        for name, profile in sorted((n, load_profile(f)) for n, f in shipped_profiles().items())
    ]
    used = database_in_use(settings)
    databases = [{"database": name, "in_use": name == used} for name in city_list(settings)]
    if as_json:
        say_json({"profiles": profiles, "databases": databases})
        return
    say_table(
        ("profile", "code", "name", "measuring CRS"), [tuple(row.values()) for row in profiles]
    )
    say("")
    say_table(
        ("database", "in use"),
        [(row["database"], "yes" if row["in_use"] else "") for row in databases],
    )


@app.command()
def show(*, as_json: JsonFlag = False) -> None:
    """Show the city in use."""
    settings = Settings()
    city = open_context(settings).city
    outside = settings.database_url is not None
    facts: dict[str, object] = {
        "database": "GRIDGIS_DATABASE_URL" if outside else database_in_use(settings),
        **{name: getattr(city, name) for name in city.__slots__},
    }
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

    Running it again brings names, catalogue and schema up to date and leaves areas and unit grids
    as they are: those change by `gridgis boundaries …`. A profile without geometry is fine: load
    districts and make the cells afterwards.
    """
    settings = Settings()
    loaded = load_profile(profile_folder(profile))
    check_profile_crs(loaded)
    note(f"setting up {loaded.name} …")
    context = init_city(settings, profile, database=database)
    districts = read_areas(context, "district")
    if districts.empty:
        load_layers(context, loaded)
    if cells and loaded.layers and not grid_versions(context):
        make_profile_cells(context, loaded)
    if not loaded.layers and districts.empty:
        note("the profile has no geometry: go on with `gridgis boundaries load … --kind district`")
    say(f"{loaded.name} is ready; its database is in use from now on")


@app.command()
def use(
    database: Annotated[str, typer.Option(help="A name that `gridgis city list` shows.")],
) -> None:
    """Choose another city database of the embedded cluster."""
    say(f"using {use_city(Settings(), database).name}")


@app.command()
def check(
    profile: Annotated[str, typer.Option(help="A shipped profile's name, or a profile folder.")],
) -> None:
    """Read a profile folder and report every fault at once."""
    loaded = load_profile(profile_folder(profile))
    say(
        f"{loaded.name}: {len(loaded.regions)} regions, {len(loaded.streets)} streets, "
        f"{len(loaded.categories)} subcategories, {len(loaded.layers)} layers; no fault found"
    )
