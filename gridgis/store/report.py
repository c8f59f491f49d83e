"""Counts and rows of the facts of a period: what figures are made of (报表事实)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from gridgis.model.figures import FACTS
from gridgis.store.engine import query
from gridgis.store.placement import lock_cases

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy import Connection

    from gridgis.model.figures import Fact, Slice
    from gridgis.model.period import Period

HUNDREDTHS = 100
RESTRICTED = "restricted"
"""What stands for region and class of a case that is shown to nobody (受限类)."""
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class IssueKey:
    """Which report: its month, and the region of a district brief."""

    month: str
    region: str | None = None

    def values(self) -> dict[str, object]:
        """Return what statements bind."""
        return {"month": self.month, "region_code": self.region or ""}


def read_counts(tx: Connection, fact: Fact, period: Period) -> list[Row]:
    """
    Return the sums of every measure of a fact, per combination of its dimensions (计数).

    Returns
    -------
    list of dict
        Dimensions, and the measures in hundredths of the fact's unit: weights have two decimals.
    """
    rows = _rows(fact, period)
    weight = sa.cast(rows.c.weight * HUNDREDTHS, sa.BigInteger)
    sums = [
        sa.cast(sa.func.coalesce(sa.func.sum(weight).filter(rows.c[name]), 0), sa.BigInteger)
        .label(name)
        for name in fact.measures
    ]  # fmt: skip
    dims = [rows.c[name] for name in fact.dims]
    statement = sa.select(*dims, *sums).group_by(*dims)
    return [dict(row) for row in tx.execute(statement, _bounds(period)).mappings()]


def read_rows(
    tx: Connection, chosen: Slice, period: Period, *, after: str | None, limit: int | None
) -> list[Row]:
    """
    Return the rows behind a figure, in the order of their key (指标明细).

    Cases of restricted classes are left out: they are in counts alone.

    Parameters
    ----------
    after : str, optional
        Key of the last row of the page before.
    limit : int, optional
        At most so many; None gives all.
    """
    fact = FACTS[chosen.fact]
    rows = _rows(fact, period)
    key = rows.c[fact.key]
    conditions: list[sa.ColumnElement[bool]] = [
        rows.c[chosen.measure],
        rows.c.region_key != RESTRICTED,
    ]
    for dim, values in chosen.where:
        column, given = rows.c[dim], [value for value in values if value is not None]
        fits = column.in_(given)
        conditions.append(sa.or_(fits, column.is_(None)) if None in values else fits)
    if after is not None:
        conditions.append(key > after)
    names = dict.fromkeys((fact.key, *fact.dims, *fact.shown))
    statement = (
        sa.select(*(rows.c[name] for name in names)).where(*conditions).order_by(key).limit(limit)
    )
    return [dict(row) for row in tx.execute(statement, _bounds(period)).mappings()]


def lock_reports(tx: Connection) -> None:
    """Let no import and no other report run until this transaction ends: one state, one draft."""
    lock_cases(tx)
    tx.execute(sa.text("SET LOCAL max_parallel_workers_per_gather = 0"))  # others work, too


def read_rectification(tx: Connection, period: Period, region: str) -> list[Row]:
    """Return the cases of a region that are open, or were closed too late, open ones first."""
    values = {**_bounds(period), "region": region}
    return [dict(row) for row in tx.execute(query("report", "rectification"), values).mappings()]


def counts_any(tx: Connection, month: str) -> bool:
    """Tell whether any case counts in a month `YYYY-MM`."""
    number = int(month.replace("-", ""))
    return bool(tx.scalar(query("report", "counts_any"), {"month": number}))


def read_days(tx: Connection, period: Period) -> list[tuple[date, int]]:
    """Return the cases of a period by local day."""
    rows = tx.execute(query("report", "days"), _bounds(period))
    return [(row.day, int(row.cases)) for row in rows]


def keep_draft(tx: Connection, key: IssueKey, model: Mapping[str, object]) -> int:
    """Store the draft of a report in place of the one before and return its number (保存草稿)."""
    content = json.dumps(model, ensure_ascii=False)
    values = {**key.values(), "model": content}
    return int(tx.scalar(query("report", "keep_draft"), values) or 0)


def sign_draft(tx: Connection, key: IssueKey, *, signed_by: str) -> int | None:
    """Sign the draft of a report; None if there is none (签发)."""
    values = {**key.values(), "signed_by": signed_by}
    number = tx.scalar(query("report", "sign_draft"), values)
    return None if number is None else int(number)


def read_issue(tx: Connection, key: IssueKey, issue_no: int | None = None) -> Row | None:
    """Return an issue of a report, the newest by default."""
    values = {**key.values(), "issue_no": issue_no}
    row = tx.execute(query("report", "read_issue"), values).mappings().one_or_none()
    return None if row is None else dict(row)


def read_signed(tx: Connection, key: IssueKey) -> Row | None:
    """Return number and model of the newest signed issue."""
    row = tx.execute(query("report", "read_signed"), key.values()).mappings().one_or_none()
    return None if row is None else dict(row)


def list_issues(tx: Connection) -> list[Row]:
    """Return all issues without their models, newest month first."""
    return [dict(row) for row in tx.execute(query("report", "list_issues")).mappings()]


def keep_text(
    tx: Connection, key: IssueKey, paragraph: str, edited: str | None, *, author: str
) -> None:
    """Keep an analyst's own text of a paragraph, or drop it."""
    values = {**key.values(), "paragraph": paragraph}
    if edited is None:
        tx.execute(query("report", "drop_text"), values)
    else:
        tx.execute(query("report", "keep_text"), {**values, "edited": edited, "author": author})


def read_texts(tx: Connection, key: IssueKey) -> dict[str, str]:
    """Return the analysts' texts by paragraph."""
    rows = tx.execute(query("report", "read_texts"), key.values())
    return {row.paragraph: row.edited for row in rows}


def _rows(fact: Fact, period: Period) -> sa.Subquery:
    names = dict.fromkeys((fact.key, *fact.dims, *fact.shown, "weight", *fact.measures))
    body = query("report", fact.name).bindparams(**_bounds(period))
    return body.columns(*(sa.column(name) for name in names)).subquery("fact")


def _bounds(period: Period) -> dict[str, object]:
    return {"start_at": period.start, "end_at": period.end}
