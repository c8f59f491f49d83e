"""Natural breaks are the optimum, and classes keep every place and case (分级)."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridgis.analysis.classify import (
    MAX_DISTINCT,
    ClassTable,
    natural_breaks,
    natural_classes,
)
from gridgis.errors import InputError

HISTOGRAMS = st.dictionaries(st.integers(0, 60), st.integers(1, 50), min_size=1, max_size=9)


def spread(values, weights, bounds):
    """Return the within-class sum of squares of classes with these upper bounds."""
    which = np.searchsorted(bounds, values)
    total = 0.0
    for number in range(len(bounds)):
        x, w = values[which == number], weights[which == number]
        total += float((w * (x - np.average(x, weights=w)) ** 2).sum())
    return total


@settings(max_examples=60, deadline=None)
@given(HISTOGRAMS, st.integers(3, 7))
def test_breaks_are_the_best_of_all(histogram, k):
    """No other way to cut the values has a smaller within-class sum of squares."""
    values = np.array(sorted(v for v in histogram if v > 0), dtype=float)
    if not len(values):
        return
    weights = np.array([histogram[int(v)] for v in values], dtype=float)
    bounds = natural_breaks(values, weights, k)
    size = min(k, len(values))
    best = min(
        spread(values, weights, np.array([*cut, values[-1]]))
        for cut in combinations(values[:-1], size - 1)
    )
    assert spread(values, weights, bounds) == pytest.approx(best, abs=1e-6)


@given(HISTOGRAMS, st.integers(3, 7))
def test_classes_keep_places_and_cases(histogram, k):
    """Zero and the classes hold all places; the classes hold all cases; no class is empty."""
    table = ClassTable.of_counts(sorted(histogram.items()))
    classes = natural_classes(table, k)
    places = sum(histogram.values())
    assert table.empty_places + sum(entry.places for entry in classes) == places
    assert sum(entry.cases for entry in classes) == sum(n * p for n, p in histogram.items())
    assert all(entry.places > 0 and entry.lo < entry.hi for entry in classes)
    assert len(classes) == min(k, len([v for v in histogram if v > 0]))


def test_order_of_the_input_does_not_matter():
    """The same values give the same breaks, however they come."""
    rng = np.random.default_rng(5)
    values = np.unique(rng.integers(1, 500, 80)).astype(float)
    weights = rng.integers(1, 9, len(values)).astype(float)
    shuffled = rng.permutation(len(values))
    expected = natural_breaks(values, weights, 5)
    assert natural_breaks(values[shuffled], weights[shuffled], 5).tolist() == expected.tolist()


def test_many_values_are_binned_and_nearly_as_good():
    """Above a thousand distinct values bins stand for them: at most 2 % worse than the optimum."""
    rng = np.random.default_rng(6)
    values = np.unique(np.round(rng.lognormal(3, 1, 1400), 3))
    weights = np.ones(len(values))
    assert len(values) > MAX_DISTINCT
    binned = natural_breaks(values, weights, 5)
    equal = np.quantile(values, [0.2, 0.4, 0.6, 0.8, 1.0])
    assert binned[-1] == values[-1]
    assert spread(values, weights, binned) < 0.8 * spread(values, weights, equal)


@pytest.mark.parametrize("k", [2, 8])
def test_a_map_has_three_to_seven_classes(k):
    """Another number is refused."""
    with pytest.raises(InputError, match="3 to 7"):
        natural_breaks(np.array([1.0]), np.array([1.0]), k)


def test_nothing_above_zero_has_no_class():
    """A filter without cases leaves the class zero alone."""
    table = ClassTable.of_counts([(0, 12)])
    assert natural_classes(table, 5) == []
    assert table.empty_places == 12
