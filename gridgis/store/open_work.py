"""Open tasks and cases at a moment: pages, counts, groups (待办查询)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from gridgis.errors import InputError
from gridgis.model.open_work import (
    APART,
    LATENESS_HOURS,
    STAGE_UNITS,
    STATES,
    WorkFilter,
    WorkRules,
    WorkView,
)
from gridgis.model.reminders import DEFAULT_REMINDERS, Reminder, StuckLimits, reminder_window
from gridgis.store.engine import query
from gridgis.store.tables import data_version

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from sqlalchemy import TextClause

    from gridgis.model.period import Period

Row = dict[str, object]
MAX_LIMIT = 1000
STREAM_ROWS = 5000
_NUMBERS = ("items", "located", "stuck")
_NO_POSITION = "after: not from a page of this list; start again without it"


@dataclass(frozen=True, slots=True)
class WorkPosition:
    """The last item of a page, and what the list was (翻页位置)."""

    limit_at: datetime | None
    stage: str
    item_no: str
    digest: str
    at: datetime
    version: int
    counts: list[Row]


@dataclass(frozen=True, slots=True)
class WorkPage:
    """One page of items, those with the earliest limit first."""

    rows: list[Row]
    counts: list[Row]
    """Of all pages, by stage and state."""
    after: str | None
    """Where the next page starts; None on the last one."""


def read_as_of(tx: Connection) -> datetime | None:
    """Return the newest stage time in the data that is not in the future (数据截至)."""
    found = tx.scalar(query("open_work", "as_of"))
    return found if isinstance(found, datetime) else None


def read_rules(tx: Connection) -> WorkRules:
    """Return reminders and limits of this city; the built-in ones if it has none."""
    rows = tx.execute(query("open_work", "reminders")).mappings()
    reminders = tuple(Reminder(**row) for row in rows)
    limit = tx.execute(query("open_work", "stuck_limit")).mappings().one_or_none()
    stuck = StuckLimits() if limit is None else StuckLimits(**limit)
    return WorkRules(reminders or DEFAULT_REMINDERS, stuck, built_in=not reminders)


def read_page(
    tx: Connection, view: WorkView, *, limit: int, after: WorkPosition | None = None
) -> WorkPage:
    """
    Return one page of items and the counts of all (待办分页).

    Counts are made once and travel in the position until data change.

    Raises
    ------
    InputError
        If the limit is unusable.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit {limit}: expected 1 to {MAX_LIMIT}")
    version = int(tx.scalar(data_version.select()) or 0)
    kept = after.counts if after is not None and after.version == version else None
    values = {**_values(view), **_start(after), "limit": limit + 1, "count": kept is None}
    tx.execute(query("open_work", "one_process"))
    found = [dict(row) for row in tx.execute(_statement("page"), values).mappings()]
    counts = kept if kept is not None else _counts(found)
    rows = [row for row in found if row["item_no"] is not None]
    following = None
    if len(rows) > limit:
        digest = _digest(view.chosen)
        following = _write_position(rows[limit - 1], view.at, digest, version, counts)
    return WorkPage(rows[:limit], counts, following)


def read_counts(tx: Connection, view: WorkView) -> list[Row]:
    """Return how many items there are, by stage and state."""
    return read_page(tx, view, limit=1).counts


def stream_items(tx: Connection, view: WorkView, *, limit: int | None = None) -> Iterator[Row]:
    """Yield every item in the order of pages; memory stays flat (待办导出)."""
    values = {**_values(view), **_start(None), "limit": limit, "count": False}
    tx.execute(query("open_work", "one_process"))
    for row in tx.execution_options(yield_per=STREAM_ROWS).execute(_statement("page"), values):
        if row.item_no is not None:
            yield row._asdict()


def read_groups(tx: Connection, view: WorkView, by: str) -> list[Row]:
    """Return items per group: `lateness`, `subcategory`, `street`, `region`, `organisation`."""
    values = {**_values(view), "by": by, "edges": list(LATENESS_HOURS)}
    tx.execute(query("open_work", "one_process"))
    return [dict(row) for row in tx.execute(_statement("summary"), values).mappings()]


def read_report_lateness(tx: Connection, period: Period) -> list[Row]:
    """Return median and 90th percentile from discovery to report, by source and region."""
    values = {"start_at": period.start, "end_at": period.end}
    return [dict(r) for r in tx.execute(query("open_work", "report_lateness"), values).mappings()]


def read_position(given: str, chosen: WorkFilter) -> WorkPosition:
    """
    Return the position that a page named as its end.

    Raises
    ------
    InputError
        If it is garbage or belongs to other filters.
    """
    try:
        raw = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
        limit_at, stage, item_no, digest, at, version, counts = json.loads(raw)
        position = WorkPosition(
            limit_at=None if limit_at is None else _moment(limit_at),
            stage=_word(stage, STAGE_UNITS),
            item_no=_number(item_no),
            digest=digest,
            at=_moment(at),
            version=int(version),
            counts=[_count(*row) for row in counts],
        )
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(_NO_POSITION) from error
    if digest != _digest(chosen):
        raise InputError("after: belongs to other filters; start again without it")
    return position


def _moment(given: str) -> datetime:
    found = datetime.fromisoformat(given)
    if found.tzinfo is None:
        raise ValueError(given)
    return found


def _count(stage: str, state: str, *numbers: int) -> Row:
    """Return one row of counts that came back from a client, with values of ours and no others."""
    return {
        "stage": _word(stage, STAGE_UNITS),
        "state": _word(state, {**STATES, **APART}),
        **{name: int(number) for name, number in zip(_NUMBERS, numbers, strict=True)},
    }


def _word(given: str, known: Container[str]) -> str:
    if given not in known:
        raise ValueError(given)
    return given


def _number(given: str) -> str:
    """Return a number of a task or case that a database can take."""
    given.encode()
    if "\0" in given:
        raise ValueError(given)
    return given


def _write_position(row: Row, at: datetime, digest: str, version: int, counts: list[Row]) -> str:
    limit_at = row["limit_at"]
    parts = [
        limit_at.isoformat() if isinstance(limit_at, datetime) else None,
        row["stage"],
        row["item_no"],
        digest,
        at.isoformat(),
        version,
        [[row["stage"], row["state"], *(row[name] for name in _NUMBERS)] for row in counts],
    ]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def _digest(chosen: WorkFilter) -> str:
    """Return a short digest: a position belongs to one filter."""
    content = json.dumps(asdict(chosen), sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def _counts(found: list[Row]) -> list[Row]:
    counts = found[0]["counts"] if found else None
    return counts if isinstance(counts, list) else []


def _start(after: WorkPosition | None) -> Row:
    if after is None:
        return {"after_at": None, "after_stage": None, "after_no": None}
    moment = "infinity" if after.limit_at is None else after.limit_at.isoformat()
    return {"after_at": moment, "after_stage": after.stage, "after_no": after.item_no}


def _values(view: WorkView) -> Row:
    """Return what the statements bind."""
    stuck = view.rules.stuck
    return {
        **asdict(view.chosen),
        "at": view.at,
        "soon_dispatch": reminder_window(view.rules.reminders, "dispatch"),
        "soon_dispose": reminder_window(view.rules.reminders, "dispose"),
        "hand_backs": stuck.hand_backs,
        "unowned": stuck.unowned,
    }


@cache
def _statement(name: str) -> TextClause:
    """Return a statement over the open items."""
    return text(f"WITH {query('open_work', 'items').text} {query('open_work', name).text}")
