"""
The monthly report: made from the counts of a month, kept as a draft, signed, read (月报).

A signed issue never changes: made again, the report is a new issue that says what differs.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo

from gridgis.errors import InputError, NotFoundError
from gridgis.model.figures import FACTS, Slice, plain, sliced
from gridgis.model.period import Period
from gridgis.model.report import Cell, Issue, Paragraph, ReportModel, Section, Table
from gridgis.report.briefs import RECTIFICATION
from gridgis.report.build import Given, build_leaders_brief, build_report
from gridgis.report.counts import Counts
from gridgis.services.exports import nature
from gridgis.services.handout import plain_text, save_table
from gridgis.services.lookup import areas
from gridgis.store import report as store
from gridgis.store.engine import begin
from gridgis.store.report import IssueKey

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import geopandas as gpd

    from gridgis.model.profile import CityProfile
    from gridgis.services.context import Context
    from gridgis.store.engine import Connection

PARTS = ("numerator", "denominator")
MOST_CHANGES = 200
MAX_ROWS = 1000
LEADERS = "leaders"
"""Stands for a region where the brief of one page for the city's leaders is meant."""
LISTED = 3
"""Rows of the rectification list that a brief of two pages shows; a file of its own has all."""
RECTIFICATION_HEADERS = (
    ("案件编号", "Case"),
    ("小类", "Subcategory"),
    ("街道", "Street"),
    ("地址", "Address"),
    ("处置时限", "Deadline"),
    ("结案时间", "Closed"),
    ("处置单位", "Organisation"),
)
_BACK = {"previous": 1, "year_ago": 12}
"""How many months before the report's own the figures of a prefix are."""


def make_report(context: Context, month: str, *, region: str | None = None) -> ReportModel:
    """
    Make the report of a month and keep it as its draft (生成月报).

    Parameters
    ----------
    month : str
        `YYYY-MM`.
    region : str, optional
        Region code: a district brief in place of the city's report; `leaders`: one page for the
        city's leaders.

    Raises
    ------
    NotFoundError
        If the profile has no such region.
    PeriodError
        If `month` is no month.
    """
    profile = context.profile()
    if region not in {None, LEADERS, *(known.code for known in profile.regions)}:
        raise NotFoundError(f"region {region!r}: the city profile has no such code")
    key = IssueKey(month, region)
    with begin(context.engine) as tx:
        store.lock_reports(tx)
        model = _built(tx, context, profile, key)
        before = store.read_signed(tx, key)
        number = store.keep_draft(tx, key, model.to_dict())
        if before is not None:
            changes = _changes(
                ReportModel.from_dict(cast("dict[str, Any]", before["model"])), model
            )
            model = replace(model, issue=Issue(number, "draft", 0, "", changes=changes))
            store.keep_draft(tx, key, model.to_dict())
        return _read(tx, key, None)


def read_report(
    context: Context, month: str, *, region: str | None = None, issue: int | None = None
) -> ReportModel:
    """
    Return an issue of a report, the newest by default (读取月报).

    Raises
    ------
    NotFoundError
        If there is none: making it is an analysis, which no request does.
    """
    Period.month(month, context.city.time_zone)
    with begin(context.engine) as tx:
        return _read(tx, IssueKey(month, region), issue)


def sign_report(
    context: Context, month: str, *, signed_by: str, region: str | None = None
) -> ReportModel:
    """
    Sign the draft of a report: data, text and figures of this issue are final (签发).

    Raises
    ------
    InputError
        If nobody's name is given.
    NotFoundError
        If there is no draft.
    """
    if not signed_by.strip():
        raise InputError("a report is signed by somebody: give a name")
    key = IssueKey(month, region)
    with begin(context.engine) as tx:
        store.lock_reports(tx)
        if store.sign_draft(tx, key, signed_by=signed_by.strip()) is None:
            raise NotFoundError(
                f"{month} has no draft to sign: make one with `gridgis report --month {month}`"
            )
        return _read(tx, key, None)


def edit_report(
    context: Context,
    month: str,
    *,
    paragraph: str,
    edited: str | None,
    author: str,
    region: str | None = None,
) -> ReportModel:
    """
    Put an analyst's text in the place of a generated paragraph, or take it away (修改段落).

    Raises
    ------
    NotFoundError
        If the report has no such paragraph; all keys are listed.
    """
    known = [block.key for block in _paragraphs(read_report(context, month, region=region))]
    if paragraph not in known:
        raise NotFoundError(f"paragraph {paragraph!r}: the report has {', '.join(known)}")
    with begin(context.engine) as tx:
        store.keep_text(tx, IssueKey(month, region), paragraph, edited, author=author)
    return make_report(context, month, region=region)


def report_issues(context: Context) -> list[dict[str, object]]:
    """Return all issues of all reports (月报列表)."""
    with begin(context.engine) as tx:
        return store.list_issues(tx)


def figure_rows(  # noqa: PLR0913 - a figure, its issue and its page, each by name
    context: Context,
    month: str,
    figure: str,
    *,
    part: str = "numerator",
    region: str | None = None,
    issue: int | None = None,
    after: str | None = None,
    limit: int | None = MAX_ROWS,
) -> dict[str, object]:
    """
    Return the rows behind a figure, in its own unit (指标明细).

    Returns
    -------
    dict
        `rows` in the order of their key, `next` for the page after, and the figure itself.
        `outdated` tells that data came after the report was made.

    Raises
    ------
    InputError
        If `part` is neither numerator nor denominator.
    NotFoundError
        If the report has no such figure.
    """
    if part not in PARTS:
        raise InputError(f"part {part!r}: expected {' or '.join(PARTS)}")
    earlier = _BACK.get(figure.partition(".")[0], 0)
    period = month_before(month, context.city.time_zone, back=earlier)
    with begin(context.engine) as tx:
        row = _issue_row(tx, IssueKey(month, region), issue)
        figures = cast("dict[str, Any]", row["model"])["figures"]
        if figure not in figures:
            raise NotFoundError(f"figure {figure!r}: the report of {month} has no such figure")
        told = figures[figure]
        over = _slice_of(told, part)
        asked = None if limit is None else limit + 1
        rows = store.read_rows(tx, over, period, after=after, limit=asked)
    more = limit is not None and len(rows) > limit
    rows = rows[:limit]
    key = FACTS[over.fact].key
    return {
        **nature(synthetic=bool(context.city.synthetic)),
        "month": month,
        "figure": told,
        "part": part,
        "unit": str(over.unit),
        "outdated": row["outdated"],
        "rows": [_plain_row(found) for found in rows],
        "next": str(rows[-1][key]) if more else None,
    }


def write_rows(
    context: Context,
    month: str,
    figure: str,
    path: Path,
    *,
    part: str = "numerator",
    region: str | None = None,
) -> int:
    """Write the rows behind a figure to an .xlsx or .csv file; return how many (导出指标明细)."""
    found = figure_rows(context, month, figure, part=part, region=region, limit=None)
    rows = cast("list[dict[str, object]]", found["rows"])
    told = cast("dict[str, object]", found["figure"])
    headers = list(rows[0]) if rows else [FACTS[_slice_of(told, part).fact].key]
    return save_table(
        path,
        headers,
        ([row[name] for name in headers] for row in rows),
        zone=ZoneInfo(context.city.time_zone),
        synthetic=bool(context.city.synthetic),
    )


def rectification(context: Context, month: str, region: str) -> list[dict[str, object]]:
    """Return the cases that a region has to work off: open or closed too late (整改清单)."""
    period = Period.month(month, context.city.time_zone)
    with begin(context.engine) as tx:
        return store.read_rectification(tx, period, region)


def write_rectification(context: Context, month: str, region: str, path: Path) -> int:
    """Write the whole rectification list of a region to an .xlsx or .csv file (整改清单)."""
    rows = rectification(context, month, region)
    chinese = context.city.language.startswith("zh")
    headers = [zh if chinese else en for zh, en in RECTIFICATION_HEADERS]
    return save_table(
        path,
        headers,
        (list(row.values()) for row in rows),
        zone=ZoneInfo(context.city.time_zone),
        synthetic=bool(context.city.synthetic),
    )


def report_shapes(context: Context) -> gpd.GeoDataFrame:
    """Return the regions that reports draw: districts less the zones over them (报表区域)."""
    return areas(context, "districts")


def read_month(tx: Connection, period: Period) -> Counts:
    """Return the counts of all facts of a period."""
    return Counts.of({name: store.read_counts(tx, fact, period) for name, fact in FACTS.items()})


def month_before(month: str, time_zone: str, *, back: int = 1) -> Period:
    """Return the month so many months before another."""
    period = Period.month(month, time_zone)
    for _ in range(back):
        label = (period.start - timedelta(days=1)).strftime("%Y-%m")
        period = Period.month(label, time_zone)
    return period


def _built(tx: Connection, context: Context, profile: CityProfile, key: IssueKey) -> ReportModel:
    zone = context.city.time_zone
    period = Period.month(key.month, zone)
    year_ago = month_before(key.month, zone, back=12)
    given = Given(
        previous=read_month(tx, month_before(key.month, zone)),
        year_ago=read_month(tx, year_ago) if store.counts_any(tx, year_ago.label) else None,
        synthetic=bool(context.city.synthetic),
        sample_rules=profile.ledger.sample,
        restricted=(store.RESTRICTED,),
        whistles=store.read_rows(
            tx, sliced("whistles_resolved", "n"), period, after=None, limit=None
        ),
        days=store.read_days(tx, period),
    )
    counts = read_month(tx, period)
    if key.region == LEADERS:
        brief = build_leaders_brief(profile, counts, month=key.month, **given)
        return _with_texts(replace(brief, region=LEADERS), store.read_texts(tx, key))
    model = build_report(profile, counts, month=key.month, region=key.region, **given)
    if key.region is not None:
        rows = store.read_rectification(tx, period, key.region)
        model = _with_list(model, rows, ZoneInfo(zone))
    return _with_texts(model, store.read_texts(tx, key))


def _with_list(model: ReportModel, rows: list[dict[str, object]], zone: ZoneInfo) -> ReportModel:
    """Fill the rectification list of a brief with its first rows, and say how many there are."""
    texts = [[plain_text(value, zone) for value in row.values()] for row in rows[:LISTED]]
    cells = tuple(tuple(Cell(text) for text in row) for row in texts)
    more = len(rows) - len(cells)
    chinese = model.language.startswith("zh")
    note = f"共{len(rows)}件，另有{more}件见整改清单文件。" if chinese else (
        f"{len(rows)} cases; {more} more are in the file of the list."
    )  # fmt: skip

    def filled(section: Section) -> Section:
        blocks = tuple(
            replace(block, rows=cells, note=note if more else "")
            if isinstance(block, Table) and block.key == RECTIFICATION
            else block
            for block in section.blocks
        )
        return replace(section, blocks=blocks)

    return replace(model, sections=tuple(map(filled, model.sections)))


def _with_texts(model: ReportModel, texts: dict[str, str]) -> ReportModel:
    """Put the analysts' texts into the paragraphs they were written for."""

    def edited(section: Section) -> Section:
        blocks = tuple(
            replace(block, edited=texts[block.key])
            if isinstance(block, Paragraph) and block.key in texts
            else block
            for block in section.blocks
        )
        return replace(section, blocks=blocks)

    return replace(model, sections=tuple(map(edited, model.sections)))


def _changes(before: ReportModel, after: ReportModel) -> tuple[str, ...]:
    """Return the figures that print differently, as `label: before → after`."""
    found = [
        f"{after.figures[key].label}: {before.texts.get(key, '—')} → {text}"
        for key, text in after.texts.items()
        if before.texts.get(key) != text
    ]
    found += [f"{before.figures[key].label}: {text} → —"
              for key, text in before.texts.items() if key not in after.texts]  # fmt: skip
    return tuple(found[:MOST_CHANGES])


def _paragraphs(model: ReportModel) -> list[Paragraph]:
    return [
        block
        for section in model.sections
        for block in section.blocks
        if isinstance(block, Paragraph)
    ]


def _read(tx: Connection, key: IssueKey, issue: int | None) -> ReportModel:
    row = _issue_row(tx, key, issue)
    model = ReportModel.from_dict(cast("dict[str, Any]", row["model"]))
    told = Issue(
        number=cast("int", row["issue_no"]),
        status=str(row["status"]),
        data_version=cast("int", row["data_version"]),
        made_at=_moment(row["made_at"]),
        signed_by=cast("str | None", row["signed_by"]),
        signed_at=_moment(row["signed_at"]) if row["signed_at"] else None,
        changes=model.issue.changes if model.issue else (),
    )
    return replace(model, issue=told)


def _issue_row(tx: Connection, key: IssueKey, issue: int | None) -> dict[str, object]:
    row = store.read_issue(tx, key, issue)
    if row is None:
        which = f" for {key.region}" if key.region else ""
        raise NotFoundError(
            f"there is no report of {key.month}{which}: make it with `gridgis report --month "
            f"{key.month}{f' --region {key.region}' if key.region else ''}`"
        )
    return row


def _slice_of(figure: Mapping[str, Any], part: str) -> Slice:
    """Return the rows that a part of a stored figure counts."""
    chosen = figure[f"{part}_rows"]
    if chosen is None:
        raise InputError(f"figure {figure['key']} is a count: it has no denominator")
    return Slice.from_dict(chosen)


def _plain_row(row: dict[str, object]) -> dict[str, object]:
    return {name: plain(v) if isinstance(v, Decimal) else v for name, v in row.items()}


def _moment(value: object) -> str:
    return cast("Any", value).isoformat(timespec="seconds")  # type: ignore[no-any-return]
