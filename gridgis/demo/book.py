"""The accepted cases of the last two months as columns: the ledger is planned on them (底册)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.demo.clock import (
    NEVER,
    Clock,
    Deadlines,
    by_code_and_day,
    calendar_of,
    factorize,
)
from gridgis.errors import ProfileInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.demo.ledger import Ledger
    from gridgis.demo.targets import LedgerTargets
    from gridgis.model.profile import CityProfile

    Texts = NDArray[np.object_]
    Times = NDArray[np.datetime64]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

EARLIER, LAST = 0, 1
"""The month before the last one, and the last one, which is calibrated."""


class Track(IntEnum):
    """How a case leaves the plain way; at most one such way a case (旁支)."""

    PLAIN = 0
    VOID = 1
    ACT_FIRST = 2
    """Disposed of before the owner is known: never dispatched."""
    HAND_BACK = 3
    """Sent back to the dispatcher, once or more often."""
    REWORK = 4
    """A check was not passed: dispatched again."""
    REDONE = 5
    """A check was not passed: disposed of again by the same body."""
    REOPENED = 6
    EXTENDED = 7
    SUSPENDED = 8


class Fate(IntEnum):
    """When a case is closed, seen from its deadline (结案情况)."""

    IN_TIME = 0
    LATE = 1
    """After the deadline, in the same month."""
    NEXT = 2
    """In the month after that of the deadline."""
    OPEN = 3
    """Not before the end of the last month."""


@dataclass(slots=True)
class Log:
    """Events that a row a case does not hold, in parts (操作日志)."""

    parts: list[pd.DataFrame] = field(default_factory=list)

    def add(self, cases: Integers, stage: str, at: Times, **beside: object) -> None:
        """Add one event of some cases, with what stands beside it: due_at, result, note."""
        part = pd.DataFrame({"case": cases, "stage": stage, "at": at, **beside})
        self.parts.append(part[part["at"].notna()])


@dataclass(slots=True)
class Book:
    """Columns over the accepted cases of two months (底册)."""

    targets: LedgerTargets
    clock: Clock
    limits: Deadlines
    bounds: tuple[np.datetime64, np.datetime64, np.datetime64]
    """Start of the month before the last, of the last, and its end."""
    exported: np.datetime64
    month: Integers
    row: Integers
    """Position in the rows of the case's month."""
    case_no: Texts
    region: Texts
    tier: Texts
    source: Texts
    code: Texts
    type: Texts
    weight: Integers
    repeat_point: Integers
    reported: Times
    filed: Times
    stated_due: Times
    """Deadline that the filing set."""
    due: Times
    """Deadline after extensions and suspensions."""
    dispatched: Times
    """First dispatch."""
    disposed: Times
    """Last disposal, check and closing."""
    checked: Times
    closed: Times
    disposed_before: Times
    """Disposal and check that another one was to follow."""
    checked_before: Times
    track: Integers
    fate: Integers
    suspended_at: Times
    resumed_at: Times
    log: Log = field(default_factory=Log)
    _codes: dict[str, tuple[Integers, dict[str, int]]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of cases."""
        return len(self.weight)

    def where(self, **values: str) -> Booleans:
        """Return which cases have the values: region, tier, source, type or code."""
        chosen = np.ones(len(self), dtype=bool)
        for name, value in values.items():
            if name not in self._codes:
                codes, names = factorize(getattr(self, name))
                self._codes[name] = (codes, {text: at for at, text in enumerate(names)})
            codes, places = self._codes[name]
            chosen &= codes == places.get(value, -1)
        return chosen

    def places(self) -> list[str]:
        """Return all regions and rests of the cases, sorted."""
        return sorted(set(self.region))

    def base_cases(self, chosen: Booleans) -> int:
        """Return the sum of the weights of some cases."""
        return int(self.weight[chosen].sum())

    def month_of(self, times: Times) -> Integers:
        """Return EARLIER, LAST or what is later, for each time; -1 before both."""
        passed = [(times >= bound).astype(np.int64) for bound in self.bounds]
        return np.asarray(sum(passed) - 1, dtype=np.int64)

    @property
    def live(self) -> Booleans:
        """Cases that are not void."""
        return np.asarray(self.track != Track.VOID, dtype=bool)


def make_book(profile: CityProfile, targets: LedgerTargets, ledgers: tuple[Ledger, Ledger]) -> Book:
    """Lay out the accepted cases of two months; nothing is decided about them yet."""
    parts = [ledger.rows[~ledger.rows["self_handled"].to_numpy()] for ledger in ledgers]
    rows = pd.concat(parts)
    tiers = {source.code: source.tier for source in profile.sources}
    filed = rows["filed_at"].to_numpy().astype("datetime64[s]")
    code = rows["subcategory_code"].to_numpy(dtype=object)
    rules, at = by_code_and_day(code, filed, profile.ledger.rule)
    if any(kind is None or weight % 1 for kind, weight in rules):
        raise ProfileInvalid(
            "a demo ledger needs an assessment type and a whole weight for every subcategory: "
            "complete assessment.csv and weights.csv"
        )
    clock = Clock(calendar_of(profile.ledger), profile.time_zone)
    limits = Deadlines(profile.ledger, clock, code, filed)
    due = limits.of("dispose", filed)
    start = np.datetime64(ledgers[EARLIER].month, "M")
    count = len(rows)
    return Book(
        targets=targets, clock=clock, limits=limits,
        bounds=(start.astype("datetime64[s]"), (start + 1).astype("datetime64[s]"),
                (start + 2).astype("datetime64[s]")),
        exported=np.datetime64(targets.exported, "s"),
        month=np.repeat([EARLIER, LAST], [len(part) for part in parts]),
        row=rows.index.to_numpy(), case_no=rows["case_no"].to_numpy(dtype=object),
        region=rows["region"].to_numpy(dtype=object),
        tier=rows["source"].map(tiers).to_numpy(dtype=object),
        source=rows["source"].to_numpy(dtype=object), code=code,
        type=np.array([kind for kind, _ in rules], dtype=object)[at],
        weight=np.array([int(weight) for _, weight in rules], dtype=np.int64)[at],
        repeat_point=rows["repeat_point"].to_numpy(),
        reported=rows["reported_at"].to_numpy().astype("datetime64[s]"), filed=filed,
        stated_due=due, due=due.copy(), dispatched=_never(count), disposed=_never(count),
        checked=_never(count), closed=_never(count), disposed_before=_never(count),
        checked_before=_never(count), track=np.zeros(count, dtype=np.int64),
        fate=np.zeros(count, dtype=np.int64), suspended_at=_never(count),
        resumed_at=_never(count),
    )  # fmt: skip


def _never(count: int) -> Times:
    return np.full(count, NEVER)
