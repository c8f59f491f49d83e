"""How every form arranges a report: captions, links of numbers, definitions (版面)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.model.report import Chart, RegionMap, Table
from gridgis.report.plain import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridgis.model.figures import Figure
    from gridgis.model.report import Block, Paragraph, ReportModel, Section
    from gridgis.report.plain import FormWords


@dataclass(frozen=True, slots=True)
class Placed:
    """A block with its caption, such as `表3　各区域案件数量`; a paragraph has none."""

    block: Block
    caption: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Part:
    """A section with its blocks."""

    section: Section
    blocks: tuple[Placed, ...]
    anchor: str


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a sentence; one that prints a figure carries its key."""

    text: str
    figure: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """How figures are counted, and the figures that are counted so."""

    anchor: str
    text: str
    figures: tuple[Figure, ...]


def arranged(model: ReportModel, say: FormWords) -> tuple[Part, ...]:
    """Return the sections with their tables, and their charts and maps, numbered through."""
    counts = {"table": 0, "figure": 0}
    parts = []
    for at, section in enumerate(model.sections, 1):
        placed = []
        for number, block in enumerate(section.blocks, 1):
            caption = _caption(block, counts, say)
            placed.append(Placed(block, caption, f"b-{at}-{number}"))
        parts.append(Part(section, tuple(placed), f"s-{at}"))
    return tuple(parts)


def pictured(model: ReportModel) -> Iterator[Chart | RegionMap]:
    """Yield the charts and maps of a report."""
    for section in model.sections:
        for block in section.blocks:
            if isinstance(block, Chart | RegionMap):
                yield block


def tables(model: ReportModel, say: FormWords) -> Iterator[tuple[Section, Table, str]]:
    """Yield the tables with their sections and captions."""
    for part in arranged(model, say):
        for placed in part.blocks:
            if isinstance(placed.block, Table):
                yield part.section, placed.block, placed.caption


def spans(paragraph: Paragraph, model: ReportModel) -> tuple[list[list[Span]], list[str]]:
    """
    Return the lines of a paragraph in pieces, and the keys of figures that it does not print.

    A figure is found where its printed number stands alone, in the order of the keys: an analyst
    may have taken it out.
    """
    text = clean(paragraph.shown)
    taken: list[tuple[int, int, str]] = []
    unseen = []
    position = 0
    for key in paragraph.figures:
        printed = model.texts.get(key)
        if printed is None:
            continue
        found = _stands_alone(text, printed, taken, position)
        if found is None:
            unseen.append(key)
            continue
        position = found[1]
        taken.append((*found, key))
    return _pieces(text, sorted(taken)), unseen


def definitions(model: ReportModel) -> tuple[Definition, ...]:
    """Return each definition once, in the order of the figures."""
    groups: dict[str, list[Figure]] = {}
    for figure in model.figures.values():
        groups.setdefault(figure.definition, []).append(figure)
    return tuple(
        Definition(f"d-{number}", text, tuple(figures))
        for number, (text, figures) in enumerate(groups.items(), 1)
    )


def _caption(block: Block, counts: dict[str, int], say: FormWords) -> str:
    kind = "table" if isinstance(block, Table) else "figure"
    if not isinstance(block, Table | Chart | RegionMap):
        return ""
    counts[kind] += 1
    return say(f"caption.{kind}", number=counts[kind], title=clean(block.title))


def _stands_alone(
    text: str, printed: str, taken: list[tuple[int, int, str]], position: int
) -> tuple[int, int] | None:
    """Return where a number stands that is no part of another and not taken yet."""
    pattern = rf"(?<![\d.,—]){re.escape(printed)}(?![%\d—]|[.,]\d)"
    places = [match.span() for match in re.finditer(pattern, text)]
    free = [
        (start, end)
        for start, end in places
        if all(end <= other or start >= stop for other, stop, _ in taken)
    ]
    return next((place for place in free if place[0] >= position), free[0] if free else None)


def _pieces(text: str, found: list[tuple[int, int, str]]) -> list[list[Span]]:
    """Cut a text at its figures and its line ends."""
    pieces: list[Span] = []
    at = 0
    for start, end, key in found:
        pieces += [Span(text[at:start]), Span(text[start:end], key)]
        at = end
    pieces.append(Span(text[at:]))
    lines: list[list[Span]] = [[]]
    for piece in pieces:
        first, *others = piece.text.split("\n")
        lines[-1].append(Span(first, piece.figure))
        lines += [[Span(other, piece.figure)] for other in others]
    return [[piece for piece in line if piece.text] for line in lines if any(p.text for p in line)]
