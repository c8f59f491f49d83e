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
from gridgis.config import Settings
from gridgis.errors import ConfigError, InputError
from gridgis.intake.profile import load_profile, shipped_profiles
from gridgis.model.city import City
from gridgis.model.profile import CityProfile
from gridgis.store.city import read_city, read_status, save_profile
from gridgis.store.cluster import BOOTSTRAP_ROLE, Cluster
from gridgis.store.engine import Engine, begin, briefly, connect
from gridgis.store.migrate import (
    WRITER_ROLE,
    FixedFacts,
    create_database,
    drop_database,
    require_current,
    upgrade,
)

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
    name = database or f"gridgis_{re.sub(r'[^a-z0-9_]', '_', profile.slug.lower())}"
    if _DATABASE_NAME.fullmatch(name) is None:
        raise InputError(
            f"database name {name!r}: use lower-case letters, digits and _, at most 56 characters"
        )
    if settings.database_url is None:
        cluster = Cluster(settings.data_dir)
        cluster.start()
        with briefly(cluster.url("postgres", role=BOOTSTRAP_ROLE)) as admin:
            create_database(admin, name)
        use_database(settings, name)
    with briefly(_owner_url(settings)) as owner:
        upgrade(owner, facts=FixedFacts(profile.measuring_srid, profile.time_zone))
    stored = folder if folder in shipped_profiles() else str(Path(folder).absolute())
    engine = connect(service_url(settings))
    with begin(engine) as tx:
        save_profile(tx, profile, folder=stored)
        return Context(engine, read_city(tx))


def drop_city(settings: Settings, database: str) -> None:
    """Delete a city database of the embedded cluster, if it exists (删库)."""
    cluster = Cluster(settings.data_dir)
    cluster.start()
    with briefly(cluster.url("postgres", role=BOOTSTRAP_ROLE)) as admin:
        drop_database(admin, database)


def upgrade_database(settings: Settings) -> str:
    """Migrate the database in use and return its revision."""
    with briefly(_owner_url(settings)) as owner:
        with begin(owner) as tx:
            city = read_city(tx)
        return upgrade(owner, facts=FixedFacts(city.measuring_srid, city.time_zone))


def use_database(settings: Settings, name: str) -> None:
    """Remember which database of the embedded cluster is in use."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    (settings.data_dir / "city.json").write_text(json.dumps({"database": name}))


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


def _owner_url(settings: Settings) -> str:
    return _url(settings, BOOTSTRAP_ROLE)


def _url(settings: Settings, role: str) -> str:
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    name = database_in_use(settings)
    if name is None:
        raise ConfigError(
            "no city is set up yet: run `gridgis demo` to see one, or `gridgis city init PROFILE` "
            "for your own, or set GRIDGIS_DATABASE_URL"
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
