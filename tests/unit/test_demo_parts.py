"""Parts of the demo generator: working time, and sets that sum to a number exactly."""

from datetime import date, datetime, time, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgis.demo.clock import Clock
from gridgis.demo.margins import largest_remainder
from gridgis.demo.pick import pick
from gridgis.errors import ProfileInvalid
from gridgis.model.rules import WorkCalendar

CALENDAR = WorkCalendar(
    (2024,), ((time(9), time(12)), (time(13), time(17))),
    {date(2024, 10, 1): "holiday", date(2024, 10, 12): "workday"},
)  # fmt: skip
MINUTE = timedelta(minutes=1)


def counted(start, minutes):
    """Return when so many working minutes are over, counted minute by minute."""
    moment = start
    while minutes:
        inside = any(first <= moment.time() < last for first, last in CALENDAR.hours)
        moment += MINUTE
        minutes -= inside and CALENDAR.is_working((moment - MINUTE).date())
    return moment


@given(
    start=st.datetimes(datetime(2024, 9, 27), datetime(2024, 10, 16)),  # noqa: DTZ001 - local
    minutes=st.integers(1, 3000),
)
def test_working_time_is_what_counting_minutes_gives(start, minutes):
    """Holidays, make-up days, nights and noons do not count."""
    start = start.replace(second=0, microsecond=0)
    clock = Clock(CALENDAR, "Asia/Shanghai")
    times = np.array([start], dtype="datetime64[s]")
    assert clock.day_s == 7 * 3600
    assert clock.later(times, minutes * 60)[0] == np.datetime64(counted(start, minutes), "s")


@given(weights=st.lists(st.integers(1, 6), min_size=1, max_size=60), seed=st.integers(0, 99))
def test_a_picked_set_sums_exactly_whenever_a_greedy_one_could(weights, seed):
    """With enough cases of weight 1 every amount is reached, from free cases only."""
    weights = np.array([*weights, 1, 1, 1, 1, 1, 1])
    free = np.arange(len(weights)) % 7 != 0
    free[-6:] = True
    rng = np.random.default_rng(seed)
    amount = int(rng.integers(0, weights[free].sum() + 1))
    chosen = pick(weights, free, amount, rng=rng, what="test")
    assert weights[chosen].sum() == amount
    assert free[chosen].all()
    assert len(set(chosen)) == len(chosen)


@pytest.mark.parametrize(
    ("amount", "said"), [(7, "needs 7, and the 3 cases"), (-1, "-1 is below 0"), (99, "sum to 18")]
)
def test_what_cannot_be_picked_is_named(amount, said):
    """The message tells what is needed and what there is."""
    weights, free = np.array([6, 6, 6, 1]), np.array([True, True, True, False])
    with pytest.raises(ProfileInvalid, match=f"unclosed of x.*{said}"):
        pick(weights, free, amount, rng=np.random.default_rng(1), what="unclosed of x")


@given(st.lists(st.floats(0.1, 1e6), min_size=1, max_size=30), st.integers(0, 10**6))
def test_a_divided_total_is_whole_and_complete(weights, total):
    """Parts sum to the total and are off by less than one."""
    parts = largest_remainder(weights, total)
    assert sum(parts) == total
    exact = np.array(weights) / sum(weights) * total
    assert np.abs(np.array(parts) - exact).max() < 1 + 1e-6


@given(seed=st.integers(0, 99), amount=st.integers(0, 400))
def test_groups_give_as_much_as_their_size_says(seed, amount):
    """Drawn evenly, no group gives more than one case beyond its share."""
    strata = np.repeat([0, 1, 2, 5], [200, 100, 60, 40])
    weights, free = np.ones(400, dtype=np.int64), np.ones(400, dtype=bool)
    rng = np.random.default_rng(seed)
    chosen = pick(weights, free, amount, rng=rng, what="test", strata=strata)
    shares = np.bincount(strata[chosen], minlength=6) - amount * np.bincount(strata) / 400
    assert len(chosen) == amount
    assert np.abs(shares).max() < 2
