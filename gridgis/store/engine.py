"""Connections and named SQL (数据库连接与命名查询)."""

from __future__ import annotations

import re
from contextlib import contextmanager
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import Connection, Engine, TextClause, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from gridgis.errors import GridgisError, InputError, StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Connection", "Engine", "begin", "briefly", "connect", "query", "translated"]

_BLOCK = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_AWAY = ("08", "57P0", "53300")
_CANCELLED = "57014"
POOL_SIZE = 8


def connect(url: str, *, statement_timeout_s: float | None = None) -> Engine:
    """
    Return an engine for a database; nothing is opened yet.

    Parameters
    ----------
    url : str
        `postgresql://…`; the psycopg 3 driver is used whatever the URL says.
    statement_timeout_s : float, optional
        Cap of one statement, for the service; imports and analyses have none.
    """
    options = "-c timezone=UTC -c jit=off -c plan_cache_mode=force_custom_plan"
    if statement_timeout_s is not None:
        options += f" -c statement_timeout={int(statement_timeout_s * 1000)}"
    return create_engine(
        re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", url),
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=3,
        pool_pre_ping=True,
        pool_recycle=3600,
        connect_args={"options": options, "connect_timeout": 5, "application_name": "gridgis"},
    )


@contextmanager
def briefly(url: str) -> Iterator[Engine]:
    """Open a database for one piece of work and leave no connection behind."""
    engine = connect(url)
    try:
        yield engine
    finally:
        engine.dispose()


def refresh_statistics(tx: Connection, *tables: str) -> None:
    """Tell the planner what changed; the services' role may not ANALYZE by itself."""
    tx.execute(
        text("SELECT core.refresh_statistics(VARIADIC CAST(:tables AS regclass[]))"),
        {"tables": list(tables)},
    )


@cache
def query(file: str, name: str) -> TextClause:
    """Return the query `name` of `store/sql/FILE.sql`; values are always bound."""
    return text(_blocks(file)[name])


@cache
def _blocks(file: str) -> dict[str, str]:
    source = (files("gridgis.store") / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    parts = _BLOCK.split(source)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


@contextmanager
def begin(engine: Engine) -> Iterator[Connection]:
    """Open one transaction; a database that is away is `StoreUnavailable`."""
    with translated(), engine.begin() as connection:
        yield connection


def roll_back(tx: Connection) -> None:
    """Undo a transaction; nothing may follow in it."""
    transaction = tx.get_transaction()
    if transaction is not None:
        transaction.rollback()


@contextmanager
def translated() -> Iterator[None]:
    """Turn driver errors into ours; driver text never leaves the store."""
    try:
        yield
    except PoolTimeout as error:
        raise StoreUnavailable("all database connections are busy: try again shortly") from error
    except DBAPIError as error:
        raise _translation(error.orig or error) from error
    except psycopg.Error as error:  # from a COPY, which goes past SQLAlchemy
        raise _translation(error) from error


def _translation(error: BaseException) -> GridgisError:
    state = str(getattr(error, "sqlstate", None) or "")
    if isinstance(error, psycopg.DataError):
        return InputError(
            "a value does not fit the database: it is too large, or holds a character that no "
            "text may have"
        )
    if (not state and isinstance(error, psycopg.OperationalError)) or state.startswith(_AWAY):
        return StoreUnavailable(
            "the database does not answer: start it with `gridgis db start`, or check "
            "GRIDGIS_DATABASE_URL"
        )
    if state == _CANCELLED:
        return StoreUnavailable("the query took too long and was cancelled: narrow it")
    return StoreError(f"the database refused a statement (SQLSTATE {state})")
