"""Which region, source and subcategory the cases of a month have: exact margins (案件构成)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.demo.pick import pick
from gridgis.demo.spec import CITIZENS, HOTLINE
from gridgis.demo.targets import CROSS_AREA, UNLOCATED
from gridgis.errors import ProfileInvalid

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gridgis.demo.spec import DemoSpec, Mix
    from gridgis.model.profile import CityProfile

    Texts = NDArray[np.object_]
    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]

SUPERVISORS = {"city_supervisor": 0.3, "district_supervisor": 0.7}
"""Who repairs trifles on the spot, and how often."""
HEAVY = 2
"""How much more readily heavy cases are brought into a region whose mix asks for them."""
MORE = 1.3
"""Hotline cases that cross areas, against their responses due."""


def vary(spec: DemoSpec, rng: np.random.Generator) -> DemoSpec:
    """Return the margins of another month: every count a few percent off."""

    def near(number: float) -> float:
        return number * float(rng.uniform(0.93, 1.07))

    accepted = {source: max(1, round(near(count))) for source, count in spec.accepted.items()}
    self_handled = round(near(spec.self_handled))
    wanted = [near(count) for count in spec.places.values()]
    total = sum(accepted.values()) + self_handled
    places = dict(zip(spec.places, largest_remainder(wanted, total), strict=True))
    return replace(
        spec, accepted=accepted, self_handled=self_handled,
        regions={code: places[code] for code in spec.regions},
        unlocated=places[UNLOCATED], cross_area=places[CROSS_AREA],
        top_shares={code: share * float(rng.uniform(0.97, 1.03))
                    for code, share in spec.top_shares.items()},
        volumes={code: near(volume) for code, volume in spec.volumes.items()},
        repeat_points=tuple(
            replace(point, cases=max(3, int(point.cases * rng.uniform(0.4, 1.1))))
            for point in spec.repeat_points
        ),
    )  # fmt: skip


def draw_margins(profile: CityProfile, spec: DemoSpec, rng: np.random.Generator) -> pd.DataFrame:
    """Draw region, source, repeat point and subcategory of every case of a month."""
    rows = _places(spec, rng)
    _mark_repeat_points(spec, rows, rng)
    _set_categories(profile, spec, rows, rng)
    return rows


# ------------------------------------------------------------- places and sources


def _places(spec: DemoSpec, rng: np.random.Generator) -> pd.DataFrame:
    """Cross sources and regions: self-handled and hotline cases as stated, the rest at random."""
    taken_in = repeat(spec.accepted)
    own = rng.choice(list(SUPERVISORS), spec.self_handled, p=list(SUPERVISORS.values()))
    source = np.concatenate([taken_in, own.astype(object)])
    self_handled = np.arange(len(source)) >= len(taken_in)
    hotline = (source == HOTLINE) & ~self_handled
    stated = {"self_handled": _self_handled(spec), HOTLINE: _hotline(spec)}
    left = {place: count - sum(part[place] for part in stated.values())
            for place, count in spec.places.items()}  # fmt: skip
    short = [place for place, count in left.items() if count < 0]
    if short:
        raise ProfileInvalid(
            f"demo.toml: more self-handled and hotline cases than cases in {', '.join(short)}"
        )
    region = np.empty(len(source), dtype=object)
    for rows, part in ((self_handled, stated["self_handled"]), (hotline, stated[HOTLINE]),
                       (~self_handled & ~hotline, left)):  # fmt: skip
        region[rows] = rng.permutation(repeat(part))
    return pd.DataFrame({"region": region, "source": source, "self_handled": self_handled})


def _self_handled(spec: DemoSpec) -> dict[str, int]:
    """Return self-handled cases of every place: by share where one is stated, else by size."""
    stated = {code: round(share * spec.places[code])
              for code, share in spec.self_handled_shares.items()}  # fmt: skip
    others = {code: count for code, count in spec.places.items() if code not in stated}
    left = spec.self_handled - sum(stated.values())
    if left < 0:
        raise ProfileInvalid("demo.toml: self_handled_shares are more than self_handled")
    by_size = largest_remainder(others.values(), left)
    return {**stated, **dict(zip(others, by_size, strict=True))}


def _hotline(spec: DemoSpec) -> dict[str, int]:
    """Return hotline cases of every place, in proportion to its complaints due for a response."""
    due = {place: float(spec.ledger.responses[place].due) for place in spec.places}
    due[CROSS_AREA] *= MORE  # a complaint that became no case names one region or none
    counts = largest_remainder(due.values(), spec.accepted[HOTLINE])
    return dict(zip(spec.places, counts, strict=True))


def _mark_repeat_points(spec: DemoSpec, rows: pd.DataFrame, rng: np.random.Generator) -> None:
    """Mark citizens' cases of a region as those of its repeat points."""
    citizens = rows["source"].isin(CITIZENS).to_numpy()
    region = rows["region"].to_numpy()
    mark = np.full(len(rows), -1)
    for number, point in enumerate(spec.repeat_points):
        mine = np.flatnonzero(citizens & (mark < 0) & (region == point.region))
        if len(mine) < point.cases:
            raise ProfileInvalid(
                f"demo.toml: {point.name}: {point.cases} citizens' cases, {point.region} has "
                f"{len(mine)}"
            )
        mark[rng.choice(mine, point.cases, replace=False)] = number
    rows["repeat_point"] = mark


# -------------------------------------------------------------------- subcategories


def _set_categories(
    profile: CityProfile, spec: DemoSpec, rows: pd.DataFrame, rng: np.random.Generator
) -> None:
    """Give exact counts to every subcategory; self-handled cases are trifles."""
    counts = _category_counts(profile, spec, len(rows))
    codes = np.full(len(rows), "", dtype=object)
    marks = rows["repeat_point"].to_numpy()
    for number, point in enumerate(spec.repeat_points):
        codes[marks == number] = point.subcategory
        counts[point.subcategory] -= int((marks == number).sum())
    own = np.flatnonzero(rows["self_handled"].to_numpy())
    light = repeat({code: count for code, count in counts.items() if code in spec.light})
    if len(light) < len(own):
        raise ProfileInvalid(
            f"demo.toml: {len(own):,} self-handled cases, but {len(light):,} of light subcategories"
        )
    codes[own] = rng.choice(light, len(own), replace=False)
    for code, count in zip(*np.unique(codes[own].astype(str), return_counts=True), strict=True):
        counts[str(code)] -= int(count)
    left = np.flatnonzero(codes == "")
    codes[left] = rng.permutation(repeat(counts))
    rows["subcategory_code"] = codes


def _category_counts(profile: CityProfile, spec: DemoSpec, total: int) -> dict[str, int]:
    """Divide events and components by the stated shares, the rest of each by volume."""
    events = round(total * spec.event_share)
    counts: dict[str, int] = {}
    for kind, size in (("event", events), ("component", total - events)):
        codes = [c.code for c in profile.categories
                 if c.kind == kind and not c.code.startswith(spec.excluded)]  # fmt: skip
        tops = {code: round(size * spec.top_shares[code]) for code in codes
                if code in spec.top_shares}  # fmt: skip
        rest = [code for code in codes if code not in tops]
        volumes = [spec.volumes.get(code, spec.other_volume) for code in rest]
        divided = largest_remainder(volumes, size - sum(tops.values()))
        counts |= tops | dict(zip(rest, divided, strict=True))
    return counts


# -------------------------------------------------------------------------- mix


@dataclass(frozen=True, slots=True)
class _Cases:
    """Subcategory, type and weight of the cases of a month."""

    codes: Texts
    types: Texts
    weights: Integers

    def swap(self, one: Integers, other: Integers) -> None:
        """Exchange the subcategories of two sets of cases."""
        for column in (self.codes, self.types, self.weights):
            column[one], column[other] = column[other], column[one]


def set_mix(
    profile: CityProfile, spec: DemoSpec, rows: pd.DataFrame, month: str, rng: np.random.Generator
) -> None:
    """Swap subcategories between regions until the stated ones have their base cases (构成)."""
    day = np.datetime64(f"{month}-01", "D").item()
    codes = rows["subcategory_code"].to_numpy(dtype=object, copy=True)
    rules = {code: profile.ledger.rule(code, day) for code in set(codes)}
    cases = _Cases(
        codes, np.array([rules[code][0] or "" for code in codes], dtype=object),
        np.array([int(rules[code][1]) for code in codes], dtype=np.int64),
    )  # fmt: skip
    region = rows["region"].to_numpy()
    free = ~rows["self_handled"].to_numpy() & (rows["repeat_point"].to_numpy() < 0)
    outside = free & ~rows["region"].isin([mix.region for mix in spec.mix]).to_numpy()
    for mix in spec.mix:
        here = free & (region == mix.region)
        (_lift if mix.type else _lighten)(cases, mix, here, outside, rng)
    rows["subcategory_code"] = cases.codes


def _lift(
    cases: _Cases, mix: Mix, here: Booleans, outside: Booleans, rng: np.random.Generator
) -> None:
    """Bring cases of a type into a region, for cases of other types."""
    own = cases.types == mix.type
    short = mix.base_cases - int(cases.weights[here & own].sum())
    taken = pick(cases.weights, outside & own, max(0, short), rng=rng,
                 odds=cases.weights.astype(np.float64) ** (HEAVY if mix.heavy else 0),
                 what=f"mix of {mix.region}: {mix.type}")  # fmt: skip
    cases.swap(_some(here & ~own, len(taken), rng), taken)


def _lighten(
    cases: _Cases, mix: Mix, here: Booleans, outside: Booleans, rng: np.random.Generator
) -> None:
    """Bring cases of weight 1 into a region, for its heaviest ones."""
    mine = rng.permutation(np.flatnonzero(here))
    heavy = mine[np.argsort(-cases.weights[mine], kind="stable")]
    saved = np.cumsum(cases.weights[heavy] - 1)
    excess = int(cases.weights[mine].sum()) - mix.base_cases
    count = min(int(np.searchsorted(saved, excess)) + 1, len(heavy)) if excess > 0 else 0
    cases.swap(heavy[:count], _some(outside & (cases.weights == 1), count, rng))


def _some(free: Booleans, count: int, rng: np.random.Generator) -> Integers:
    candidates = np.flatnonzero(free)
    if count > len(candidates):
        raise ProfileInvalid(
            f"demo.toml: [[mix]]: {count:,} cases to exchange, there are {len(candidates):,}"
        )
    return rng.choice(candidates, count, replace=False)


# ------------------------------------------------------------------------ helpers


def repeat(counts: dict[str, int]) -> Texts:
    """Return every key as often as its count says."""
    return np.repeat(np.array(list(counts), dtype=object), list(counts.values()))


def largest_remainder(weights: Iterable[float], total: int) -> list[int]:
    """Split a total by weights into whole numbers that sum to it."""
    parts = np.array(list(weights), dtype=np.float64)
    exact = parts / parts.sum() * total
    whole = np.floor(exact).astype(int)
    short = total - int(whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:short]] += 1
    return [int(value) for value in whole]
