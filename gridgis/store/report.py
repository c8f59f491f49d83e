"""Counts and rows of the facts of a period: what figures are made of (报表事实)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from gridgis.model.figures import FACTS
from gridgis.store.engine import query

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gridgis.model.figures import Fact, Slice
    from gridgis.model.period import Period

HUNDREDTHS = 100
Row = dict[str, object]


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
    conditions: list[sa.ColumnElement[bool]] = [rows.c[chosen.measure]]
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


def _rows(fact: Fact, period: Period) -> sa.Subquery:
    names = dict.fromkeys((fact.key, *fact.dims, *fact.shown, "weight", *fact.measures))
    body = query("report", fact.name).bindparams(**_bounds(period))
    return body.columns(*(sa.column(name) for name in names)).subquery("fact")


def _bounds(period: Period) -> dict[str, object]:
    return {"start_at": period.start, "end_at": period.end}
