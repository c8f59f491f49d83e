"""The stage times of every case, and the log of what a row a case does not hold (阶段时间)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridgis.demo.book import EARLIER, LAST, Fate, Track
from gridgis.demo.clock import NEVER, part_of
from gridgis.demo.detours import Detours, take_detours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.demo.book import Book
    from gridgis.demo.dispatch import Dispatch

    Times = NDArray[np.datetime64]

MINUTE, HOUR, DAY = (np.timedelta64(1, unit) for unit in ("m", "h", "D"))
REMINDERS = ((-4 * HOUR, "一级提醒", 0.3), (0 * HOUR, "二级提醒", 0.5), (2 * DAY, "三级提醒", 0.8))
"""When a case that is late is reminded of, from its deadline, and how often (三级提醒)."""


def set_stages(book: Book, dispatch: Dispatch, rng: np.random.Generator) -> Detours:
    """Set the stage times of every case as its fate and track demand; fill the log."""
    _dispatch(book, dispatch, rng)
    ready = _ready(book, rng)
    _close(book, ready, rng)
    detours = take_detours(book, dispatch, ready, rng)
    count = len(book)
    disposed = ready + part_of(book.closed - ready, rng.uniform(0.55, 0.9, count))
    checked = disposed + part_of(book.closed - disposed, rng.uniform(0.2, 0.8, count))
    book.disposed, book.checked, book.closed = (
        np.where(book.live & (times < book.exported), times, NEVER)
        for times in (disposed, checked, book.closed)
    )
    book.dispatched = np.where(book.dispatched < book.exported, book.dispatched, NEVER)
    # a second disposal without its check would put the row's last check before its disposal
    book.disposed[np.isnat(book.checked) & ~np.isnat(book.checked_before)] = NEVER
    _void(book, rng)
    _extend(book, rng)
    _remind(book, rng)
    return detours


def _dispatch(book: Book, dispatch: Dispatch, rng: np.random.Generator) -> None:
    """Dispatch in the first minutes; late ones after their limit, well before the deadline."""
    room = np.minimum(part_of(dispatch.due - book.filed, 0.9),
                      part_of(book.stated_due - book.filed, 0.1))  # fmt: skip
    soon = part_of(np.minimum(room, 150 * MINUTE), rng.uniform(0.15, 1, len(book)))
    left = part_of(book.stated_due - dispatch.due, rng.uniform(0.02, 0.4, len(book)))
    book.dispatched = np.where(dispatch.late, dispatch.due + left, book.filed + soon)
    book.dispatched[~dispatch.task] = NEVER


def _ready(book: Book, rng: np.random.Generator) -> Times:
    """Return from when on a case can be disposed of; log acting first, and rests of the clock."""
    ready = book.dispatched.copy()
    first = np.flatnonzero(book.track == Track.ACT_FIRST)
    ready[first] = book.filed[first] + rng.integers(300, 2400, len(first)).astype("timedelta64[s]")
    book.log.add(first, "act_first", ready[first], note="先行处置")
    own = np.flatnonzero(book.track == Track.SUSPENDED)
    book.log.add(own, "suspended", book.suspended_at[own], note="挂账")
    book.log.add(own, "resumed", book.resumed_at[own], note="恢复计时")
    ready[own] = book.resumed_at[own]
    return ready


def _close(book: Book, ready: Times, rng: np.random.Generator) -> None:
    """Close every case where its fate says; far in the future if it stays open."""
    count, ends = len(book), np.array(book.bounds)
    end = ends[np.clip(book.month_of(book.due), EARLIER, LAST) + 1]
    part = rng.uniform(0, 1, count)
    in_time = ready + part_of(book.due - ready, 0.4 + 0.58 * part)
    longest = np.minimum(end - MINUTE - book.due, 7 * DAY)
    late = book.due + MINUTE + part_of(longest - MINUTE, part**2)
    following = end + 9 * HOUR + part_of(26 * DAY, part**1.5)
    never = np.fmax(ends[-1] + 9 * HOUR, ready + 2 * HOUR)
    never = never + part_of(12 * DAY, rng.exponential(1, count))
    ways = {Fate.IN_TIME: in_time, Fate.LATE: late, Fate.NEXT: following, Fate.OPEN: never}
    book.closed = np.choose(book.fate, [ways[fate] for fate in Fate])


def _void(book: Book, rng: np.random.Generator) -> None:
    """Void some cases within three days, before or after they were dispatched."""
    own = np.flatnonzero(~book.live)
    last = np.where(np.isnat(book.dispatched[own]), book.filed[own], book.dispatched[own])
    wait = rng.integers(600, 3 * 86400, len(own)).astype("timedelta64[s]")
    book.log.add(own, "voided", last + wait, note="重复上报")


def _extend(book: Book, rng: np.random.Generator) -> None:
    """Log when a deadline was extended: after the dispatch, while the case was open."""
    own = np.flatnonzero(book.track == Track.EXTENDED)
    until = np.fmin(book.stated_due[own], book.disposed[own])
    left = part_of(until - book.dispatched[own], rng.uniform(0.2, 0.8, len(own)))
    book.log.add(own, "extended", book.dispatched[own] + left, due_at=book.due[own],
                 note="申请延期")  # fmt: skip


def _remind(book: Book, rng: np.random.Generator) -> None:
    """Remind of cases that are closed late or not at all, as long as they are open."""
    forgotten = book.live & (book.fate != Fate.IN_TIME) & (book.track != Track.REOPENED)
    until = np.fmin(book.closed, book.exported)
    since = np.fmax(book.dispatched, book.filed)
    for offset, level, share in REMINDERS:
        at = book.due + offset
        chosen = forgotten & (since < at) & (at < until) & (rng.random(len(book)) < share)
        own = np.flatnonzero(chosen)
        book.log.add(own, "reminded", at[own], note=level)
