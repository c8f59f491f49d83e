"""Cases that are handed back, reworked or reopened, and the tasks that this makes (回退与返工)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from gridgis.demo.book import EARLIER, LAST, Track
from gridgis.demo.clock import HOUR_S, part_of
from gridgis.demo.targets import CROSS_AREA, UNLOCATED
from gridgis.errors import ProfileInvalid
from gridgis.model.ledger import CHECK_RESULTS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.demo.book import Book
    from gridgis.demo.dispatch import Dispatch

    Times = NDArray[np.datetime64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
STEPS = {
    Track.HAND_BACK: ("returned", "dispatched"),
    Track.REWORK: ("disposed", "checked", "dispatched"),
    Track.REDONE: ("disposed", "checked"),
    Track.REOPENED: ("disposed", "checked", "closed", "reopened", "dispatched"),
}
"""What happens on a detour before the case is disposed of for good."""
NOTES = {"returned": "无法确定产权单位", "dispatched": "重新派遣", "reopened": "抽查不合格"}
AGAIN_S = 3 * HOUR_S
"""Working time before the end of a month that a further task needs to be due in it."""
HAND_BACKS = (0.86, 0.11, 0.03)
"""How often cases that are handed back are so once, twice and three times."""
NO_CHECKS = (UNLOCATED, CROSS_AREA)
"""Nobody looks at the quality of cases whose place is unknown."""


@dataclass(slots=True)
class Detours:
    """The further tasks of cases, and the spot checks that reopened some, in parts."""

    cases: list[Integers] = field(default_factory=list)
    due: list[Times] = field(default_factory=list)
    dispatched: list[Times] = field(default_factory=list)
    rework: list[Booleans] = field(default_factory=list)
    reopened: list[Integers] = field(default_factory=list)
    checked: list[Times] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Turn:
    """Cases that take the same detour in a month, the same number of times."""

    track: Track
    cases: Integers
    times: int = 1


def take_detours(book: Book, dispatch: Dispatch, ready: Times, rng: np.random.Generator) -> Detours:
    """
    Let some cases of each month take a detour that is over before its end.

    `ready` moves to the end of the detour. Further tasks are dispatched in time.
    """
    detours = Detours()
    for month in (EARLIER, LAST):
        end = book.clock.worked(np.array([book.bounds[month + 1]]))
        edge = book.clock.after(end - AGAIN_S)[0]
        until = np.minimum(edge, book.dispatched + part_of(book.closed - book.dispatched, 0.6))
        until = np.minimum(until, book.dispatched + 8 * DAY)
        free = dispatch.task & (book.month == month) & (book.track == Track.PLAIN)
        for place in book.places():
            again = dispatch.again.get(place) if month == LAST else None
            here = free & book.where(region=place) & (until - book.dispatched > HOUR)
            for turn in _turns(book, place, here, again, rng):
                _take(book, turn, until, ready, detours, rng)
    return detours


def _turns(
    book: Book, place: str, free: Booleans, again: int | None, rng: np.random.Generator
) -> list[_Turn]:
    """Draw the detours of a region in a month; `again` further tasks exactly, if stated."""
    shares = book.targets.tracks
    cases = rng.permutation(np.flatnonzero(free))
    most = len(cases) if again is None else again // 4
    reopened = min(round(shares.reopened * len(cases)), most)
    if place in {book.targets.checks.best, *NO_CHECKS}:
        reopened = 0
    # a case that is reopened was open long enough for a closing, a check and a second closing
    slow = cases[book.closed[cases] - book.dispatched[cases] > 12 * HOUR][:reopened]
    cases = cases[~np.isin(cases, slow)]
    reworked = min(round(shares.rework * len(cases)), most)
    redone = reworked // 2
    turns = [_Turn(Track.REOPENED, slow), _Turn(Track.REWORK, cases[:reworked]),
             _Turn(Track.REDONE, cases[reworked : reworked + redone])]  # fmt: skip
    cases = cases[reworked + redone :]
    tasks = round(shares.hand_back * len(cases))
    if again is not None:
        tasks = again - len(slow) - reworked
    times = _hand_backs(place, tasks, len(cases), rng)
    chosen = cases[: len(times)]
    return turns + [_Turn(Track.HAND_BACK, chosen[times == n], n) for n in (1, 2, 3)]


def _hand_backs(place: str, tasks: int, cases: int, rng: np.random.Generator) -> Integers:
    """Return how often each of the first cases is handed back, so that it makes so many tasks."""
    times = rng.choice([1, 2, 3], min(tasks, cases), p=HAND_BACKS)
    reached = np.cumsum(times)
    count = int(np.searchsorted(reached, tasks)) + 1
    times = times[:count]
    excess = int(times.sum()) - tasks
    while excess:
        chosen = np.flatnonzero(times > 1 if excess > 0 else times < len(HAND_BACKS))
        if not len(chosen):
            raise ProfileInvalid(
                f"demo.toml: tasks.{place}: {tasks} further tasks are needed, more than its "
                f"{cases} cases can make by hand-backs"
            )
        chosen = rng.permutation(chosen)[: abs(excess)]
        times[chosen] -= np.sign(excess)
        excess = int(times.sum()) - tasks
    return times


def _take(
    book: Book, turn: _Turn, until: Times, ready: Times, detours: Detours,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Spread the steps of a detour over the time from the dispatch to its end."""
    cases, steps = turn.cases, STEPS[turn.track] * turn.times
    book.track[cases] = turn.track
    gaps = rng.uniform(0.4, 1, (len(steps) + 1, len(cases)))
    parts = np.cumsum(gaps, axis=0) / gaps.sum(axis=0)
    start, span = ready[cases], until[cases] - ready[cases]
    last = start
    for step, part in zip(steps, parts[:-1], strict=True):
        at = start + part_of(span, part)
        if step == "dispatched":
            due = book.limits.of("dispatch", last, cases)
            at = np.minimum(at, due)
            detours.cases.append(cases)
            detours.due.append(due)
            detours.dispatched.append(at)
            detours.rework.append(np.full(len(cases), turn.track is not Track.HAND_BACK))
        elif step == "reopened":
            detours.reopened.append(cases)
            detours.checked.append(last + part_of(at - last, 0.5))
        beside: dict[str, object] = {"note": NOTES.get(step)}
        if step == "checked":
            result = "pass" if turn.track is Track.REOPENED else "substandard"
            beside["result"] = CHECK_RESULTS[result]
            book.checked_before[cases] = at
        elif step == "disposed":
            book.disposed_before[cases] = at
        book.log.add(cases, step, at, **beside)
        last = at
    ready[cases] = last
