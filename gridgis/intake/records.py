"""Events, tasks, complaints, call-backs, whistles and checks of a file, checked (台账记录检查)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.errors import SchemaError
from gridgis.intake.columns import mask, nullable
from gridgis.intake.mapping import header_key
from gridgis.intake.names import Names
from gridgis.intake.schema import RECORD_SCHEMAS
from gridgis.intake.work import Work
from gridgis.model.case import FieldKind
from gridgis.model.ledger import (
    CHECK_RESULTS,
    ONCE_STAGES,
    RECORD_FIELDS,
    STAGE_NAMES,
    WHISTLE_LEVELS,
    Stage,
    required_fields,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gridgis.intake.mapping import CaseMapping
    from gridgis.intake.rejects import Reject
    from gridgis.intake.tables import Chunk
    from gridgis.model.profile import CityProfile

_WORDS: dict[str, dict[str, str]] = {
    "stage": {str(stage): name for stage, name in STAGE_NAMES.items()},
    "result": CHECK_RESULTS,
    "level": WHISTLE_LEVELS,
}
"""Fields that hold one of a few words: code to its Chinese name."""
_UNKNOWN = {"stage": "unknown_stage", "result": "unknown_result", "level": "unknown_level"}
_OF_STAGE = {
    "due_at": (Stage.FILED, Stage.ACCEPTED, Stage.REPORTED, Stage.DISPATCHED),
    "result": (Stage.CHECKED,),
    "org": (Stage.DISPATCHED, Stage.DISPOSED, Stage.CLOSED),
}
"""The stages of a wide row that a field beside them belongs to: the first of these it has."""


@dataclass(slots=True)
class RecordValidator:
    """
    Checks the chunks of one file of records.

    Raises
    ------
    SchemaError
        If a file of events has neither a stage nor a time of any stage.
    """

    profile: CityProfile
    mapping: CaseMapping
    columns: Mapping[str, str]
    """Field to header."""
    names: Names = field(init=False)
    wide: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """Prepare the look-ups; tell a wide file of events from a long one."""
        self.names = Names.of(self.profile)
        if self.mapping.kind != "events":
            return
        given = {*self.columns, *self.mapping.constants}
        self.wide = "stage" not in given
        lacking = [name for name in ("stage", "at") if name not in given]
        if self.wide and not any(f"{stage}_at" in given for stage in ONCE_STAGES):
            raise SchemaError(
                f"mapping {self.mapping.name}: events need the columns stage and at (a row an "
                "event), or the time of at least one stage such as closed_at (a row a case)"
            )
        if not self.wide and lacking:
            raise SchemaError(f"mapping {self.mapping.name}: events by stage need the column at")

    def check(self, chunk: Chunk) -> tuple[pa.Table, list[Reject]]:
        """Return the accepted rows in the kind's schema and the rejects, in file order."""
        work = _RecordWork(self, chunk)
        work.nul()
        kind = self.mapping.kind
        if kind == "events":
            table = work.wide_events() if self.wide else work.long_events()
        else:
            table = work.records(kind)
        return table, [work.rejects[number] for number in sorted(work.rejects)]


class _RecordWork(Work):
    """One chunk of records under check."""

    def __init__(self, validator: RecordValidator, chunk: Chunk) -> None:
        super().__init__(
            chunk,
            profile=validator.profile,
            mapping=validator.mapping,
            columns=validator.columns,
        )
        self.names = validator.names

    def records(self, kind: str) -> pa.Table:
        """Check every field of a kind by its type."""
        required = required_fields(kind)
        for entry in RECORD_FIELDS[kind]:
            name, needed = entry.name, entry.name in required
            if entry.kind is FieldKind.CODE:
                self.out[name] = nullable(self.number(name, required=needed))
            elif entry.kind is FieldKind.TIME:
                self.out[name] = self.moment(name, required=needed)
            elif entry.kind is FieldKind.BOOL:
                self.out[name] = self.answer(name) if kind == "callbacks" else self.flag(name)
            elif name in _WORDS:
                self.out[name] = self.word(name, required=needed)
            elif name == "source":
                self.out[name] = self.channel()
            else:
                self.out[name] = self.free_text(name, required=needed)
        if "stated_region" in self.out:
            self.out["stated_region_code"] = self.region(required="stated_region" in required)
        return self._accepted(kind)

    def long_events(self) -> pa.Table:
        """Check a row an event."""
        out = self.out
        out["case_no"] = self.number("case_no")
        out["stage"] = self.word("stage", required=True)
        out["at"] = self.moment("at", required=True)
        number = nullable(self.number("event_no", required=False))
        instant = out["at"].cast(pa.int64()).cast(pa.string())
        own = pc.binary_join_element_wise(out["stage"], instant, "@")
        numbered = pc.binary_join_element_wise("#", number, "")
        out["event_key"] = pc.if_else(pc.is_valid(number), numbered, own)
        out["due_at"] = self.moment("due_at", required=False)
        out["result"] = self.word("result", required=False)
        for name in ("org", "actor", "note"):
            out[name] = nullable(self.text(name))
        return self._accepted("events")

    def wide_events(self) -> pa.Table:
        """Check a row a case and return an event for each stage that has a time."""
        case_no = self.number("case_no")
        moments = {stage: self.moment(f"{stage}_at", required=False) for stage in ONCE_STAGES}
        beside: dict[str, pa.Array] = {
            "due_at": self.moment("due_at", required=False),
            "result": self.word("result", required=False),
            "org": nullable(self.text("org")),
        }
        for name, given in beside.items():
            stages = [mask(pc.is_valid(moments[stage])) for stage in _OF_STAGE[name]]
            alone = mask(pc.is_valid(given)) & ~np.logical_or.reduce(stages)
            if name != "org":
                self.reject(alone, name, "no_stage_of_value")
        none = np.logical_and.reduce([mask(pc.is_null(times)) for times in moments.values()])
        self.reject(none, "case_no", "no_stage")
        good = pa.array(self.ok)
        owned = {
            (name, stage): column
            for name, given in beside.items()
            for stage, column in _owned(given, _OF_STAGE[name], moments)
        }
        parts = []
        for stage, times in moments.items():
            chosen = pc.and_(good, pc.is_valid(times))
            columns = {
                "row_no": self.out["row_no"], "case_no": case_no,
                "event_key": pa.repeat(str(stage), len(self.numbers)),
                "stage": pa.repeat(str(stage), len(self.numbers)), "at": times,
                "actor": nullable(self.text("actor")), "note": nullable(self.text("note")),
            }  # fmt: skip
            for name in beside:
                columns[name] = owned.get((name, stage))
            parts.append(_table(columns, "events", len(self.numbers)).filter(chosen))
        return pa.concat_tables(parts)

    # --------------------------------------------------------------- fields

    def word(self, name: str, *, required: bool) -> pa.Array:
        """Return a field that holds one of a few words, as its code."""
        words = _WORDS[name]
        known = {header_key(text): code for code, zh in words.items() for text in (code, zh)}
        given = self.distinct(name)
        if required:
            self.require(name, given)
        codes = given.each(lambda value: known.get(header_key(value)))
        unknown = [bool(v) and c is None for v, c in zip(given.values, codes, strict=True)]
        allowed = "、".join(f"{zh}/{code}" for code, zh in words.items())
        self.reject(given.where(unknown), name, _UNKNOWN[name], allowed=allowed)
        return given.spread(codes, pa.string())

    def answer(self, name: str) -> pa.Array:
        """Return a yes-or-no field whose empty value means that nobody was asked."""
        return pc.if_else(pc.equal(self.text(name), ""), None, self.flag(name))

    def channel(self) -> pa.Array:
        """Return the source, which must be one of the city's."""
        given = self.distinct("source")
        codes = given.each(self.names.find_source)
        self.require("source", given)
        unknown = given.where([code is None for code in codes])
        allowed = "、".join(self.names.source_names)
        self.reject(unknown, "source", "unknown_source", allowed=allowed)
        return given.spread(codes, pa.string())

    def region(self, *, required: bool) -> pa.Array:
        """Return the code of the stated region; one that is needed must be known."""
        given = self.distinct("stated_region")
        codes = [code for code, _ in given.each(self.names.find_region)]
        if required:
            unknown = given.where([code is None for code in codes])
            self.reject(unknown, "stated_region", "unknown_region")
        return given.spread(codes, pa.string())

    def free_text(self, name: str, *, required: bool) -> pa.Array:
        """Return a text as it is."""
        if required:
            self.reject(mask(pc.equal(self.text(name), "")), name, "required")
        return nullable(self.text(name))

    def _accepted(self, kind: str) -> pa.Table:
        whole = _table(self.out, kind, len(self.numbers))
        return whole if self.ok.all() else whole.filter(pa.array(self.ok))


def _owned(
    given: pa.Array, owners: tuple[Stage, ...], moments: Mapping[Stage, pa.Array]
) -> Iterator[tuple[Stage, pa.Array]]:
    """Give each value to the first of its stages that the row has."""
    for stage in owners:
        here = pc.is_valid(moments[stage])
        yield stage, pc.if_else(here, given, None)
        given = pc.if_else(here, None, given)


def _table(columns: Mapping[str, pa.Array | None], kind: str, rows: int) -> pa.Table:
    """Return columns in the schema of a kind; what is missing is null."""
    schema = RECORD_SCHEMAS[kind]
    given = [columns.get(entry.name) for entry in schema]
    arrays = [
        pa.nulls(rows, entry.type) if column is None else column.cast(entry.type)
        for entry, column in zip(schema, given, strict=True)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
