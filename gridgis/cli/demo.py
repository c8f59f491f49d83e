"""`gridgis demo`: the synthetic city, end to end by the public commands (演示)."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.cases import import_file
from gridgis.cli.layers import load_layers, make_profile_cells
from gridgis.cli.output import note, progress, say
from gridgis.cli.serve import serve
from gridgis.config import Settings
from gridgis.demo import DemoManifest, write_demo
from gridgis.errors import ConfigError
from gridgis.intake.profile import load_profile
from gridgis.model.period import Period
from gridgis.services.context import Context, init_city, profile_folder
from gridgis.services.ingest import ImportRequest, imported_files
from gridgis.services.lookup import months
from gridgis.services.monitor import measure_density
from gridgis.services.regions import grid_versions

DEFAULT_PROFILE = "kunming"


def run_demo(
    *,
    serve_map: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Serve the map at the end.")
    ] = True,
    months_count: Annotated[
        int,
        typer.Option("--months", min=1, max=12, help="Months of cases, the last one calibrated."),
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
    manifest = _files(profile, settings.data_dir / "demo", months_count)
    context = init_city(settings, profile, database=f"gridgis_demo_{profile.replace('-', '_')}")
    _load_areas(context)
    changed = _import(context, manifest, settings.data_dir / "demo")
    _analyse(context, manifest, changed=changed)
    say(f"demo ready after {time.monotonic() - started:.0f} s (合成数据 / synthetic data)")
    if serve_map:
        serve(port=port)


def _files(name: str, folder: Path, months_count: int) -> DemoManifest:
    """Write the files, or keep those that the same profile has written before."""
    profile = load_profile(profile_folder(name))
    record = folder / "manifest.json"
    if record.exists():
        manifest = DemoManifest.load(record)
        same = (manifest.city, manifest.profile_version) == (profile.code, profile.version)
        if same and len(manifest.months) >= months_count:
            return manifest
    with progress("making synthetic cases", months_count) as bar:
        return write_demo(profile, folder, months=months_count,
                          progress=lambda _label, done, _total: bar.update(0, completed=done))  # fmt: skip


def _load_areas(context: Context) -> None:
    """Load the profile's areas and make its cells, once."""
    if not grid_versions(context):
        profile = context.profile()
        load_layers(context, profile)
        make_profile_cells(context, profile)


def _import(context: Context, manifest: DemoManifest, folder: Path) -> bool:
    """Import the files that are not in the database yet; return whether there were any."""
    known = imported_files(context)
    fresh = [entry for entry in manifest.files if entry.path not in known]
    for entry in fresh:
        note(f"importing {entry.path} ({entry.note}, --crs {entry.crs})")
        import_file(context, folder / entry.path, ImportRequest(
            crs=entry.crs, synthetic=True,
            rejects=folder / "rejects" / f"{Path(entry.path).stem}-rejects.csv"))  # fmt: skip
    return bool(fresh)


def _analyse(context: Context, manifest: DemoManifest, *, changed: bool) -> None:
    done = {str(entry["month"]) for entry in months(context)}
    for month in manifest.months:
        if changed or month not in done:
            note(f"counting {month} …")
            balance = measure_density(context, period=Period.month(month, context.city.time_zone))
            say(f"{month}: {balance.total:,} cases, {balance.in_cells:,} of them in a unit grid")
