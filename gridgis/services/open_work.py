"""
Open work: what is due soon, overdue or stuck, and how late things are (待办与时效).

Data are as of their last import, so the moment in question is by default the newest stage time in
them: every answer says both, `at` and `as_of`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypedDict, cast
from zoneinfo import ZoneInfo

from gridgis.errors import InputError
from gridgis.model.measure import Rate, Unit, percent_text
from gridgis.model.open_work import (
    APART,
    GROUPINGS,
    LATENESS_HOURS,
    STAGE_UNITS,
    STATES,
    WorkFilter,
    WorkView,
    check_word,
    late_hours,
    lateness_class,
)
from gridgis.model.period import Period
from gridgis.model.reminders import current_level
from gridgis.services.exports import nature
from gridgis.services.find import parse_time
from gridgis.services.lookup import REST_LABELS
from gridgis.services.names import resolve
from gridgis.store import open_work as store
from gridgis.store.engine import begin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Unpack

    from gridgis.model.open_work import WorkRules
    from gridgis.services.context import Context
    from gridgis.store.engine import Connection
    from gridgis.store.open_work import Row

NAMED = {"category": "category", "district": "region", "street": "street"}
"""Filters that take a name as well as a code, and whose name it is."""
ITEM_COLUMNS = (
    "stage",
    "case_no",
    "task_no",
    "subcategory_code",
    "subcategory_name",
    "source",
    "source_name",
    "region_key",
    "region_name",
    "street_code",
    "street_name",
    "cell_code",
    "disposing_org",
    "is_key",
    "since_at",
    "limit_at",
    "state",
    "hours_late",
    "hours_left",
    "reminder_level",
    "reminder_name",
    "hand_backs",
    "proposal",
    "lon",
    "lat",
)
"""What is told of an item: no description, no address, no person."""
NOBODY = "no_organisation"
NO_GROUP = {**REST_LABELS, NOBODY: ("未定单位", "no organisation")}
"""Groups of items that have no place or organisation."""
STATE_LABELS = {**STATES, **APART}
NUMBERS = (
    "items",
    "overdue",
    "due_soon",
    "in_time",
    "no_limit",
    "suspended",
    "restricted",
    "stuck",
)


class WorkQuestion(TypedDict, total=False):
    """Which open items are meant, as people write it; everything given must hold (待办筛选)."""

    stage: str | None
    """`dispatch` (tasks not dispatched) or `dispose` (cases not closed)."""
    state: str | None
    """`overdue`, `due_soon`, `in_time`, `no_limit` or `suspended`."""
    stuck: bool | None
    district: str | None
    """A management region, by code or name."""
    street: str | None
    category: str | None
    """A subcategory or category, by code, prefix or name."""


def work_filter(context: Context, **asked: Unpack[WorkQuestion]) -> WorkFilter:
    """
    Return the checked filter of a question (待办筛选); an empty text means not given.

    Raises
    ------
    InputError
        Naming the value, the rule and the remedy.
    """
    given = cast("WorkQuestion", {k: v for k, v in asked.items() if v is not None and v != ""})
    with begin(context.engine) as tx:
        codes = {
            name: resolve(tx, kind, str(text))
            for name, kind in NAMED.items()
            if (text := given.get(name)) is not None
        }
    return WorkFilter(
        stage=given.get("stage"),
        state=given.get("state"),
        stuck=given.get("stuck"),
        district=codes.get("district"),
        street=codes.get("street"),
        category=codes.get("category"),
    )


def open_work(
    context: Context,
    chosen: WorkFilter,
    *,
    at: str | None = None,
    limit: int = 100,
    after: str | None = None,
) -> Row:
    """
    Return one page of open items, those with the earliest limit first (待办列表).

    Parameters
    ----------
    at : str, optional
        The moment in question; default the newest stage time in the data. A page that goes on
        keeps the moment of the first one.
    after : str, optional
        The `after` of the page before.

    Returns
    -------
    dict
        `items`, and `counts` of all pages by stage and state. Suspended cases and those of
        restricted classes are counted apart.
    """
    position = store.read_position(after, chosen) if after else None
    with begin(context.engine) as tx:
        moment = _asked(context, at)
        if position is not None and moment not in {None, position.at}:
            raise InputError("after: belongs to another moment; start again without it")
        view, as_of = _view(tx, chosen, position.at if position else moment)
        page = store.read_page(tx, view, limit=limit, after=position)
    items = [_item(row, view, context) for row in page.rows]
    return {
        **_head(context, view, as_of, page.counts),
        "returned": len(items),
        "after": page.after,
        "items": items,
    }


def work_head(context: Context, chosen: WorkFilter, *, at: str | None = None) -> Row:
    """Return what a whole list says about itself: moment, rules, counts (清单说明)."""
    with begin(context.engine) as tx:
        view, as_of = _view(tx, chosen, _asked(context, at))
        counts = store.read_counts(tx, view)
    return _head(context, view, as_of, counts)


def stream_work(
    context: Context, chosen: WorkFilter, *, at: str | None = None, limit: int | None = None
) -> Iterator[Row]:
    """Yield every open item, in the order of pages (待办导出)."""
    with begin(context.engine) as tx:
        view, _ = _view(tx, chosen, _asked(context, at))
        for row in store.stream_items(tx, view, limit=limit):
            yield _item(row, view, context)


def work_summary(context: Context, chosen: WorkFilter, *, by: str, at: str | None = None) -> Row:
    """
    Return open items per group, tasks and cases each on their own (待办汇总).

    Parameters
    ----------
    by : str
        `lateness` (hours after the limit), `subcategory`, `street`, `region`, `organisation`.

    Returns
    -------
    dict
        Per stage its rows and their total: the rows sum to it, those without a place included.
    """
    check_word("by", by, GROUPINGS)
    with begin(context.engine) as tx:
        view, as_of = _view(tx, chosen, _asked(context, at))
        groups = store.read_groups(tx, view, by)
    stages = [
        _stage(by, stage, [row for row in groups if row["stage"] == stage])
        for stage in STAGE_UNITS
        if chosen.stage in {None, stage}
    ]
    share = "items" if by == "lateness" else "overdue items"
    return {
        **_head(context, view, as_of, None),
        "by": by,
        "definition": f"numerator: {share} of the group; denominator: items with a limit"
        + ("" if by == "lateness" else " of the group"),
        "stages": stages,
    }


def report_lateness(context: Context, month: str) -> Row:
    """
    Return how long after discovery the cases of a month were reported (上报时延).

    Parameters
    ----------
    month : str
        `YYYY-MM`: the month that the cases count in.

    Returns
    -------
    dict
        Count, median and 90th percentile in minutes, by source and by region; `known` of the
        `cases` have both times.
    """
    period = Period.month(month, context.city.time_zone)
    with begin(context.engine) as tx:
        rows = store.read_report_lateness(tx, period)
    told = [(str(row["by"]), _lateness(row)) for row in rows]
    return {
        **nature(synthetic=bool(context.city.synthetic)),
        "month": month,
        "unit": Unit.CASES.value,
        "definition": "minutes from discovered_at to reported_at; share: cases with both times",
        "total": next(row for by, row in told if by == "all"),
        "by_source": [row for by, row in told if by == "source"],
        "by_region": [row for by, row in told if by == "region"],
    }


def _asked(context: Context, at: str | None) -> datetime | None:
    return parse_time("at", at, context.city.time_zone) if at else None


def _view(
    tx: Connection, chosen: WorkFilter, at: datetime | None
) -> tuple[WorkView, datetime | None]:
    as_of = store.read_as_of(tx)
    return WorkView(chosen, at or as_of or datetime.now(UTC), store.read_rules(tx)), as_of


def _head(
    context: Context, view: WorkView, as_of: datetime | None, counts: list[Row] | None
) -> Row:
    zone = ZoneInfo(context.city.time_zone)
    head = {
        **nature(synthetic=bool(context.city.synthetic)),
        "crs": "wgs84",
        "at": _local(view.at, zone),
        "as_of": _local(as_of, zone),
        "filters": _described(view.chosen),
        "rules": _rules(view.rules),
    }
    if counts is None:
        return head
    shown = {view.chosen.state} if view.chosen.state else set(STATES)
    return {
        **head,
        "counts": [
            {
                "stage": row["stage"],
                "unit": STAGE_UNITS[str(row["stage"])].value,
                "state": row["state"],
                "items": row["items"],
                "located": row["located"],
                "unlocated": _int(row["items"]) - _int(row["located"]),
                "stuck": row["stuck"],
            }
            for row in sorted(counts, key=_state_order)
        ],
        "total": sum(_int(row["items"]) for row in counts if row["state"] in shown),
    }


def _state_order(row: Row) -> tuple[int, int]:
    return list(STAGE_UNITS).index(str(row["stage"])), list(STATE_LABELS).index(str(row["state"]))


def _described(chosen: WorkFilter) -> Row:
    """Return the filter that was applied: codes for names."""
    names = ("stage", "state", "stuck", *NAMED)
    return {name: getattr(chosen, name) for name in names if getattr(chosen, name) is not None}


def _rules(rules: WorkRules) -> Row:
    return {
        "reminders": [
            {
                "stage": reminder.stage,
                "level": reminder.level,
                "name": reminder.name,
                "name_en": reminder.name_en,
                "hours": float(reminder.hours),
            }
            for reminder in rules.reminders
        ],
        "hand_backs": rules.stuck.hand_backs,
        "unowned_hours": float(rules.stuck.unowned_hours),
        "origin": "built_in" if rules.built_in else "profile",
        "sample": rules.stuck.sample or any(r.sample for r in rules.reminders),
    }


def _item(row: Row, view: WorkView, context: Context) -> Row:
    """Return one item as plain values: local times with offset, hours late or left."""
    zone = ZoneInfo(context.city.time_zone)
    limit_at = cast("datetime | None", row["limit_at"])
    hours, late = late_hours(limit_at, view.at), limit_at is not None and limit_at < view.at
    resting = row["state"] == "suspended"
    level = (
        None
        if resting
        else current_level(view.rules.reminders, str(row["stage"]), limit_at, view.at)
    )
    english = not context.city.language.startswith("zh")
    told = {
        **row,
        "since_at": _local(cast("datetime", row["since_at"]), zone),
        "limit_at": _local(limit_at, zone),
        "hours_late": hours if late else None,
        "hours_left": -hours + 0.0 if hours is not None and not late else None,
        "reminder_level": level.level if level else None,
        "reminder_name": (level.name_en if english else level.name) if level else None,
        "lon": _degrees(row["lon"]),
        "lat": _degrees(row["lat"]),
    }
    return {name: told[name] for name in ITEM_COLUMNS}


def _stage(by: str, stage: str, groups: list[Row]) -> Row:
    """Return the rows of one stage in order, and their sum."""
    unit = STAGE_UNITS[stage]
    limited = sum(_limited(row) for row in groups)
    whole = {name: sum(_int(row[name]) for row in groups) for name in NUMBERS}
    rows = [_group(by, row, limited, unit) for row in groups]
    return {
        "stage": stage,
        "unit": unit.value,
        "rows": sorted(rows, key=_by_class if by == "lateness" else _by_number),
        "total": {**whole, **_rate(unit, whole["overdue"], limited)},
    }


def _by_number(row: Row) -> tuple[bool, int, int, str]:
    """Order groups by overdue items, then by items; those without a place come last."""
    return row["kind"] == "rest", -_int(row["overdue"]), -_int(row["items"]), str(row["code"])


def _by_class(row: Row) -> int:
    """Order classes of lateness; the items that are not late come after them."""
    codes = [lateness_class(number)[0] for number in range(len(LATENESS_HOURS) + 1)]
    return [*codes, *STATE_LABELS].index(str(row["code"]))


def _group(by: str, row: Row, limited: int, unit: Unit) -> Row:
    code, name, name_en, kind = _named(by, row)
    if by == "lateness":
        counted = _limited(row)
        rate = _rate(unit, counted, limited if counted else 0)
    else:
        rate = _rate(unit, _int(row["overdue"]), _limited(row))
    return {
        "code": code,
        "name": name,
        "name_en": name_en,
        "kind": kind,
        **{number: row[number] for number in NUMBERS},
        **rate,
        "median_hours_late": _rounded(row["median_hours"]),
        "most_hours_late": _rounded(row["most_hours"]),
    }


def _named(by: str, row: Row) -> tuple[str, str, str, str]:
    """Return code, both names and kind of a group."""
    code = str(row["code"]) or NOBODY
    if by == "lateness" and code.startswith("+"):
        return *lateness_class(int(code)), "group"
    if by == "lateness":
        return code, *STATE_LABELS[code], "rest"
    name = str(row["name"] or code)
    if row["name"] is None and code in NO_GROUP:
        return code, *NO_GROUP[code], "rest"
    return code, name, str(row["name_en"] or name), "group"


def _limited(row: Row) -> int:
    """Return how many items of a group have a limit and run."""
    return sum(_int(row[name]) for name in ("overdue", "due_soon", "in_time"))


def _rate(unit: Unit, part: int, whole: int) -> Row:
    rate = Rate(unit, part, whole)
    text = percent_text(rate)
    return {
        "numerator": part,
        "denominator": whole,
        "value": rate.value,
        "text": f"{text}%" if whole else text,
    }


def _lateness(row: Row) -> Row:
    code = None if row["code"] is None else str(row["code"])
    named = row["name"] is None and code in NO_GROUP
    name, name_en = NO_GROUP[str(code)] if named else (row["name"], row["name_en"])
    return {
        "code": code,
        "name": name or code,
        "name_en": name_en or name or code,
        "kind": "rest" if named else "group",
        "cases": row["cases"],
        "known": row["known"],
        **_rate(Unit.CASES, _int(row["known"]), _int(row["cases"])),
        "median_minutes": _rounded(row["median_minutes"]),
        "p90_minutes": _rounded(row["p90_minutes"]),
    }


def _local(moment: datetime | None, zone: ZoneInfo) -> str | None:
    return None if moment is None else moment.astimezone(zone).isoformat()


def _rounded(value: object) -> float | None:
    return None if value is None else round(float(str(value)), 2)


def _degrees(value: object) -> float | None:
    return None if value is None else round(float(str(value)), 7)


def _int(value: object) -> int:
    return int(str(value))
