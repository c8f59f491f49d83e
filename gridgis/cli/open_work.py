"""`gridgis cases open` and `cases lateness`: what is late, and how late it is told (待办)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, cast

import typer

from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.model.open_work import GROUPINGS, PROPOSALS, STAGE_LABELS, STATES, WorkFilter
from gridgis.services import open_work as work
from gridgis.services.context import Context, open_context
from gridgis.services.open_work_files import json_parts, write_work
from gridgis.store.open_work import Row

TABLE_ROWS = 20
MAX_TABLE_ROWS = 1000
UNITS = {"tasks": "任务 / tasks", "cases": "案件 / cases"}
COLUMNS = ("环节", "编号", "小类", "区域", "街道", "承办单位", "截止", "状态",
           "超期(+)剩余(-)小时", "提醒", "回退", "建议")  # fmt: skip
SUMS = ("分组", "名称", "件数", "超期", "临期", "期内", "无时限", "滞留", "占比", "分子/分母",
        "超期中位(小时)", "最长(小时)")  # fmt: skip
LATENESS = ("编码", "名称", "案件", "两时间齐全", "占比", "中位(分钟)", "九成以内(分钟)")
Stage = Annotated[
    str | None, typer.Option(help="dispatch (tasks not dispatched) or dispose (cases not closed).")
]
State = Annotated[
    str | None, typer.Option(help="overdue, due_soon, in_time, no_limit or suspended.")
]
Stuck = Annotated[
    bool | None,
    typer.Option("--stuck/--not-stuck", help="Handed back again and again, or without an owner."),
]
District = Annotated[str | None, typer.Option(help="District or zone, code or name.")]
Street = Annotated[str | None, typer.Option(help="Street, code or name.")]
Category = Annotated[str | None, typer.Option(help="Subcategory: code, prefix or name.")]
At = Annotated[
    str | None,
    typer.Option(help="Day or moment, local time; default the newest stage time in the data."),
]


def open_command(  # noqa: PLR0913 - one option per filter
    *,
    stage: Stage = None,
    state: State = None,
    stuck: Stuck = None,
    district: District = None,
    street: Street = None,
    category: Category = None,
    at: At = None,
    by: Annotated[
        str | None, typer.Option(help=f"Sums instead of a list: {', '.join(GROUPINGS)}.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many; a table shows 20, --json all.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write all to this .xlsx, .csv or .geojson.")
    ] = None,
    restricted: Annotated[
        bool, typer.Option("--restricted", help="Restricted classes (受限类) too; keep it local.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """
    List tasks to dispatch and cases to close at a moment, earliest limit first (待办).

    Overdue is what was due before the moment; due soon is what a reminder has been reached of.
    """
    with _city() as context:
        chosen = work.work_filter(
            context,
            stage=stage,
            state=state,
            stuck=stuck,
            district=district,
            street=street,
            category=category,
        )
        chosen = replace(chosen, restricted=restricted)
        if by is not None:
            _say_summary(work.work_summary(context, chosen, by=by, at=at), as_json=as_json)
        elif out is not None:
            _write(context, chosen, out, at=at)
        elif as_json:
            _say_all(context, chosen, at=at, limit=limit)
        else:
            rows = min(limit or TABLE_ROWS, MAX_TABLE_ROWS)
            _say_page(work.open_work(context, chosen, at=at, limit=rows))


def lateness_command(
    *,
    month: Annotated[str, typer.Option(help="Month as YYYY-MM, that the cases count in.")],
    as_json: JsonFlag = False,
) -> None:
    """Tell how long after discovery the cases of a month were reported (上报时延)."""
    with _city() as context:
        found = work.report_lateness(context, month)
    if as_json:
        say_json(found)
        return
    if found["notice"]:
        say(str(found["notice"]))
    total = cast("Row", found["total"])
    say(
        f"{month}: {total['cases']:,} 案件 / cases，{total['known']:,} 件两时间齐全 "
        f"({total['text']})"
    )
    for title, name in (("按来源 / by source", "by_source"), ("按区域 / by region", "by_region")):
        say(title)
        rows = [*cast("list[Row]", found[name]), {**total, "code": "", "name": "合计"}]
        say_table(
            LATENESS,
            [
                (
                    row["code"],
                    row["name"],
                    row["cases"],
                    row["known"],
                    row["text"],
                    row["median_minutes"],
                    row["p90_minutes"],
                )
                for row in rows
            ],
        )


@contextmanager
def _city() -> Iterator[Context]:
    """Open the city in use, and leave no connection behind."""
    context = open_context(Settings())
    try:
        yield context
    finally:
        context.engine.dispose()


def _write(context: Context, chosen: WorkFilter, out: Path, *, at: str | None) -> None:
    head = write_work(context, chosen, out, at=at)
    _say_head(head)
    note(f"wrote {head['total']:,} items to {out}")


def _say_all(context: Context, chosen: WorkFilter, *, at: str | None, limit: int | None) -> None:
    """Print every item as one document; memory stays flat."""
    head = work.work_head(context, chosen, at=at)
    for part in json_parts(context, chosen, head, limit=limit):
        sys.stdout.buffer.write(part)
    sys.stdout.flush()


def _say_head(head: Row) -> None:
    """Say of which moment the answer is, and what it counts, each in its own unit."""
    if head["notice"]:
        say(str(head["notice"]))
    say(f"时点 / at {_moment(head['at'])}，数据截至 / data as of {_moment(head['as_of'])}")
    rules = cast("Row", head["rules"])
    if rules["sample"] or rules["origin"] == "built_in":
        kind = "示例 / example values" if rules["sample"] else "内置 / built-in"
        say(f"提醒与滞留规则 / reminders and limits: {kind}")
    for stage, (label, english) in STAGE_LABELS.items():
        counts = [r for r in cast("list[Row]", head.get("counts", [])) if r["stage"] == stage]
        if not counts:
            continue
        shown = [row for row in counts if row["state"] in STATES]
        whole, unlocated = (sum(cast("int", r[n]) for r in shown) for n in ("items", "unlocated"))
        parts = [f"{work.STATE_LABELS[str(r['state'])][0]} {r['items']:,}" for r in shown]
        apart = [f"{work.STATE_LABELS[str(r['state'])][0]} {r['items']:,}"
                 for r in counts if r not in shown]  # fmt: skip
        say(
            f"{label} / {english}: {whole:,} {UNITS[str(counts[0]['unit'])]} = "
            f"{' + '.join(parts) or 0}"
            + (f"；另 / apart: {'，'.join(apart)}" if apart else "")
            + f"；其中未定位 / unlocated {unlocated:,}"
        )


def _say_page(page: Row) -> None:
    _say_head(page)
    items = cast("list[Row]", page["items"])
    if not items:
        return
    say_table(COLUMNS, [_row(item) for item in items])
    more = cast("int", page["total"]) - len(items)
    if more:
        say(f"… {more:,} more: raise --limit, or write all with --out FILE.xlsx")


def _row(item: Row) -> tuple[object, ...]:
    stage, state, proposal = (str(item[name]) for name in ("stage", "state", "proposal"))
    late = item["hours_late"]
    left = cast("float | None", item["hours_left"])
    return (
        STAGE_LABELS[stage][0],
        item["task_no"] or item["case_no"],
        item["subcategory_name"] or item["subcategory_code"],
        item["region_name"] or item["region_key"],
        item["street_name"],
        item["disposing_org"],
        _moment(item["limit_at"]),
        work.STATE_LABELS[state][0],
        late if left is None else -left,
        item["reminder_name"],
        item["hand_backs"],
        PROPOSALS[proposal][0] if item["proposal"] else None,
    )


def _say_summary(found: Row, *, as_json: bool) -> None:
    if as_json:
        say_json(found)
        return
    _say_head(found)
    for stage in cast("list[Row]", found["stages"]):
        label, english = STAGE_LABELS[str(stage["stage"])]
        say(f"{label} / {english}，单位 / unit: {UNITS[str(stage['unit'])]}")
        total = {**cast("Row", stage["total"]), "code": "", "name": "合计"}
        say_table(SUMS, [_sums(row) for row in (*cast("list[Row]", stage["rows"]), total)])


def _sums(row: Row) -> tuple[object, ...]:
    numbers = (row[name] for name in ("items", "overdue", "due_soon", "in_time", "no_limit",
                                      "stuck"))  # fmt: skip
    return (
        row["code"],
        row["name"],
        *numbers,
        row["text"],
        f"{row['numerator']:,}/{row['denominator']:,}",
        row.get("median_hours_late"),
        row.get("most_hours_late"),
    )


def _moment(value: object) -> str | None:
    """Return a local moment to the minute."""
    return None if value is None else str(value)[:16].replace("T", " ")
