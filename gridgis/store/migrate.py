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
from sqlalchemy.exc import DBAPIError

from gridgis.errors import MigrationRequired, StoreError
from gridgis.store.engine import begin, translated

EXTENSIONS = ("postgis", "btree_gist", "pg_trgm")
MIN_POSTGIS = (3, 3)
OWNER_ROLE = "gridgis_owner"
WRITER_ROLE = "gridgis_writer"
_MIGRATION_LOCK = 0x67726964
_EXISTS = ("42710", "42P04", "23505")
"""SQLSTATE of a role or database that exists, also when two create it at once."""


@dataclass(frozen=True, slots=True)
class FixedFacts:
    """What a database fixes about its city for good."""

    measuring_srid: int
    time_zone: str


def create_database(admin: Engine, name: str) -> bool:
    """Create the roles and a database owned by the owner role; return whether it is new."""
    with translated(), admin.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        for role, options in ((OWNER_ROLE, "NOLOGIN"), (WRITER_ROLE, "LOGIN")):
            if not _has_role(session, role):
                _create(session, f"CREATE ROLE {role} {options}")
        if name in _databases(session):
            return False
        quoted = session.dialect.identifier_preparer.quote(name)
        return _create(
            session,
            f"CREATE DATABASE {quoted} OWNER {OWNER_ROLE} TEMPLATE template0 ENCODING 'UTF8' "
            "LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'",
        )


def city_databases(admin: Engine) -> list[str]:
    """Return the names of the databases made by `create_database`, in order."""
    with begin(admin) as session:
        return _databases(session)


def drop_database(admin: Engine, name: str) -> None:
    """Drop a database, whoever is connected."""
    with translated(), admin.connect().execution_options(isolation_level="AUTOCOMMIT") as session:
        quoted = session.dialect.identifier_preparer.quote(name)
        session.exec_driver_sql(f"DROP DATABASE IF EXISTS {quoted} WITH (FORCE)")


def upgrade(engine: Engine, *, facts: FixedFacts, revision: str = "head") -> str:
    """
    Bring a database to the newest schema, or to one before it, and return its revision.

    Forward only, in one transaction, under an advisory lock. Extensions are created when the
    role may; a missing one names the line to run.

    Raises
    ------
    MigrationRequired
        If the database is newer than this code.
    """
    with begin(engine) as session:
        session.execute(text("SELECT pg_advisory_xact_lock(:k)"), {"k": _MIGRATION_LOCK})
        _require_extensions(session)
        _refuse_newer(_revision(session))
        if _is_superuser(session) and _owner_may_create(session):
            session.exec_driver_sql(f"SET LOCAL ROLE {OWNER_ROLE}")
        session.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS core")
        config = _config()
        config.attributes["connection"] = session
        config.attributes["city"] = {
            "measuring_srid": facts.measuring_srid,
            "time_zone": facts.time_zone,
        }
        command.upgrade(config, revision)
        return _revision(session) or ""


def require_current(engine: Engine) -> None:
    """
    Refuse a database whose schema is not the one this code knows.

    Raises
    ------
    MigrationRequired
        Naming both revisions, and which of the two is to be renewed.
    """
    with begin(engine) as session:
        found = _revision(session)
    _refuse_newer(found)
    head = _head()
    if found != head:
        raise MigrationRequired(
            f"the database has schema {found or 'none'}, this gridgis needs {head}: run "
            "`gridgis db upgrade`",
            found=found,
            needed=head,
        )


def _refuse_newer(found: str | None) -> None:
    """Refuse a revision beyond ours; they are numbered with leading zeros."""
    head = _head()
    if found is not None and found > head:
        raise MigrationRequired(
            f"the database has schema {found}, newer than {head}, the newest this gridgis knows: "
            "install the gridgis that it was made with",
            found=found,
            needed=head,
        )


def _head() -> str:
    return ScriptDirectory.from_config(_config()).get_current_head() or ""


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


def _create(session: Connection, statement: str) -> bool:
    """Create something; return False if another process was faster."""
    try:
        session.exec_driver_sql(statement)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in _EXISTS:
            raise
        return False
    return True


def _databases(session: Connection) -> list[str]:
    return list(
        session.scalars(
            text(
                "SELECT d.datname FROM pg_database AS d JOIN pg_roles AS r ON r.oid = d.datdba "
                "WHERE r.rolname = :owner ORDER BY 1"
            ),
            {"owner": OWNER_ROLE},
        )
    )


def _has_role(session: Connection, role: str) -> bool:
    return bool(session.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :r"), {"r": role}))


def _is_superuser(session: Connection) -> bool:
    return bool(session.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")))


def _owner_may_create(session: Connection) -> bool:
    return _has_role(session, OWNER_ROLE) and bool(
        session.scalar(
            text("SELECT has_database_privilege(:r, current_database(), 'CREATE')"),
            {"r": OWNER_ROLE},
        )
    )


def _require_extensions(session: Connection) -> None:
    """Create what is missing and check that Chinese text and PostGIS work as we need them."""
    present = set(session.scalars(text("SELECT extname FROM pg_extension")))
    missing = [name for name in EXTENSIONS if name not in present]
    try:
        for name in missing:
            session.exec_driver_sql(f"CREATE EXTENSION {name}")
    except DBAPIError as error:
        lines = " ".join(f"CREATE EXTENSION {name};" for name in missing)
        raise StoreError(
            f"the database lacks {', '.join(missing)} and this role may not create them, or the "
            "server does not have them: install PostGIS on the server (Debian: "
            f"postgresql-N-postgis-3), then run as its administrator in this database: {lines}",
            missing=missing,
        ) from error
    version = str(session.scalar(text("SELECT postgis_lib_version()")))
    if tuple(int(part) for part in version.split(".")[:2]) < MIN_POSTGIS:
        raise StoreError(f"PostGIS {version} is too old: gridgis needs 3.3 or newer")
    if not session.scalar(text("SELECT show_trgm(:word) <> '{}'"), {"word": "城市"}):
        raise StoreError(
            "the database's LC_CTYPE does not know Chinese letters (text search would silently "
            "fail): create it with LC_CTYPE 'C.UTF-8'"
        )
