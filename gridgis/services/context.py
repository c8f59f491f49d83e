"""
What a use case needs: a database and the city it holds (运行上下文).

Local state (`<data dir>/city.json`) remembers which city database is in use; an outside
database (`GRIDGIS_DATABASE_URL`) always wins and is never started or stopped.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gridgis.errors import ConfigError, InputError, NotFoundError
from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.store.city import read_city, read_fixed, read_status, save_profile
from gridgis.store.cluster import BOOTSTRAP_ROLE, Cluster, write_record
from gridgis.store.engine import Engine, begin, briefly, connect
from gridgis.store.migrate import (
    WRITER_ROLE,
    FixedFacts,
    city_databases,
    create_database,
    drop_database,
    require_current,
    upgrade,
)

if TYPE_CHECKING:
    from gridgis.config import Settings
    from gridgis.model.city import City
    from gridgis.model.profile import CityProfile

_DATABASE_NAME = re.compile(r"[a-z][a-z0-9_]{0,55}")


@dataclass(frozen=True, slots=True)
class Context:
    """An open city database."""

    engine: Engine
    city: City

    def profile(self) -> CityProfile:
        """Read the city's profile folder (城市配置)."""
        return load_profile(profile_folder(self.city.profile_folder))


def open_context(settings: Settings, *, statement_timeout_s: float | None = None) -> Context:
    """
    Open the city database in use, starting the embedded cluster if that is where it lives.

    Raises
    ------
    ConfigError
        If no city has been chosen yet.
    MigrationRequired
        If its schema is not the one this code knows.
    """
    engine = connect(service_url(settings), statement_timeout_s=statement_timeout_s)
    try:
        require_current(engine)
        with begin(engine) as tx:
            return Context(engine, read_city(tx))
    except BaseException:
        engine.dispose()
        raise


def refreshed(context: Context) -> Context:
    """Read the city again: an import decides whether it is synthetic, a profile may change."""
    with begin(context.engine) as tx:
        return replace(context, city=read_city(tx))


def init_city(settings: Settings, folder: str, *, database: str | None = None) -> Context:
    """
    Create (or bring up to date) a city's database from its profile and use it (建库).

    Parameters
    ----------
    folder : str
        A shipped profile's name, or a path to a profile folder.
    database : str, optional
        Name of the database on the embedded cluster; default `gridgis_SLUG`.
    """
    profile = load_profile(profile_folder(folder))
    outside = settings.database_url is not None
    if outside and database is not None:
        raise InputError(
            f"--database {database}: GRIDGIS_DATABASE_URL already names the database; unset one"
        )
    name = _database_name(profile, database)
    if not outside:
        cluster = Cluster(settings.data_dir)
        cluster.start()
        with briefly(cluster.url("postgres", role=BOOTSTRAP_ROLE)) as admin:
            create_database(admin, name)
    with briefly(_url(settings, BOOTSTRAP_ROLE, name)) as owner:
        upgrade(owner, facts=FixedFacts(profile.measuring_srid, profile.time_zone))
    stored = folder if folder in shipped_profiles() else str(Path(folder).absolute())
    engine = connect(_url(settings, WRITER_ROLE, name))
    try:
        with begin(engine) as tx:
            save_profile(tx, profile, folder=stored)
            city = read_city(tx)
    except BaseException:
        engine.dispose()
        raise
    if not outside:
        _remember(settings, name)
    return Context(engine, city)


def drop_city(settings: Settings, database: str) -> None:
    """Delete a city database of the embedded cluster, if it exists (删库)."""
    cluster = Cluster(settings.data_dir)
    cluster.start()
    with briefly(cluster.url("postgres", role=BOOTSTRAP_ROLE)) as admin:
        drop_database(admin, database)


def upgrade_database(settings: Settings) -> str:
    """Migrate the database in use, read its profile again and return its revision."""
    with briefly(_url(settings, BOOTSTRAP_ROLE)) as owner:
        with begin(owner) as tx:
            measuring_srid, time_zone, folder = read_fixed(tx)
        revision = upgrade(owner, facts=FixedFacts(measuring_srid, time_zone))
        with begin(owner) as tx:  # a new revision may have tables that a profile fills
            save_profile(tx, load_profile(profile_folder(folder)), folder=folder)
        return revision


def use_city(settings: Settings, name: str) -> City:
    """
    Use another city database of the embedded cluster from now on (切换城市).

    Raises
    ------
    ConfigError
        If GRIDGIS_DATABASE_URL is set: it always wins.
    NotFoundError
        If there is no such database; those there are are listed.
    """
    if settings.database_url is not None:
        raise ConfigError("GRIDGIS_DATABASE_URL is set and always wins: unset it to choose a city")
    known = city_list(settings)
    if name not in known:
        raise NotFoundError(
            f"no city database {name!r} here; there are: {', '.join(known) or 'none'}. Make one "
            "with `gridgis city init --profile NAME --database NAME`"
        )
    with briefly(_url(settings, WRITER_ROLE, name)) as engine, begin(engine) as tx:
        city = read_city(tx)
    _remember(settings, name)
    return city


def city_list(settings: Settings) -> list[str]:
    """Return the city databases of the embedded cluster (城市数据库)."""
    cluster = Cluster(settings.data_dir)
    if settings.database_url is not None or not cluster.exists():
        return []
    cluster.start()
    with briefly(cluster.url("postgres", role=BOOTSTRAP_ROLE)) as admin:
        return city_databases(admin)


def database_in_use(settings: Settings) -> str | None:
    """Return the name of the database in use, if one was chosen."""
    record = settings.data_dir / "city.json"
    return str(json.loads(record.read_text())["database"]) if record.exists() else None


def service_url(settings: Settings) -> str:
    """Return the URL that services use: the outside one, or the non-superuser role of ours."""
    return _url(settings, WRITER_ROLE)


def profile_folder(name: str) -> Path:
    """Return the folder of a shipped profile by its name, or of a path."""
    shipped = shipped_profiles()
    if name in shipped:
        return shipped[name]
    if Path(name).is_dir():
        return Path(name)
    raise InputError(
        f"city profile {name!r}: neither a shipped profile ({', '.join(sorted(shipped))}) nor a "
        "folder that exists"
    )


def _database_name(profile: CityProfile, given: str | None) -> str:
    name = given or f"gridgis_{re.sub(r'[^a-z0-9_]', '_', profile.slug.lower())}"
    if _DATABASE_NAME.fullmatch(name) is None:
        raise InputError(
            f"database name {name!r}: use lower-case letters, digits and _, at most 56 characters"
        )
    return name


def _remember(settings: Settings, name: str) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    write_record(settings.data_dir / "city.json", {"database": name})


def _url(settings: Settings, role: str, database: str | None = None) -> str:
    """Return the outside URL, or that of a database of ours: the given one, or the one in use."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    name = database or database_in_use(settings)
    if name is None:
        raise ConfigError(
            "no city is set up yet: run `gridgis demo` to see one, or `gridgis city init "
            "--profile FOLDER` for your own, or set GRIDGIS_DATABASE_URL"
        )
    cluster = Cluster(settings.data_dir)
    cluster.start()
    return cluster.url(name, role=role)


def database_report(settings: Settings) -> dict[str, object]:
    """Return versions, city and sizes of the database in use (数据库状态)."""
    with briefly(service_url(settings)) as engine:
        require_current(engine)
        with begin(engine) as tx:
            city = read_city(tx)
            return {"city": city.name, "synthetic": city.synthetic, **read_status(tx)}
