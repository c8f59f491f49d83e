"""
Events and other records of the ledger into PostGIS (台账入库).

One file is one transaction. Events are only ever added; the stage times of their cases follow.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from gridgis.model.ledger import FOLLOWS, SIDE_STAGES, Stage
from gridgis.store.city import bump_data_version
from gridgis.store.engine import query
from gridgis.store.imports import close_file, open_file
from gridgis.store.placement import lock_cases
from gridgis.store.rows import ArrowCopy, arrow_copy
from gridgis.store.stages import project

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    import pyarrow as pa
    from sqlalchemy import Connection

    from gridgis.store.imports import FileFacts, RejectRow

_TYPES = {"string": "text", "bool": "boolean", "int32": "integer"}
_RANKS = {stage: rank for rank, stage in enumerate(Stage)}
_LEGAL = [f"{before or ''}>{stage}" for stage, befores in FOLLOWS.items() for before in befores]


@dataclass(frozen=True, slots=True)
class Target:
    """The table of one kind of records, and its key."""

    table: str
    keys: tuple[str, ...]
    knows: tuple[str, ...]
    """What must be there already: `case`, `complaint`."""


TARGETS = {
    "events": Target("case_event", ("case_no", "event_key"), ("case",)),
    "tasks": Target("dispatch_task", ("task_no",), ("case",)),
    "complaints": Target("complaint", ("complaint_no",), ("case",)),
    "callbacks": Target("call_back", ("complaint_no", "called_at"), ("complaint",)),
    "whistles": Target("whistle", ("whistle_no",), ()),
    "checks": Target("quality_check", ("case_no", "checked_at"), ("case",)),
}


@dataclass(frozen=True, slots=True)
class LateReject:
    """A row that does not fit what is stored already."""

    row_no: int
    field: str
    value: str
    rule: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Stored:
    """What one file changed, in its own rows."""

    inserted: int
    updated: int
    unchanged: int


class RecordLoad:
    """
    The staging area of one file of records; lives inside one transaction (台账暂存).

    Parameters
    ----------
    given : collection of str
        Fields that the file has a column for; what it has none for is not changed.
    """

    def __init__(
        self,
        tx: Connection,
        facts: FileFacts,
        schema: pa.Schema,
        *,
        given: Collection[str],
        waiting: Callable[[], None],
    ) -> None:
        lock_cases(tx, waiting=waiting)
        tx.execute(query("cases", "notice_a_dead_client"))
        columns = ", ".join(f"{entry.name} {_sql_type(entry.type)}" for entry in schema)
        tx.execute(sa.text(f"CREATE TEMP TABLE staged_record ({columns}) ON COMMIT DROP"))
        self._tx = tx
        self._facts = facts
        self._schema = schema
        self._target = TARGETS[facts.kind]
        self._given = given

    @contextmanager
    def staging(self) -> Iterator[ArrowCopy]:
        """Take accepted rows while the body runs."""
        with arrow_copy(self._tx, "staged_record", self._schema) as copy:
            yield copy
        self._tx.execute(sa.text("ANALYZE staged_record"))

    def late_rejects(self) -> list[LateReject]:
        """Take out the rows that do not fit what is stored, and return why (入库检查)."""
        found: dict[int, LateReject] = {}
        for word in self._target.knows:
            rows = self._tx.execute(query("ledger", f"unknown_{word}s"))
            self._drop(found, [LateReject(row.row_no, f"{word}_no", row.value,
                                          f"unknown_{word}", {}) for row in rows])  # fmt: skip
        self._drop(found, list(self._repeated()))
        if self._facts.kind == "events":
            values = {"given": sorted(self._given)}
            self._tx.execute(query("ledger", "match_events"), values)
            self._tx.execute(sa.text("ANALYZE matched_event"))
            while illegal := list(self._illegal()):  # what is refused uncovers what it corrected
                self._drop(found, illegal, staged="matched_event")
        return [found[row] for row in sorted(found)]

    def merge(
        self,
        *,
        rows_in: int,
        rejects: Sequence[RejectRow],
        rejected: int,
    ) -> Stored:
        """Store what is left, keep the rejects and record the file."""
        file_id = open_file(self._tx, self._facts)
        accepted = rows_in - rejected
        if self._facts.kind == "events":
            inserted, updated = self._add_events(file_id)
        else:
            inserted, updated = self._upsert(file_id)
        stored = Stored(inserted, updated, accepted - inserted - updated)
        close_file(
            self._tx,
            file_id,
            rejects,
            {
                "rows_in": rows_in,
                "accepted": accepted,
                "rejected": rejected,
                "inserted": stored.inserted,
                "updated": stored.updated,
                "unchanged": stored.unchanged,
                "warnings": json.dumps([]),
            },
        )
        if inserted or updated:
            bump_data_version(self._tx)
        return stored

    # -------------------------------------------------------------- checks

    def _drop(
        self,
        found: dict[int, LateReject],
        rejects: Sequence[LateReject],
        *,
        staged: str = "staged_record",
    ) -> None:
        for reject in rejects:
            found.setdefault(reject.row_no, reject)
        if rejects:
            rows = sa.table(staged, sa.column("row_no"))
            gone = rows.c.row_no == sa.any_(sa.bindparam("rows", type_=sa.ARRAY(sa.Integer)))
            self._tx.execute(sa.delete(rows).where(gone), {"rows": [r.row_no for r in rejects]})

    def _repeated(self) -> Iterator[LateReject]:
        keys: list[sa.ColumnClause[Any]] = [sa.column(name) for name in self._target.keys]
        turn = sa.func.row_number().over(partition_by=keys, order_by=sa.column("row_no"))
        rows = sa.select(sa.column("row_no"), keys[0].label("value"), turn.label("turn"))
        numbered = rows.select_from(sa.table("staged_record")).subquery()
        again = sa.select(numbered.c.row_no, numbered.c.value).where(numbered.c.turn > 1)
        for row in self._tx.execute(again.order_by(numbered.c.row_no)):
            yield LateReject(row.row_no, self._target.keys[0], row.value, "repeated_record", {})

    def _illegal(self) -> Iterator[LateReject]:
        stages = list(Stage)
        rows = self._tx.execute(
            query("ledger", "illegal_events"),
            {
                "stages": [str(stage) for stage in stages],
                "ranks": [_RANKS[stage] for stage in stages],
                "moves": [stage not in SIDE_STAGES for stage in stages],
                "legal": _LEGAL,
            },
        )
        for row in rows:
            facts = {"stage": row.stage, "previous": row.previous, "at": row.at}
            rule = "illegal_transition" if row.is_first else "after_refused"
            yield LateReject(row.row_no, "stage", row.stage, rule, facts)

    # --------------------------------------------------------------- store

    def _add_events(self, file_id: int) -> tuple[int, int]:
        added = self._tx.execute(query("ledger", "add_events"), {"file_id": file_id}).one()
        self._tx.execute(query("ledger", "touched_cases"))
        project(self._tx)
        return int(added.inserted), int(added.updated)

    def _upsert(self, file_id: int) -> tuple[int, int]:
        names = [entry.name for entry in self._schema if entry.name in self._columns()]
        target = sa.table(
            self._target.table, *(sa.column(name) for name in (*names, "file_id")), schema="core"
        )
        staged = sa.table("staged_record", *(sa.column(name) for name in names))
        chosen = sa.select(*staged.c, sa.literal(file_id).label("file_id"))
        adding = insert(target).from_select([*names, "file_id"], chosen)
        told = [name for name in names if name not in {*self._target.keys, "row_no"}]
        changed = sa.or_(*(target.c[name].is_distinct_from(adding.excluded[name]) for name in told))
        merging: sa.sql.dml.ReturningInsert[Any] = adding.on_conflict_do_update(
            index_elements=list(self._target.keys),
            set_={name: adding.excluded[name] for name in (*told, "row_no", "file_id")},
            where=changed,
        ).returning(sa.literal_column("(xmax = 0)").label("is_new"))
        flags = list(self._tx.scalars(merging))
        return sum(flags), len(flags) - sum(flags)

    def _columns(self) -> set[str]:
        return {entry.name for entry in self._schema}


def ledger_digest(tx: Connection) -> str:
    """Return one hash over all events and records (台账摘要)."""
    return str(tx.scalar(query("ledger", "ledger_digest")))


def _sql_type(kind: pa.DataType) -> str:
    return _TYPES.get(str(kind), "timestamptz")
