"""Rows into tables by COPY (批量写入)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import pgpq
from psycopg import sql

if TYPE_CHECKING:
    import psycopg
    import pyarrow as pa
    from sqlalchemy import Connection


def copy_rows(
    tx: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> int:
    """Copy Python rows into a table and return how many."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    count = 0
    with _driver(tx).cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


class ArrowCopy:
    """
    One binary COPY that takes Arrow batches (Arrow 批量导入).

    Parameters
    ----------
    tx : Connection
        The transaction.
    table : str
        Target table; its columns are those of the schema, in order.
    schema : pyarrow.Schema
        Schema of every batch to come.
    """

    def __init__(self, tx: Connection, table: str, schema: pa.Schema) -> None:
        self._encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)
        statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(
            sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, schema.names))
        )
        self._cursor = _driver(tx).cursor()
        self._context = self._cursor.copy(statement)
        self._copy = self._context.__enter__()
        self._copy.write(self._encoder.write_header())

    def write(self, table: pa.Table) -> None:
        """Send the rows of one table."""
        for batch in table.to_batches():
            self._copy.write(self._encoder.write_batch(batch))

    def __enter__(self) -> ArrowCopy:  # noqa: PYI034 - no subclass is meant
        """Return the open copy."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: object) -> None:  # fmt: skip
        """Finish, or abort when the caller failed."""
        if error is None:
            self._copy.write(self._encoder.finish())
        self._context.__exit__(kind, error, trace)  # type: ignore[arg-type]
        self._cursor.close()


def _driver(tx: Connection) -> psycopg.Connection[tuple[object, ...]]:
    driver = tx.connection.driver_connection
    return driver  # type: ignore[return-value]
