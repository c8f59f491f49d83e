"""Citizens' complaints, the responses to them and the call-backs (投诉、响应与回访)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.demo.book import EARLIER, LAST
from gridgis.demo.clock import HOUR_S, NEVER, part_of
from gridgis.demo.spec import CITIZENS, HOTLINE
from gridgis.demo.targets import CROSS_AREA
from gridgis.errors import ProfileInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.demo.book import Book
    from gridgis.demo.targets import ResponseTarget

    Times = NDArray[np.datetime64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

MINUTE, HOUR, DAY = (np.timedelta64(1, unit) for unit in ("m", "h", "D"))
RESPONSE_S = 7 * HOUR_S
"""Working time within which a complaint is answered."""
COMPLAINED_AGAIN = 0.06
WITHOUT_CASE = 15
"""Complaints of the month before that became no case."""
RESPONDED = (0.88, 0.98)
NEVER_ANSWERED = 0.15
"""Of complaints that are not answered in time."""
CALLED = 0.65
SATISFIED = (0.78, 0.92)
CALLED_TWICE = 0.05
DISPOSED = 0.95
"""Of complaints that became no case."""
PERCENT = 100


@dataclass(frozen=True, slots=True)
class Citizens:
    """Complaints and call-backs; `month` says in which files they stand."""

    complaints: pd.DataFrame
    callbacks: pd.DataFrame


def make_citizens(book: Book, rng: np.random.Generator) -> Citizens:
    """
    Make a complaint for every citizen's case, second ones, and some that became no case.

    Raises
    ------
    ProfileInvalid
        If the responses due cannot be those of the targets.
    """
    first = _first(book)
    without = _settle_due(book, first, rng)
    first = pd.concat([first, without], ignore_index=True)
    _respond(book, first, rng)
    again = _again(book, first, rng)
    complaints = pd.concat([first, again], ignore_index=True)
    complaints = complaints.sort_values(["month", "complained_at"], kind="stable",
                                        ignore_index=True)  # fmt: skip
    numbers = complaints.groupby("month").cumcount() + 1
    stems = [str(bound.astype("datetime64[M]")).replace("-", "") for bound in book.bounds[:2]]
    complaints.insert(0, "complaint_no", [
        f"TS{stems[month]}{number:06d}" for month, number in zip(complaints["month"], numbers,
                                                                 strict=True)
    ])  # fmt: skip
    return Citizens(complaints, _call_back(book, complaints, rng))


def _first(book: Book) -> pd.DataFrame:
    """Return the first complaint of every citizen's case; case -1 means none."""
    own = np.flatnonzero(np.isin(book.source.astype(str), CITIZENS))
    complained = book.reported[own]
    due = book.clock.later(complained, RESPONSE_S)
    due[(book.source[own] != HOTLINE) | (due < book.bounds[EARLIER])] = NEVER
    return pd.DataFrame({
        "case": own, "month": book.month[own], "region": book.region[own],
        "source": book.source[own], "complained_at": complained, "response_due_at": due,
        "repeat_point": book.repeat_point[own], "first": True,
    })  # fmt: skip


def _settle_due(book: Book, first: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Bring the responses due in the last month to the targets; return those without a case."""
    added = [_without_case(book, EARLIER, place, 1, rng)
             for place in rng.choice(list(book.targets.tasks), WITHOUT_CASE)]  # fmt: skip
    due = first["response_due_at"].to_numpy(dtype="datetime64[s]", copy=True)
    month = book.month_of(due)
    for place, target in book.targets.responses.items():
        mine = np.flatnonzero((month == LAST) & (first["region"] == place).to_numpy())
        if len(mine) > target.due:  # no answer is asked for: an inquiry, or a repeated report
            due[rng.choice(mine, len(mine) - target.due, replace=False)] = NEVER
        elif place == CROSS_AREA and len(mine) < target.due:
            raise ProfileInvalid(
                f"demo.toml: responses.{place}: {target.due} are due, there are {len(mine)}"
            )
        else:
            added.append(_without_case(book, LAST, place, target.due - len(mine), rng))
    first["response_due_at"] = due
    return pd.concat(added, ignore_index=True)


def _without_case(
    book: Book, month: int, place: str, count: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return hotline complaints that became no case, answered in the month of the complaint."""
    days = rng.integers(3, 24, count) * DAY + rng.integers(9 * 60, 17 * 60, count) * MINUTE
    complained = book.bounds[month] + days.astype("timedelta64[s]")
    return pd.DataFrame({
        "case": -1, "month": month, "region": place, "source": HOTLINE,
        "complained_at": complained, "response_due_at": book.clock.later(complained, RESPONSE_S),
        "repeat_point": -1, "first": True,
    })  # fmt: skip


def _respond(book: Book, first: pd.DataFrame, rng: np.random.Generator) -> None:
    """Answer complaints in time, or a little late, or not yet."""
    due = first["response_due_at"].to_numpy(dtype="datetime64[s]")
    complained = first["complained_at"].to_numpy(dtype="datetime64[s]")
    limit = np.where(np.isnat(due), complained + DAY, due)
    month = book.month_of(limit)
    in_time = np.zeros(len(first), dtype=bool)
    silent = rng.random(len(first)) < NEVER_ANSWERED
    for place, target in book.targets.responses.items():
        here = (first["region"] == place).to_numpy()
        rate = rng.uniform(*RESPONDED)
        in_time |= here & (rng.random(len(first)) < rate)
        if target.responded is not None:
            mine = rng.permutation(np.flatnonzero(here & (month == LAST) & ~np.isnat(due)))
            in_time[mine] = np.arange(len(mine)) < target.responded
        if target.all_disposed:
            silent &= ~here
    quick = complained + part_of(limit - complained, rng.uniform(0.05, 0.95, len(first)))
    slow = limit + part_of(2 * DAY, rng.uniform(0.02, 1, len(first)))
    answered = np.where(in_time, quick, slow)
    answered[~in_time & silent] = NEVER
    first["responded_at"] = np.where(answered < book.exported, answered, NEVER)


def _again(book: Book, first: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return second complaints about cases that are not at a repeat point."""
    able = (first["case"] >= 0) & (first["repeat_point"] < 0)
    own = first[able & (rng.random(len(first)) < COMPLAINED_AGAIN)].copy()
    complained: Times = own["complained_at"].to_numpy(dtype="datetime64[s]")
    later: Times = complained + part_of(6 * DAY, rng.uniform(0.2, 1, len(own)))
    own["complained_at"] = later
    own["response_due_at"] = np.where(own["source"] == HOTLINE,
                                      book.clock.later(later, RESPONSE_S), NEVER)  # fmt: skip
    own["responded_at"] = later + part_of(6 * HOUR, rng.uniform(0.1, 1, len(own)))
    own["first"] = False
    return own[own["responded_at"] < book.exported]


def _call_back(book: Book, complaints: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Call back about two thirds of those who were answered, and all whose case is not known."""
    first = complaints[complaints["first"] & complaints["responded_at"].notna()]
    first = first[first["source"] == HOTLINE]
    parts = [_ask(book, rows, book.targets.responses[str(place)], rng)
             for place, rows in first.groupby("region")]  # fmt: skip
    calls = pd.concat(parts, ignore_index=True)
    twice = calls[(calls["satisfied"] != "") & (rng.random(len(calls)) < CALLED_TWICE)].copy()
    twice["satisfied"] = "否"
    answered, called = (twice[name].to_numpy(dtype="datetime64[s]")
                        for name in ("answered_at", "called_at"))  # fmt: skip
    twice["called_at"] = answered + part_of(called - answered, rng.uniform(0.2, 0.8, len(twice)))
    joined = pd.concat([calls, twice], ignore_index=True)
    return joined.sort_values(["month", "complaint_no", "called_at"], ignore_index=True)


def _ask(
    book: Book, rows: pd.DataFrame, target: ResponseTarget, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the call-backs of a place: who is called, disposed of, satisfied."""
    due = rows["response_due_at"].to_numpy(dtype="datetime64[s]")
    last = book.month_of(due) == LAST
    count = len(rows)
    called = rng.random(count) < CALLED
    satisfied = rng.random(count) < rng.uniform(*SATISFIED)
    if target.satisfied_percent is not None:
        mine = rng.permutation(np.flatnonzero(last))
        number = target.called or _whole(target.satisfied_percent, int(CALLED * len(mine)))
        content = number * target.satisfied_percent // PERCENT
        called[mine] = np.arange(len(mine)) < number
        satisfied[mine] = np.arange(len(mine)) < content
    case = rows["case"].to_numpy()
    end = book.bounds[2]
    done = np.where(case >= 0, book.disposed[case] < end, rng.random(count) < DISPOSED)
    asked = called | (case < 0)
    if target.all_disposed:
        asked |= last & ~done
        done |= last
    answered = rows["responded_at"].to_numpy(dtype="datetime64[s]")
    wait = np.minimum(3 * DAY, book.exported - answered)
    table = pd.DataFrame({
        "complaint_no": rows["complaint_no"].to_numpy(), "month": rows["month"].to_numpy(),
        "answered_at": answered, "disposed": np.where(done, "是", "否"),
        "called_at": answered + part_of(wait, rng.uniform(0.3, 0.98, count)),
        "satisfied": np.where(called, np.where(satisfied, "是", "否"), ""),
    })  # fmt: skip
    return table[asked]


def _whole(percent: int, most: int) -> int:
    """Return the greatest number up to `most` of which the percentage is whole."""
    step = PERCENT // int(np.gcd(percent, PERCENT))
    return most - most % step
