"""
The monthly report as data: what every form of it (page, PDF, DOCX, XLSX, JSON) shows (月报模型).

No form computes a number: each text, cell and bar is here already, with the keys of its figures.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from gridgis.model.figures import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A generated sentence or two; an analyst's own text may stand in its place (段落)."""

    key: str
    text: str
    figures: tuple[str, ...] = ()
    edited: str | None = None
    """The text of an analyst; it survives when the report is made again."""
    placeholder: bool = False
    """What a later version of gridgis will fill in; shown as such."""

    @property
    def shown(self) -> str:
        """The text that is printed."""
        return self.edited if self.edited is not None else self.text


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table."""

    text: str
    figure: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its last rows may be the rest and the total (表)."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    total_rows: int = 0
    """How many rows at the end are totals."""


@dataclass(frozen=True, slots=True)
class Series:
    """The values of one line or one set of bars."""

    name: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of bars or lines (图)."""

    key: str
    title: str
    kind: str
    """`bar` or `line`."""
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    note: str = ""
    break_after: int | None = None
    """Number of labels before a change of the reporting regime."""


@dataclass(frozen=True, slots=True)
class RegionMap:
    """Regions coloured by a figure (区域图)."""

    key: str
    title: str
    values: dict[str, float]
    """Region code to value; a region without one is hatched."""
    texts: dict[str, str]
    unit: str
    note: str = ""


Block = Paragraph | Table | Chart | RegionMap


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report, in the outline of the city's own (章节)."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """Which issue of the report of a month this is (期次)."""

    number: int
    status: str
    """`draft` or `signed`."""
    data_version: int
    made_at: str
    signed_by: str | None = None
    signed_at: str | None = None
    changes: tuple[str, ...] = ()
    """What differs from the issue before."""


@dataclass(frozen=True, slots=True)
class ReportModel:
    """Everything that a report says (月报)."""

    city: str
    city_en: str
    language: str
    month: str
    region: str | None
    """Region code of a district brief; None: the whole city."""
    title: str
    synthetic: bool
    notice: str
    """合成数据 label, or empty."""
    sections: tuple[Section, ...]
    figures: dict[str, Figure] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    """Figure key to the figure as it is printed."""
    issue: Issue | None = None

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> ReportModel:
        """Return the report that `to_dict` told."""
        figures = {key: Figure.from_dict(figure) for key, figure in given["figures"].items()}
        plain = ("city", "city_en", "language", "month", "region", "title", "synthetic", "notice")
        return cls(
            **{name: given[name] for name in plain},
            sections=tuple(
                Section(part["key"], part["title"], tuple(map(_block, part["blocks"])))
                for part in given["sections"]
            ),
            figures=figures,
            texts={key: given["figures"][key]["text"] for key in figures},
            issue=None if given["issue"] is None else _issue(given["issue"]),
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values; figures carry numerator, denominator, unit, definition and text."""
        return {
            "city": self.city,
            "city_en": self.city_en,
            "language": self.language,
            "month": self.month,
            "region": self.region,
            "title": self.title,
            "synthetic": self.synthetic,
            "notice": self.notice,
            "issue": asdict(self.issue) if self.issue else None,
            "sections": [
                {
                    "key": section.key,
                    "title": section.title,
                    "blocks": [
                        {"type": type(block).__name__, **asdict(block)} for block in section.blocks
                    ],
                }
                for section in self.sections
            ],
            "figures": {
                key: figure.to_dict(self.texts[key]) for key, figure in self.figures.items()
            },
        }


def _block(given: Mapping[str, Any]) -> Block:
    """Return a block of any type from its plain values."""
    values = {name: value for name, value in given.items() if name != "type"}
    match given["type"]:
        case "Paragraph":
            return Paragraph(**{**values, "figures": tuple(values["figures"])})
        case "Table":
            rows = tuple(tuple(Cell(**cell) for cell in row) for row in values["rows"])
            return Table(**{**values, "columns": tuple(values["columns"]), "rows": rows})
        case "Chart":
            series = tuple(Series(s["name"], tuple(s["values"])) for s in values["series"])
            return Chart(**{**values, "labels": tuple(values["labels"]), "series": series})
        case _:
            return RegionMap(**values)


def _issue(given: Mapping[str, Any]) -> Issue:
    return Issue(**{**given, "changes": tuple(given["changes"])})
