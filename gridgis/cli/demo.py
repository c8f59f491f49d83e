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
from gridgis.model.profile import CityProfile
from gridgis.services.context import Context, drop_city, init_city, profile_folder
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import imported_digests
from gridgis.services.monitor import ensure_density
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
    folder = settings.data_dir / "demo"
    database = f"gridgis_demo_{profile.replace('-', '_')}"
    city = load_profile(profile_folder(profile))
    manifest = _known(folder, city)
    if manifest is None:
        drop_city(settings, database)
    if manifest is None or len(manifest.months) < months_count:
        manifest = _write(folder, city, months_count)
    context = init_city(settings, profile, database=database)
    _load_areas(context, city)
    _import(context, manifest, folder)
    _analyse(context, manifest)
    say(f"demo ready after {time.monotonic() - started:.0f} s (合成数据 / synthetic data)")
    if serve_map:
        serve(port=port)


def _known(folder: Path, city: CityProfile) -> DemoManifest | None:
    """Return what an earlier demo of this very profile wrote, if there was one."""
    record = folder / "manifest.json"
    if not record.exists():
        return None
    manifest = DemoManifest.load(record)
    return manifest if manifest.profile_version == city.version else None


def _write(folder: Path, city: CityProfile, months_count: int) -> DemoManifest:
    with progress("making synthetic cases", months_count) as bar:
        return write_demo(
            city,
            folder,
            months=months_count,
            progress=lambda _label, done, _total: bar.update(bar.task_ids[0], completed=done),
        )


def _load_areas(context: Context, city: CityProfile) -> None:
    """Load the profile's areas and make its cells, once."""
    if not grid_versions(context):
        load_layers(context, city)
        make_profile_cells(context, city)


def _import(context: Context, manifest: DemoManifest, folder: Path) -> None:
    """Import the files whose content is not in the database yet."""
    known = imported_digests(context)
    for entry in manifest.files:
        if entry.sha256 in known:
            continue
        how = f"--crs {entry.crs}" if entry.kind == "cases" else f"--kind {entry.kind}"
        note(f"importing {entry.path} ({entry.note}, {how})")
        request = ImportRequest(
            crs=entry.crs or None,
            kind=entry.kind,
            mapping=entry.mapping or None,
            synthetic=True,
            rejects=folder / "rejects" / f"{Path(entry.path).stem}-rejects.csv",
        )
        import_file(context, folder / entry.path, request)


def _analyse(context: Context, manifest: DemoManifest) -> None:
    for month in manifest.months:
        note(f"counting {month} …")
        balance = ensure_density(context, period=Period.month(month, context.city.time_zone))
        say(f"{month}: {balance.total:,} cases, {balance.in_cells:,} of them in a unit grid")
