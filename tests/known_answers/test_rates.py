"""Shares and rates to the printed digit (比率的已知答案)."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgis.analysis.density import density_per_km2
from gridgis.errors import GeometryError, UnitMismatch
from gridgis.model.measure import NO_RATE, Count, Rate, Unit, hundredths, percent_text

REPORT = [
    # numerator, denominator, printed in the report of November 2024
    (37664, 142390, "26.45"),
    (19473, 142390, "13.68"),
    (11539, 17788, "64.87"),
    (2112, 17788, "11.87"),
    (512, 4776, "10.72"),
    (363, 4776, "7.60"),
    (23612, 24314, "97.11"),
    (25158 - 4782, 25158, "80.99"),
    (462, 489, "94.48"),
    (494, 494, "100.00"),
    (8470, 9401, "90.10"),
    (7658, 8775, "87.27"),
    (64452, 166595, "38.69"),
    (96955, 166595, "58.20"),
]
TIES = [
    # exact ties: binary rounding or half-even would print the lower one
    (1, 800, "0.13"),  # 0.125
    (201, 20000, "1.01"),  # 1.005
    (3, 800, "0.38"),  # 0.375
    (1, 160, "0.63"),  # 0.625
]


@pytest.mark.parametrize(("part", "whole", "printed"), [*REPORT, *TIES])
def test_percent_is_exact_and_half_up(part, whole, printed):
    """Two decimals, trailing zeros kept, ties upwards."""
    assert percent_text(Rate(Unit.CASES, part, whole)) == printed


def test_percent_of_nothing_is_a_dash():
    """0 of 0 is no rate, and never 0 % or NaN."""
    rate = Rate(Unit.CASES, 0, 0)
    assert (percent_text(rate), rate.value) == (NO_RATE, None)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_percent_is_within_half_a_hundredth(part, whole):
    """The printed share differs from the exact one by at most 0.005, ties upwards."""
    printed = Fraction(percent_text(Rate(Unit.CASES, part, whole)))
    assert -Fraction(1, 200) <= Fraction(100 * part, whole) - printed < Fraction(1, 200)


def test_rates_keep_their_unit():
    """A share of cases in tasks has no meaning."""
    cases, tasks = Count(Unit.CASES, 1), Count(Unit.TASKS, 2)
    assert Rate.of(cases, Count(Unit.CASES, 4)).value == 0.25
    with pytest.raises(UnitMismatch):
        Rate.of(cases, tasks)


def test_density_is_cases_by_km2():
    """30 cases on 0.25 km² and none on 2 km²: 120 and 0 per km²."""
    found = density_per_km2(np.array([30, 0]), np.array([250_000.0, 2_000_000.0]))
    assert found.tolist() == [120.0, 0.0]


@pytest.mark.parametrize("area", [0.0, -1.0, np.nan, np.inf])
def test_density_refuses_areas_that_are_none(area):
    """The bad area is named by its place in the input."""
    with pytest.raises(GeometryError, match="#1"):
        density_per_km2(np.array([1, 1]), np.array([1.0, area]))


@pytest.mark.parametrize(("value", "expected"), [
    (0.125, 0.13), (1.005, 1.01), (2.675, 2.68), (1e-9, 0.0), (123456789.125, 123456789.13),
])  # fmt: skip
def test_hundredths_round_half_up_on_decimal_digits(value, expected):
    """As PostgreSQL rounds the 15 digits of a double, not as its binary tail falls."""
    assert hundredths(value) == expected


@given(st.floats(0, 1e9))
def test_hundredths_are_near(value):
    """Never further than half a hundredth, but for the last of 15 digits."""
    assert abs(Decimal(hundredths(value)) - Decimal(value)) <= Decimal("0.005000001") + Decimal(
        value
    ) * Decimal("1e-14")
