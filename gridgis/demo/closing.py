"""
Which cases fall due when, and which are closed in time, late or not at all (结案安排).

Sets are drawn at random, region by region and type by type as the targets say, and their base
cases sum to the targets exactly.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import numpy as np

from gridgis.demo.book import EARLIER, LAST, Fate, Track
from gridgis.demo.clock import factorize
from gridgis.demo.pick import pick
from gridgis.errors import ProfileInvalid

if TYPE_CHECKING:
    from collections.abc import Iterator
    from fractions import Fraction

    from numpy.typing import NDArray

    from gridgis.demo.book import Book
    from gridgis.demo.targets import CellTarget, GapTarget, RegionTarget, TierTarget

    Booleans = NDArray[np.bool_]
    Integers = NDArray[np.int64]
    Floats = NDArray[np.float64]

HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
CARRIED_OPEN = 0.68
"""Of the base cases carried over, the part that stays open, where the targets allow it."""
CAREFUL = 0.15
"""How readily cases of regions that close (almost) all are carried over, against others."""
LATER_OPEN = 0.04
"""Of cases due after the last month, those that stay open."""
REACH_DAYS = 5
"""Deadlines of so many last working days are extended into the next month if need be."""
SLACK = 0.05
"""How far the rate of a tier stays above its bound in the month before."""
FALL = 0.12
"""How far it falls below its bound in the last month."""
CROWD = 100
"""Base cases of a type in a region from which cases are left open: fewer make odd rates."""


def plan_closing(book: Book, rng: np.random.Generator) -> None:
    """
    Decide deadline and fate of every case.

    Raises
    ------
    ProfileInvalid
        If the cases cannot meet a target.
    """
    draw_tracks(book, rng)
    closing = Closing(book, rng)
    closing.settle_due()
    closing.carry_over()
    closing.leave_open()
    closing.close_late()
    closing.write()


def draw_tracks(book: Book, rng: np.random.Generator) -> None:
    """Draw which cases are void, act first, are extended or suspended, and move deadlines."""
    shares = book.targets.tracks
    odds = {Track.VOID: shares.void, Track.ACT_FIRST: shares.act_first,
            Track.EXTENDED: shares.extended, Track.SUSPENDED: shares.suspended}  # fmt: skip
    drawn = rng.choice(np.array([Track.PLAIN, *odds]), len(book),
                       p=[1 - sum(odds.values()), *odds.values()])  # fmt: skip
    book.track = np.where(book.repeat_point < 0, drawn, Track.PLAIN)
    _suspend(book, rng)
    book.track[(book.track == Track.EXTENDED) & (book.stated_due >= book.exported - DAY)] = 0
    own = np.flatnonzero(book.track == Track.EXTENDED)
    days = rng.integers(1, 4, len(own))
    book.due[own] = book.clock.later(book.stated_due[own], days * book.clock.day_s)


def _suspend(book: Book, rng: np.random.Generator) -> None:
    """Let the clock of some cases rest; their deadline moves by as long."""
    own = np.flatnonzero(book.track == Track.SUSPENDED)
    limit = book.stated_due[own] - book.filed[own]
    since = book.filed[own] + (limit * rng.uniform(0.15, 0.4, len(own))).astype("timedelta64[s]")
    length = rng.integers(6 * 3600, 8 * 86400, len(own)).astype("timedelta64[s]")
    fits = since + length < book.exported - DAY
    book.track[own[~fits]] = Track.PLAIN
    own, since, length = own[fits], since[fits], length[fits]
    book.suspended_at[own], book.resumed_at[own] = since, since + length
    book.due[own] = book.stated_due[own] + length


@dataclass(slots=True)
class Closing:
    """The sets behind the closing figures of the last month (结案集合)."""

    book: Book
    rng: np.random.Generator
    now: Booleans = field(init=False)
    """Due in the last month."""
    before: Booleans = field(init=False)
    """Due in the month before."""
    carried: Booleans = field(init=False)
    unclosed: Booleans = field(init=False)
    late: Booleans = field(init=False)
    neglect: Floats = field(init=False)
    """How readily cases of a region stay behind."""
    strata: Integers = field(init=False)
    """Region and tier of each case, as one number."""

    def __post_init__(self) -> None:
        """Start with no case carried over, open or late."""
        book = self.book
        month = book.month_of(book.due)
        self.now = book.live & (month == LAST)
        self.before = book.live & (month == EARLIER)
        self.carried, self.unclosed, self.late = (np.zeros(len(book), bool) for _ in range(3))
        self.neglect = np.ones(len(book))
        for place in book.places():
            self.neglect[book.where(region=place)] = self.rng.uniform(0.85, 1.15)
        tier_at, tiers = factorize(book.tier)
        self.strata = factorize(book.region)[0] * len(tiers) + tier_at

    def write(self) -> None:
        """Write the sets down as fates of the cases."""
        book = self.book
        later = book.month_of(book.due) > LAST
        forgotten = later & (self.rng.random(len(book)) < LATER_OPEN)
        book.fate[self.late] = Fate.LATE
        book.fate[self.carried] = Fate.NEXT
        book.fate[self.unclosed | forgotten] = Fate.OPEN

    # ------------------------------------------------------------------ due

    def settle_due(self) -> None:
        """Extend deadlines into the next month until what is due sums to the targets."""
        book, targets = self.book, self.book.targets
        fixed = np.zeros(len(book), dtype=bool)
        wide = book.due >= book.bounds[LAST] + 9 * DAY
        for gap, chosen, step, what in self._gap_cells():
            whole = self._sum(self.now & chosen)
            if whole < step.denominator:
                raise ProfileInvalid(
                    f"demo.toml: {what}: {whole} base cases are too few for a share of {step}: "
                    f"lift {gap.type} in {gap.region} by a [[mix]]"
                )
            self._extend(chosen & wide, whole % step.denominator, what)
            fixed |= chosen
        for target in targets.regions:
            if target.cumulative is not None:
                chosen = book.where(region=target.region)
                due = target.cumulative - (target.carried or 0)
                self._extend(chosen & wide, self._sum(self.now & chosen) - due,
                             f"cumulative of {target.region}")  # fmt: skip
                fixed |= chosen
        end = book.clock.worked(np.array([book.bounds[2]]))
        edge = book.clock.after(end - REACH_DAYS * book.clock.day_s)[0]
        for code, own in targets.types.items():
            chosen = book.where(type=code)
            self._extend(chosen & ~fixed & (book.due >= edge),
                         self._sum(self.now & chosen) - own.due, f"due of {code}")  # fmt: skip

    def _extend(self, chosen: Booleans, amount: int, what: str) -> None:
        """Extend deadlines of some cases of this month by whole working days, past its end."""
        book, clock = self.book, self.book.clock
        free = chosen & self.now & (book.track == Track.PLAIN)
        cases = pick(book.weight, free, amount, rng=self.rng, what=what)
        worked = clock.worked(book.due[cases])
        days = (clock.worked(np.array([book.bounds[2]])) - worked) // clock.day_s + 1
        book.due[cases] = clock.after(worked + days * clock.day_s)
        book.track[cases] = Track.EXTENDED
        self.now[cases] = False

    # --------------------------------------------------------- carried over

    def carry_over(self) -> None:
        """Draw the cases that were due in the month before and open at its end."""
        book, targets = self.book, self.book.targets
        fixed = np.zeros(len(book), dtype=bool)
        for gap in targets.gaps:
            fixed |= book.where(region=gap.region, tier=gap.tier)
        for cell in targets.cells:
            if cell.carried is not None:
                chosen, tier = self._cell(cell), self._tier(cell)
                fixed |= chosen
                own = self._tier_carried(tier, chosen) if tier else 0
                for part, amount in self._by_tier(chosen & self.before, tier, cell.carried, own):
                    self._add(self.carried, part, amount, f"carried of {cell.region} {cell.type}")
        for target in targets.regions:
            if target.carried is not None:
                chosen = book.where(region=target.region)
                fixed |= chosen
                self._add(self.carried, self._crowded(chosen & self.before), target.carried,
                          f"carried of {target.region}")  # fmt: skip
        age = np.clip((book.bounds[LAST] - book.due) / DAY, 0, 40)
        odds = self.neglect * (np.exp(-age / 10) + 0.02)
        for target in targets.regions:  # most of what is carried over stays open, but not here
            odds[book.where(region=target.region)] *= CAREFUL
        for code, whole in targets.types.items():
            chosen = book.where(type=code)
            self._add(self.carried, chosen & self.before & ~fixed,
                      whole.carried - self._sum(self.carried & chosen), f"carried of {code}",
                      odds)  # fmt: skip

    def _tier_carried(self, tier: TierTarget, chosen: Booleans) -> int:
        """Return the base cases of a tier that may be carried over: its rate was high before."""
        due = self._sum(chosen & self.before & self.book.where(tier=tier.tier))
        return int((1 - tier.before_above / 100 - SLACK) * due)

    # ------------------------------------------------------------- unclosed

    def leave_open(self) -> None:
        """Draw the cases that are open at the end of the last month."""
        book, targets = self.book, self.book.targets
        fixed = np.zeros(len(book), dtype=bool)
        for _, chosen, share, what in self._gap_cells():
            fixed |= chosen
            self._add(self.unclosed, chosen & self.now, int(self._sum(chosen & self.now) * share),
                      what)  # fmt: skip
        for cell in targets.cells:
            if cell.unclosed is not None:
                fixed |= self._cell(cell)
                self._leave_cell_open(cell, cell.unclosed)
        for target in targets.regions:
            amount = self._region_unclosed(target)
            if amount is not None:
                chosen = book.where(region=target.region)
                fixed |= chosen
                what = f"unclosed of {target.region}"
                self._add(self.unclosed, chosen & self.carried, target.carried_open, what)
                self._add(self.unclosed, self._crowded(chosen & self.now),
                          amount - target.carried_open, what)  # fmt: skip
        for code in targets.types:
            self._leave_type_open(code, ~fixed)

    def _leave_cell_open(self, cell: CellTarget, unclosed: int) -> None:
        chosen, tier, what = self._cell(cell), self._tier(cell), f"{cell.region} {cell.type}"
        old, fresh = cell.carried_open, unclosed - cell.carried_open
        own_old = own_fresh = 0
        if tier:
            mine = chosen & self.book.where(tier=tier.tier)
            whole = self._sum(mine & (self.now | self.carried))
            own_old = min(old, self._sum(mine & self.carried))
            own_fresh = round((1 - tier.below / 100 + FALL) * whole) - own_old
        for part, amount in self._by_tier(chosen & self.carried, tier, old, own_old):
            self._add(self.unclosed, part, amount, f"carried_open of {what}")
        for part, amount in self._by_tier(chosen & self.now, tier, fresh, own_fresh):
            self._add(self.unclosed, part, amount, f"unclosed of {what}")

    def _leave_type_open(self, code: str, free: Booleans) -> None:
        """Leave as many cases open as the type still lacks, old ones and ones due now."""
        own, chosen = self.book.targets.types[code], self.book.where(type=code)
        old, fresh = (self._sum(self.unclosed & chosen & part) for part in (self.carried, self.now))
        least = max(own.unclosed - own.overdue, old)
        most = min(own.carried, own.unclosed - fresh)
        total = min(max(round(CARRIED_OPEN * own.carried), least), most)
        for part, amount in ((self.carried, total - old), (self.now, own.unclosed - total - fresh)):
            self._add(self.unclosed, chosen & part & free, amount, f"unclosed of {code}",
                      self.neglect)  # fmt: skip

    def _crowded(self, here: Booleans) -> Booleans:
        """Return those of some cases that are of types of which there are many among them."""
        many = np.zeros(len(self.book), dtype=bool)
        for code in self.book.targets.types:
            own = here & self.book.where(type=code)
            if self._sum(own) >= CROWD:
                many |= own
        return many

    def _region_unclosed(self, target: RegionTarget) -> int | None:
        if target.closure_percent is None:
            return target.unclosed
        here = self.book.where(region=target.region)
        whole, rate = self._sum(here & (self.now | self.carried)), Decimal(target.closure_percent)
        amount = int((whole * (100 - rate) / 100).to_integral_value(ROUND_HALF_UP))
        if (Decimal(100 * (whole - amount)) / whole).quantize(rate, ROUND_HALF_UP) != rate:
            raise ProfileInvalid(f"demo.toml: {target.region}: no part of {whole} is {rate} %")
        return amount

    # ----------------------------------------------------------------- late

    def close_late(self) -> None:
        """Draw the cases that are closed after their deadline but in its month."""
        book, targets = self.book, self.book.targets
        able = self.now & ~self.unclosed & (book.due < book.bounds[2] - 2 * HOUR)
        fixed = np.zeros(len(book), dtype=bool)
        for cell in targets.cells:
            chosen, overdue = self._cell(cell), cell.overdue
            if cell.overdue_percent is not None:
                overdue = (self._sum(chosen & self.now) * cell.overdue_percent + 50) // 100
            if overdue is not None:
                fixed |= chosen
                self._add(self.late, chosen & able, overdue - self._open_now(chosen),
                          f"overdue of {cell.region} {cell.type}")  # fmt: skip
        for code, own in targets.types.items():
            chosen = book.where(type=code)
            short = own.overdue - self._open_now(chosen) - self._sum(self.late & chosen)
            self._add(self.late, chosen & able & ~fixed, short, f"overdue of {code}", self.neglect)
        past = self.before & ~self.carried & (book.due < book.bounds[LAST] - 2 * HOUR)
        self.late |= past & (self.rng.random(len(book)) < targets.late_before)

    def _open_now(self, chosen: Booleans) -> int:
        return self._sum(chosen & self.now & self.unclosed)

    # -------------------------------------------------------------- helpers

    def _sum(self, chosen: Booleans) -> int:
        return self.book.base_cases(chosen)

    def _add(
        self, into: Booleans, free: Booleans, amount: int, what: str, odds: Floats | None = None
    ) -> None:
        """Draw free cases into a set, of an exact sum."""
        drawn = pick(self.book.weight, free & ~into, amount, rng=self.rng, what=what, odds=odds,
                     strata=self.strata)  # fmt: skip
        into[drawn] = True

    def _cell(self, cell: CellTarget) -> Booleans:
        return self.book.where(region=cell.region, type=cell.type)

    def _tier(self, cell: CellTarget) -> TierTarget | None:
        own = [tier for tier in self.book.targets.tiers
               if (tier.region, tier.type) == (cell.region, cell.type)]  # fmt: skip
        return own[0] if own else None

    def _by_tier(
        self, chosen: Booleans, tier: TierTarget | None, amount: int, own: int
    ) -> list[tuple[Booleans, int]]:
        """Split an amount between the cases of a tier and the others."""
        if tier is None:
            return [(chosen, amount)]
        mine = self.book.where(tier=tier.tier)
        return [(chosen & mine, min(own, amount)), (chosen & ~mine, amount - min(own, amount))]

    def _gap_cells(self) -> Iterator[tuple[GapTarget, Booleans, Fraction, str]]:
        """Yield each gap's cases of the type and of the other types, and the share unclosed."""
        for gap in self.book.targets.gaps:
            here = self.book.where(region=gap.region, tier=gap.tier)
            own = self.book.where(type=gap.type)
            what = f"{gap.region} {gap.tier}"
            yield gap, here & own, gap.own, f"{what} {gap.type}"
            yield gap, here & ~own, gap.others, f"{what}, types other than {gap.type}"
