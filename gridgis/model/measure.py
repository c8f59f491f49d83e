"""Counts and rates that keep their unit, numerator and denominator (计数与比率)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from gridgis.errors import UnitMismatch

_HUNDREDTH = Decimal("0.01")
NO_RATE = "—"
Number = int | Decimal
"""A count; base cases may have two decimals."""


class Unit(StrEnum):
    """Unit of account (计量单位)."""

    CASES = "cases"
    TASKS = "tasks"
    BASE_CASES = "base_cases"
    COMPLAINTS = "complaints"
    WHISTLES = "whistles"


@dataclass(frozen=True, slots=True)
class Count:
    """A number of something."""

    unit: Unit
    value: Number


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of two counts of one unit (比率)."""

    unit: Unit
    numerator: Number
    denominator: Number

    @classmethod
    def of(cls, part: Count, whole: Count) -> Rate:
        """Return part ÷ whole, or raise `UnitMismatch`."""
        if part.unit is not whole.unit:
            raise UnitMismatch(f"a rate of {part.unit} over {whole.unit} has no meaning")
        return cls(part.unit, part.value, whole.value)

    @property
    def value(self) -> float | None:
        """The rate as 0-1, None for a denominator of 0."""
        return float(self.numerator / self.denominator) if self.denominator else None


def hundredths(value: float) -> float:
    """
    Round half up to two decimals, as `round(value::numeric, 2)` in PostgreSQL does.

    Both see the 15 digits that a double holds, so that a tile and its legend never differ.
    """
    return float(Decimal(f"{value:.15g}").quantize(_HUNDREDTH, ROUND_HALF_UP))


def percent_text(rate: Rate, *, digits: int = 2) -> str:
    """Return a rate in percent: exact, half up, `—` for a denominator of 0."""
    if rate.denominator == 0:
        return NO_RATE
    exact = Decimal(rate.numerator) * 100 / Decimal(rate.denominator)
    return str(exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP))
