"""
Figures of a report: what is counted, over which rows, in which unit (指标).

A fact is a set of rows with dimensions and measures; a slice picks rows of one fact; a figure is a
slice, or a slice over another. So every figure can show exactly the rows behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from gridgis.model.measure import Unit

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Fact:
    """A set of rows that figures count (事实表)."""

    name: str
    unit: Unit
    key: str
    """The column that names a row."""
    dims: tuple[str, ...]
    measures: tuple[str, ...]
    shown: tuple[str, ...]
    """Columns besides key and dimensions that a list of rows has."""


FACTS: dict[str, Fact] = {
    fact.name: fact
    for fact in (
        Fact(
            "intake", Unit.CASES, "case_no",
            ("region_key", "source", "tier", "self_handled", "case_kind", "subcategory_code"),
            ("n",), ("counted_at",),
        ),
        Fact(
            "closing", Unit.BASE_CASES, "case_no",
            ("region_key", "tier", "assessment_type", "subcategory_code"),
            ("due", "on_time", "overdue", "cumulative", "closed", "unclosed", "closed_due",
             "carried_over"),
            ("weight", "due_at", "closed_at"),
        ),
        Fact(
            "tasks", Unit.TASKS, "task_no", ("region_key", "subcategory_code"),
            ("due", "on_time", "overdue"),
            ("case_no", "due_at", "dispatched_at", "is_rework", "is_hand_back"),
        ),
        Fact(
            "response", Unit.COMPLAINTS, "complaint_no", ("region_key",),
            ("due", "responded", "disposed", "called", "satisfied"),
            ("case_no", "complained_at", "response_due_at", "responded_at"),
        ),
        Fact(
            "complaints", Unit.COMPLAINTS, "complaint_no",
            ("region_key", "source", "subcategory_code", "place"), ("n",),
            ("case_no", "complained_at"),
        ),
        Fact(
            "whistles", Unit.WHISTLES, "whistle_no", ("level", "region_key"), ("n",),
            ("blown_at", "title", "participants", "cases", "resolved_at"),
        ),
        Fact(
            "whistles_resolved", Unit.WHISTLES, "whistle_no", ("level", "region_key"), ("n",),
            ("blown_at", "title", "participants", "cases", "resolved_at"),
        ),
        Fact(
            "checks", Unit.CASES, "case_no", ("region_key",), ("checked", "substandard"),
            ("checked_at", "result", "problem", "checker"),
        ),
        Fact("key_cases", Unit.CASES, "case_no", ("region_key", "subcategory_code"), ("resolved",),
             ("closed_at",)),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows of a fact that have a measure and certain values of its dimensions (切片)."""

    fact: str
    measure: str
    where: tuple[tuple[str, tuple[object, ...]], ...] = ()

    @property
    def unit(self) -> Unit:
        """Unit of the fact."""
        return FACTS[self.fact].unit

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Slice:
        """Return the slice that `to_dict` told."""
        where = sorted((dim, tuple(values)) for dim, values in given["where"].items())
        return cls(given["fact"], given["measure"], tuple(where))

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return {
            "fact": self.fact,
            "measure": self.measure,
            "where": {dim: list(values) for dim, values in self.where},
        }


def sliced(fact: str, measure: str, **where: object) -> Slice:
    """
    Return a slice; a dimension takes one value or a tuple of them, None as a value is "missing".

    Raises
    ------
    KeyError
        If the fact has no such measure or dimension.
    """
    known = FACTS[fact]
    for name in (measure, *where):
        if name not in (*known.measures, *known.dims):
            raise KeyError(f"{fact} has no {name}")
    chosen = {dim: v if isinstance(v, tuple) else (v,) for dim, v in where.items()}
    return Slice(fact, measure, tuple(sorted(chosen.items())))


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report, with what it is made of (指标值)."""

    key: str
    label: str
    definition: str
    numerator: Decimal
    over: Slice
    """The rows of the numerator."""
    denominator: Decimal | None = None
    whole: Slice | None = None
    """The rows of the denominator; None: the figure is a count."""
    digits: int = 2
    """Decimals of a rate in percent."""

    @property
    def unit(self) -> Unit:
        """Unit of numerator and denominator."""
        return self.over.unit

    @property
    def value(self) -> Decimal | None:
        """The count, or the rate as 0-1; None over a denominator of 0."""
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Figure:
        """Return the figure that `to_dict` told."""
        whole = given["denominator_rows"]
        return cls(
            key=given["key"],
            label=given["label"],
            definition=given["definition"],
            numerator=Decimal(str(given["numerator"])),
            over=Slice.from_dict(given["numerator_rows"]),
            denominator=None if whole is None else Decimal(str(given["denominator"])),
            whole=None if whole is None else Slice.from_dict(whole),
            digits=given["digits"],
        )

    def to_dict(self, text: str) -> Mapping[str, object]:
        """Return plain values; `text` is the figure as it is printed."""
        return {
            "key": self.key,
            "label": self.label,
            "definition": self.definition,
            "unit": str(self.unit),
            "numerator": plain(self.numerator),
            "denominator": None if self.denominator is None else plain(self.denominator),
            "value": None if self.value is None else round(float(self.value), 6),
            "digits": self.digits,
            "text": text,
            "numerator_rows": self.over.to_dict(),
            "denominator_rows": self.whole.to_dict() if self.whole else None,
        }


def plain(number: Decimal) -> int | float:
    """Return a whole number as such, another one as a decimal."""
    return int(number) if number == number.to_integral_value() else float(number)
