"""Rows into tables by COPY (批量写入)."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pgpq
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

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
    """A binary COPY that takes Arrow tables; `arrow_copy` opens it (Arrow 批量导入)."""

    def __init__(self, copy: psycopg.Copy, schema: pa.Schema) -> None:
        self.encoder = pgpq.ArrowToPostgresBinaryEncoder(schema)
        self._copy = copy
        self.rows = 0

    def write(self, table: pa.Table) -> None:
        """Send the rows of one table."""
        for batch in table.to_batches():
            self._copy.write(self.encoder.write_batch(batch))
        self.rows += table.num_rows


@contextmanager
def arrow_copy(tx: Connection, table: str, schema: pa.Schema) -> Iterator[ArrowCopy]:
    """
    Open one COPY into a table; it is aborted when the body fails.

    Parameters
    ----------
    tx : Connection
        The transaction.
    table : str
        Target table; it has the columns of the schema.
    schema : pyarrow.Schema
        Schema of every table to come.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN WITH (FORMAT BINARY)").format(
        sql.Identifier(*table.split(".")), sql.SQL(", ").join(map(sql.Identifier, schema.names))
    )
    with _driver(tx).cursor() as cursor, cursor.copy(statement) as copy:
        target = ArrowCopy(copy, schema)
        copy.write(target.encoder.write_header())
        yield target
        copy.write(target.encoder.finish())


def _driver(tx: Connection) -> psycopg.Connection[tuple[object, ...]]:
    return tx.connection.driver_connection  # type: ignore[return-value]
