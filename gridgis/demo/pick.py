"""Random sets of cases whose weights sum to a number exactly (按量抽取)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gridgis.errors import ProfileInvalid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Integers = NDArray[np.int64]
    Booleans = NDArray[np.bool_]
    Floats = NDArray[np.float64]

GIVEN_BACK = 60
"""So many of the last cases drawn may be given back to come out exactly."""


def pick(
    weights: Integers,
    free: Booleans,
    amount: int,
    *,
    rng: np.random.Generator,
    what: str,
    odds: Floats | None = None,
    strata: Integers | None = None,
) -> Integers:
    """
    Return free cases, drawn at random, whose weights sum to the amount exactly.

    Parameters
    ----------
    what : str
        What is picked, for the message.
    odds : array of float, optional
        How readily each case is drawn; all alike by default.
    strata : array of int, optional
        Group of each case: every group gives as much as its size (and odds) say.

    Raises
    ------
    ProfileInvalid
        If no such set is found.
    """
    candidates = np.flatnonzero(free)
    if amount < 0:
        raise ProfileInvalid(f"demo.toml: {what}: {amount:,} is below 0: the targets contradict")
    keys = rng.exponential(size=len(candidates))
    if strata is not None:
        keys = _even(keys, strata[candidates], rng)
    if odds is not None:
        keys /= odds[candidates]
    order = candidates[np.argsort(keys, kind="stable")]
    own = weights[order]
    sums = np.concatenate([[0], np.cumsum(own)])
    drawn = int(np.searchsorted(sums, amount, side="right")) - 1
    for kept in range(drawn, max(-1, drawn - GIVEN_BACK), -1):
        rest = _exactly(own[kept:], amount - int(sums[kept]))
        if rest is not None:
            return np.concatenate([order[:kept], order[kept:][rest]])
    raise ProfileInvalid(
        f"demo.toml: {what}: needs {amount:,}, and the {len(order):,} cases that could be it "
        f"sum to {int(sums[-1]):,}: change the target, the volumes or the weights"
    )


def _even(keys: Floats, strata: Integers, rng: np.random.Generator) -> Floats:
    """Return keys in the same order within each group, spread evenly over it."""
    order = np.lexsort((keys, strata))
    sizes = np.bincount(strata)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(keys))
    rank[order] = np.arange(len(keys)) - starts[strata[order]]
    shift = rng.random(len(sizes))
    return np.asarray((rank + shift[strata]) / sizes[strata], dtype=np.float64)


def _exactly(weights: Integers, amount: int) -> Integers | None:
    """Return positions of weights that sum to a small amount; None if there are none."""
    heaviest = int(weights.max(initial=0))
    useful = [
        int(position)
        for weight in range(1, min(heaviest, amount) + 1)
        for position in np.flatnonzero(weights == weight)[: amount // weight]
    ]
    reached: dict[int, tuple[int, ...]] = {0: ()}
    for position in useful:
        if amount in reached:
            break
        for total, chosen in list(reached.items()):
            more = total + int(weights[position])
            if more <= amount:
                reached.setdefault(more, (*chosen, position))
    return np.array(reached[amount], dtype=np.int64) if amount in reached else None
