"""
City databases and their schema (城市数据库与迁移).

One database holds one city; its measuring SRID and time zone are fixed when it is created.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from gridgis.errors import MigrationRequired, StoreError
from gridgis.store.engine import begin, translated

EXTENSIONS = ("postgis", "btree_gist", "pg_trgm")
MIN_POSTGIS = (3, 3)
OWNER_ROLE = "gridgis_owner"
WRITER_ROLE = "gridgis_writer"
_MIGRATION_LOCK = 0x67726964


@dataclass(frozen=True, slots=True)
class FixedFacts:
    """What a database fixes about its city for good."""

    measuring_srid: int
    time_zone: str


def create_database(admin: Engine, name: str) -> bool:
    """Create the roles and a database owned by the owner role; return whether it is new."""
    with translated(), admin.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        for role, options in ((OWNER_ROLE, "NOLOGIN"), (WRITER_ROLE, "LOGIN")):
            if not session.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role}):
                session.exec_driver_sql(f"CREATE ROLE {role} {options}")
        if session.scalar(text("SELECT 1 FROM pg_database WHERE datname = :d"), {"d": name}):
            return False
        quoted = session.dialect.identifier_preparer.quote(name)
        session.exec_driver_sql(
            f"CREATE DATABASE {quoted} OWNER {OWNER_ROLE} TEMPLATE template0 ENCODING 'UTF8' "
            "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'"
        )
    return True


def drop_database(admin: Engine, name: str) -> None:
    """Drop a database, whoever is connected."""
    with translated(), admin.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        quoted = session.dialect.identifier_preparer.quote(name)
        session.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")


def upgrade(engine: Engine, *, facts: FixedFacts) -> str:
    """
    Bring a database to the newest schema and return its revision.

    Forward only, in one transaction, under an advisory lock. Extensions are created when the
    role may; a missing one names the line to run.
    """
    with begin(engine) as session:
        _require_extensions(session)
        session.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": _MIGRATION_LOCK})
        if _has_role(session, OWNER_ROLE) and _is_superuser(session):
            session.exec_driver_sql(f"SET LOCAL ROLE {OWNER_ROLE}")
        session.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS core")
        config = _config()
        config.attributes["connection"] = session
        config.attributes["city"] = {
            "measuring_srid": facts.measuring_srid,
            "time_zone": facts.time_zone,
        }
        command.upgrade(config, "head")
    with begin(engine) as session:
        return _revision(session) or ""


def require_current(engine: Engine) -> None:
    """
    Refuse a database whose schema is not the one this code knows.

    Raises
    ------
    MigrationRequired
        Naming both revisions.
    """
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with begin(engine) as session:
        found = _revision(session)
    if found != head:
        raise MigrationRequired(
            f"the database has schema {found or 'none'}, this gridgis needs {head}: run "
            "`gridgis db upgrade` (a newer database needs a newer gridgis)",
            found=found, needed=head,
        )  # fmt: skip


def postgis_version(engine: Engine) -> str:
    """Return the version of PostGIS in a database."""
    with begin(engine) as session:
        return str(session.scalar(text("SELECT postgis_lib_version()")))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("gridgis.store") / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def _revision(session: Connection) -> str | None:
    context = MigrationContext.configure(
        session, opts={"version_table": "schema_version", "version_table_schema": "core"}
    )
    return context.get_current_revision()


def _has_role(session: Connection, role: str) -> bool:
    return bool(session.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role}))


def _is_superuser(session: Connection) -> bool:
    return bool(session.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")))


def _require_extensions(session: Connection) -> None:
    """Create what is missing and check that Chinese text and PostGIS work as we need them."""
    present = set(session.scalars(text("SELECT extname FROM pg_extension")))
    for extension in EXTENSIONS:
        if extension not in present:
            session.exec_driver_sql(f"CREATE EXTENSION {extension}")
    version = str(session.scalar(text("SELECT postgis_lib_version()")))
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_POSTGIS:
        raise StoreError(f"PostGIS {version} is too old: gridgis needs 3.3 or newer")
    if not session.scalar(text("SELECT show_trgm(:word) <> '{}'"), {"word": "城市"}):
        raise StoreError(
            "the database's LC_CTYPE does not know Chinese letters (text search would silently "
            "fail): create it with LC_CTYPE 'C.UTF-8'"
        )
