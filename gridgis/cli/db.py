"""`gridgis db …` and `gridgis doctor`: the embedded cluster and the machine (数据库)."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.guard import check_one_root
from gridgis.cli.output import JsonFlag, say, say_json, say_table
from gridgis.config import Settings
from gridgis.errors import ConfigError, GridgisError
from gridgis.services.context import (
    database_in_use,
    database_report,
    service_url,
    upgrade_database,
)
from gridgis.store.cluster import Cluster, find_binaries

app = typer.Typer(help="The database: start, stop, migrate (数据库).", no_args_is_help=True)
LOW_DISK_GB = 5


@app.command()
def start() -> None:
    """Start the embedded cluster (nothing to do with GRIDGIS_DATABASE_URL)."""
    place = _own_cluster().start()
    say(f"running, socket {place.socket}, data {place.data}")


@app.command()
def stop() -> None:
    """Stop the embedded cluster."""
    say("stopped" if _own_cluster().stop() else "was not running")


@app.command()
def status(*, as_json: JsonFlag = False) -> None:
    """Tell which database is used and whether it answers."""
    settings = Settings()
    external = settings.database_url is not None
    running = external or Cluster(settings.data_dir).running()
    report: dict[str, object] = {
        "kind": "external" if external else "embedded",
        "running": running,
        "database": None if external else database_in_use(settings),
    }
    if running and (external or report["database"]):
        report |= database_report(settings)
    if as_json:
        say_json(report)
    else:
        for name, value in report.items():
            say(f"{name}: {value}")


@app.command()
def url() -> None:
    """Print the connection URL of the services' role, for psql or QGIS."""
    say(service_url(Settings()).replace("postgresql+psycopg", "postgresql"))


@app.command()
def upgrade() -> None:
    """Bring the database to this version's schema."""
    say(f"schema {upgrade_database(Settings())}")


@app.command()
def remove(*, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Stop the embedded cluster and delete it with all its data."""
    cluster = _own_cluster()
    if not yes:
        typer.confirm("delete the embedded cluster and every city in it?", abort=True)
    cluster.remove()
    say("removed")


def doctor(*, as_json: JsonFlag = False) -> None:
    """Check this machine: packages, PostGIS, fonts, disk (环境检查)."""
    checks = [
        _check("packages", lambda: str(check_one_root())),
        _check("PostgreSQL with PostGIS", lambda: f"{find_binaries().major}"),
        _check("database", _database),
        _check("Chinese font", _chinese_font),
        _check("disk", lambda: _disk(Settings().data_dir)),
    ]
    if as_json:
        say_json([{"check": name, "ok": ok, "detail": detail} for name, ok, detail in checks])
    else:
        say_table(
            ("check", "", "detail"),
            [(name, "ok" if ok else "FAIL", detail) for name, ok, detail in checks],
        )
    if not all(ok for _, ok, _ in checks):
        raise typer.Exit(2)


def _check(name: str, probe: Callable[[], str]) -> tuple[str, bool, str]:
    try:
        return (name, True, probe())
    except GridgisError as error:
        return (name, False, error.message)


def _database() -> str:
    report = database_report(Settings())
    return ", ".join(f"{name} {value}" for name, value in report.items())


def _chinese_font() -> str:
    program = shutil.which("fc-list")
    if program is None:
        raise ConfigError("fontconfig is missing: sudo apt-get install fontconfig fonts-noto-cjk")
    found = subprocess.run(  # noqa: S603 - a fixed program
        [program, ":lang=zh-cn", "family"], capture_output=True, text=True, check=False
    ).stdout.strip()
    if not found:
        raise ConfigError("no Chinese font: sudo apt-get install fonts-noto-cjk")
    return found.splitlines()[0]


def _disk(folder: Path) -> str:
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents)
                    if path.exists())  # fmt: skip
    free_gb = shutil.disk_usage(existing).free / 1e9
    if free_gb < LOW_DISK_GB:
        raise ConfigError(f"only {free_gb:.1f} GB free in {existing}: 5 GB are needed")
    return f"{free_gb:.0f} GB free"


def _own_cluster() -> Cluster:
    settings = Settings()
    if settings.database_url is not None:
        raise ConfigError(
            "GRIDGIS_DATABASE_URL is set: gridgis never starts or stops an outside database"
        )
    return Cluster(settings.data_dir)
