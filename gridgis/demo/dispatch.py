"""Dispatch tasks: how many of a region are due, and which were dispatched too late (派遣任务)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.demo.book import EARLIER, LAST, Track
from gridgis.errors import ProfileInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.demo.book import Book
    from gridgis.demo.targets import TaskTarget
    from gridgis.model.profile import CityProfile

    Times = NDArray[np.datetime64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

SPARE = 0.006
"""Tasks that come on top of the first ones of a region, at least, of all its tasks."""
LATE_ELSEWHEN = 0.05
NEAR_TOP = 0.9
"""Overdue tasks of any other subcategory, against the last of those that have the most."""


@dataclass(slots=True)
class Dispatch:
    """The first dispatch task of every case, and how many more a region needs (首次派遣)."""

    due: Times
    task: Booleans
    """Cases that are dispatched at all."""
    late: Booleans
    again: dict[str, int] = field(default_factory=dict)
    """Tasks after a hand-back or a rework, by region with a target, in the last month."""


def plan_dispatch(profile: CityProfile, book: Book, rng: np.random.Generator) -> Dispatch:
    """
    Decide which cases have a dispatch task and which of these are late.

    Raises
    ------
    ProfileInvalid
        If a region has more tasks than its target, or too few that could be late.
    """
    void = book.track == Track.VOID
    dispatch = Dispatch(
        due=book.limits.of("dispatch", book.filed),
        task=~void | (rng.random(len(book)) < 0.7),  # noqa: PLR2004 - void before or after it
        late=np.zeros(len(book), dtype=bool),
    )
    dispatch.task &= book.track != Track.ACT_FIRST
    month = book.month_of(dispatch.due)
    for region, target in book.targets.tasks.items():
        _fit(book, dispatch, region, target, rng)
    able = dispatch.task & book.live & (book.track != Track.SUSPENDED)
    groups = {region.code: region.group for region in profile.regions}
    for place in book.places():
        here = able & book.where(region=place)
        low, high = book.targets.dispatch.before
        _be_late(here & (month == EARLIER), 1 - rng.uniform(low, high), dispatch, rng)
        own = book.targets.tasks.get(place)
        if own is None:
            rates = book.targets.dispatch.last
            low, high = rates.get(groups.get(place) or "", next(iter(rates.values())))
            _be_late(here & (month == LAST), 1 - rng.uniform(low, high), dispatch, rng)
        else:
            cases = _overdue(book, here & (month == LAST), place, own, rng)
            dispatch.late[cases] = True
    elsewhen = able & (month > LAST) & (rng.random(len(book)) < LATE_ELSEWHEN)
    dispatch.late |= elsewhen
    return dispatch


def _fit(
    book: Book, dispatch: Dispatch, region: str, target: TaskTarget, rng: np.random.Generator
) -> None:
    """Leave room for further tasks: some cases more are disposed of before they are dispatched."""
    due = dispatch.task & book.live & (book.month_of(dispatch.due) == LAST)
    due &= book.where(region=region)
    spare = int(SPARE * target.due)
    surplus = int(due.sum()) + spare - target.due
    if surplus > 0:
        plain = np.flatnonzero(due & (book.track == Track.PLAIN) & (book.repeat_point < 0))
        chosen = rng.choice(plain, min(surplus, len(plain)), replace=False)
        book.track[chosen] = Track.ACT_FIRST
        dispatch.task[chosen] = due[chosen] = False
    dispatch.again[region] = target.due - int(due.sum())
    if dispatch.again[region] < 0:
        raise ProfileInvalid(
            f"demo.toml: tasks.{region}: {int(due.sum()):,} cases are dispatched, more than "
            f"{target.due:,}: raise the region's self_handled_shares"
        )


def _be_late(free: Booleans, share: float, dispatch: Dispatch, rng: np.random.Generator) -> None:
    """Dispatch a share of some cases too late, one at least."""
    cases = np.flatnonzero(free)
    count = min(len(cases), max(1, round(share * len(cases))))
    dispatch.late[rng.choice(cases, count, replace=False)] = True


def _overdue(
    book: Book, free: Booleans, region: str, target: TaskTarget, rng: np.random.Generator
) -> Integers:
    """Draw the overdue tasks of a region, as many of each subcategory as stated."""
    drawn = []
    for code, count in target.overdue.items():
        cases = np.flatnonzero(free & book.where(code=code))
        if len(cases) < count:
            raise ProfileInvalid(
                f"demo.toml: tasks.{region}: {count} overdue of {code}, it has {len(cases)} tasks"
            )
        drawn.append(rng.choice(cases, count, replace=False))
    rest = target.due - target.on_time - sum(target.overdue.values())
    others = rng.permutation(np.flatnonzero(free & ~np.isin(book.code, list(target.overdue))))
    if target.overdue:
        most = int(NEAR_TOP * min(target.overdue.values()))
        turn = pd.Series(book.code[others]).groupby(book.code[others]).cumcount().to_numpy()
        others = others[turn < most]
    if len(others) < rest:
        raise ProfileInvalid(
            f"demo.toml: tasks.{region}: {rest:,} overdue of other subcategories, "
            f"{len(others):,} could be"
        )
    return np.concatenate([*drawn, others[:rest]]).astype(np.int64)
