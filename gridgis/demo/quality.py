"""Spot checks of closed cases, key cases, and the cases that whistles are about (抽查、重点)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.demo.book import EARLIER, LAST, Track
from gridgis.demo.clock import part_of
from gridgis.demo.detours import NO_CHECKS
from gridgis.demo.margins import largest_remainder
from gridgis.errors import ProfileInvalid
from gridgis.model.ledger import CHECK_RESULTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.demo.book import Book
    from gridgis.demo.detours import Detours

    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
LEAST_CHECKED = 30
PASSED, FAILED = CHECK_RESULTS["pass"], CHECK_RESULTS["substandard"]
PROBLEMS = ("现场未清理干净", "修复质量不达标", "问题未彻底解决")
KEY_SHARE = 0.002
KEY_ELSEWHEN = 30
"""Key cases that are not closed in the last month, of a region with a target."""


def make_checks(book: Book, detours: Detours, rng: np.random.Generator) -> pd.DataFrame:
    """
    Check some closed cases of every region; those reopened failed their check.

    Raises
    ------
    ProfileInvalid
        If the best region would not be the best.
    """
    reopened = np.concatenate(detours.reopened)
    failed_at = np.concatenate(detours.checked)
    parts = [_table(book, reopened, failed_at, substandard=np.ones(len(reopened), dtype=bool))]
    for month in (EARLIER, LAST):
        able = (book.month == month) & (book.track != Track.REOPENED)
        able &= book.closed < book.bounds[month + 1] - DAY
        places = [place for place in book.places() if place not in NO_CHECKS]
        mine = reopened[book.month[reopened] == month]
        failed = {place: int((book.region[mine] == place).sum()) for place in places}
        substandard = _substandard(book, month, able, failed, rng)
        for place in places:
            cases = rng.permutation(np.flatnonzero(able & book.where(region=place)))
            count = max(LEAST_CHECKED, round(book.targets.checks.share * len(cases)))
            cases = cases[:count]
            bad = np.arange(len(cases)) < substandard[place] - failed[place]
            left = np.minimum(3 * DAY, book.bounds[month + 1] - book.closed[cases])
            at = book.closed[cases] + part_of(left, rng.uniform(0.05, 0.95, len(cases)))
            parts.append(_table(book, cases, at, substandard=bad))
        if month == LAST:
            _assert_best(book, pd.concat(parts), substandard)
    checks = pd.concat(parts, ignore_index=True)
    problem = rng.choice(PROBLEMS, len(checks)).astype(object)
    checks["problem"] = np.where(checks["result"] == FAILED, problem, "")
    return checks.sort_values(["month", "case", "checked_at"], ignore_index=True)


def _substandard(
    book: Book, month: int, able: Booleans, failed: dict[str, int], rng: np.random.Generator
) -> dict[str, int]:
    """Divide the substandard cases of a month: by size, one at least, one in the best region."""
    target = book.targets.checks
    total = target.substandard
    if month == EARLIER:
        total = round(total * float(rng.uniform(0.7, 0.9)))
    others = [place for place in failed if place != target.best]
    left = total - 1 - sum(max(1, failed[place]) for place in others)
    if left < 0:
        raise ProfileInvalid(
            f"demo.toml: checks: {total} substandard cases are too few: every region has one, "
            "and each case reopened is one"
        )
    sizes = [float((able & book.where(region=place)).sum()) for place in others]
    shares = zip(others, largest_remainder(sizes, left), strict=True)
    return {target.best: 1, **{place: max(1, failed[place]) + more for place, more in shares}}


def _assert_best(book: Book, checks: pd.DataFrame, substandard: dict[str, int]) -> None:
    last = checks[checks["month"] == LAST]
    checked = pd.Series(book.region[last["case"]]).value_counts()
    best = book.targets.checks.best
    worse = [place for place, bad in substandard.items()
             if place != best and bad * checked[best] <= checked[place]]  # fmt: skip
    if worse:
        raise ProfileInvalid(
            f"demo.toml: checks: {best} would not be better than {', '.join(worse)}: raise "
            "substandard or share"
        )


def _table(book: Book, cases: Integers, at: object, *, substandard: Booleans) -> pd.DataFrame:
    return pd.DataFrame({
        "case": cases, "month": book.month[cases], "checked_at": at,
        "result": np.where(substandard, FAILED, PASSED),
    })  # fmt: skip


def draw_key_cases(book: Book, rng: np.random.Generator) -> Booleans:
    """
    Mark key cases: as many closed in the last month as stated, and some anywhere.

    Raises
    ------
    ProfileInvalid
        If a region closes too few cases.
    """
    key = book.live & (rng.random(len(book)) < KEY_SHARE)
    closed = book.live & (book.month_of(book.closed) == LAST) & ~np.isnat(book.closed)
    for region, count in book.targets.key_cases.items():
        here = book.where(region=region) & book.live
        key &= ~here
        for chosen, number in ((here & closed, count), (here & ~closed, KEY_ELSEWHEN)):
            cases = np.flatnonzero(chosen)
            if len(cases) < number:
                raise ProfileInvalid(f"demo.toml: key_cases.{region}: {number} of {len(cases)}")
            key[rng.choice(cases, number, replace=False)] = True
    own = np.flatnonzero(key & ~np.isnat(book.dispatched) & ~np.isnat(book.disposed)
                         & (book.track == Track.PLAIN))  # fmt: skip
    left = part_of(book.disposed[own] - book.dispatched[own], rng.uniform(0.2, 0.9, len(own)))
    book.log.add(own, "reminded", book.dispatched[own] + left, note="一级提醒（重点案件）")
    return key


def whistle_cases(book: Book, rng: np.random.Generator) -> list[list[str]]:
    """Return the numbers of the cases that each whistle is about: filed in the days before it."""
    found = []
    for whistle in book.targets.whistles:
        blown = np.datetime64(whistle.blown_at, "s")
        near = book.live & book.where(region=whistle.region) & (book.filed < blown)
        near &= book.filed > blown - 10 * DAY
        cases = np.flatnonzero(near)
        chosen = rng.choice(cases, min(whistle.cases, len(cases)), replace=False)
        found.append(sorted(str(book.case_no[case]) for case in chosen))
    return found
