"""The brief of a district on two pages, and of the city's leaders on one (区县简报、领导摘要)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gridgis.errors import DistrictNotFound
from gridgis.model.report import Cell, Section, Table
from gridgis.report import compare, findings, sentences
from gridgis.report.indicators import closing_key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridgis.model.figures import Figure
    from gridgis.model.report import Block, Paragraph
    from gridgis.report.material import Material
    from gridgis.report.ranks import Placed
    from gridgis.report.scope import Area
    from gridgis.report.wording import Said

ROWS = {
    "volume": "volume.{area}",
    "tasks": "dispatch.{area}.due",
    "dispatch": "dispatch.{area}",
    "cumulative": "{closing}.cumulative",
    "closure_rate": "{closing}.closure_rate",
    "on_time_closure_rate": "{closing}.on_time_closure_rate",
    "substandard": "quality.{area}.substandard",
    "response": "response.{area}.due",
    "responded": "response.{area}.responded",
    "disposed": "response.{area}.disposed",
    "satisfied": "response.{area}.satisfied",
}
"""Rows of the table of a district, its group and the city."""
LEADERS_ROWS = ("accepted", "dispatch", "closure_rate", "on_time_closure_rate", "response",
                "whistles")  # fmt: skip
"""Rows of the table of the leaders' brief."""
EXTREMES = {"dispatch": "dispatch.{area}", "closure_rate": "{closing}.closure_rate"}
RECTIFICATION = "rectification"
"""Key of the table whose rows are the cases to work off; the report leaves it empty."""


def district_sections(m: Material, region: str) -> tuple[Section, ...]:
    """
    Return the brief of a region: beside its group and the city, and what to work off.

    Raises
    ------
    DistrictNotFound
        If the report has no such region.
    """
    area = next((known for known in m.scope.regions if known.key == region), None)
    if area is None:
        known = ", ".join(known.key for known in m.scope.regions)
        raise DistrictNotFound(f"region {region!r} is not in the report; it has {known}")
    main: list[Block | None] = [_table(m, area), _figures(m, area)]
    closing: list[Block | None] = [_classes(m, area), _types(m, area) if m.scope.types else None]
    work: list[Block | None] = [
        m.paragraph("brief.list", m.words.say("brief_list")),
        _rectification(m, area),
    ]
    return (
        _section(m, "brief", main),
        _section(m, "brief_closing", closing),
        _section(m, "brief_list", work),
    )


def leaders_sections(m: Material) -> tuple[Section, ...]:
    """Return the leaders' brief: main figures, who is highest and lowest, what to watch."""
    table = compare.city_table(m, LEADERS_ROWS)
    blocks: list[Block | None] = [
        replace(table, note=m.words.join("sentences", _notes(m, table)).text),
        _extremes(m),
        m.paragraph("leaders.findings", findings.low_rates(m, brief=True)),
    ]
    return (_section(m, "leaders", blocks),)


def _notes(m: Material, table: Table) -> list[str]:
    return [note for note in (table.note, m.words.note("leaders")) if note]


def _extremes(m: Material) -> Table | None:
    """Return who has the highest and the lowest rate of each block of areas."""
    rows = []
    for row, pattern in EXTREMES.items():
        for block in m.scope.blocks():
            ranking = m.ranking(block.areas, pattern)
            if len(ranking.places) > 1:
                ends = (ranking.highest, ranking.lowest)
                name, group = m.words.word(row, "row"), sentences.block_name(m, block).text
                rows.append((Cell(name), Cell(group), *(_end(m, place) for place in ends)))
    title, *columns = m.words.table("extremes")
    return Table("extremes", title, tuple(columns), tuple(rows)) if rows else None


def _end(m: Material, place: tuple[Placed, ...]) -> Cell:
    """Return the areas of a place; the figure is the rate of the first of them."""
    areas, rate = m.names(area for area, _ in place), place[0][1]
    return Cell(m.words.say("leaders_one", areas=areas, rate=rate).text, rate.key)


def _section(m: Material, key: str, blocks: Iterable[Block | None]) -> Section:
    present = tuple(block for block in blocks if block is not None)
    return Section(key, m.words.section(key), present)


def _figures(m: Material, area: Area) -> Paragraph:
    words, key = m.words, closing_key(area)
    group = m.scope.group_of(area)
    said: list[Said | None] = [
        words.say(
            "brief_volume",
            month=m.month_name,
            area=area.name,
            n=m.fig(f"volume.{area.key}"),
            group=group.name,
            share=m.fig(f"volume.{area.key}.share"),
            accepted=m.fig(f"volume.{area.key}.accepted"),
            self_handled=m.fig(f"volume.{area.key}.self_handled"),
        )
        if "intake" in m.facts
        else None,
        _placed(m, area, "dispatch.{area}", "brief_dispatch",
                {"due": m.fig(f"dispatch.{area.key}.due")}),
        _placed(m, area, "{closing}.closure_rate", "brief_closing",
                {name: m.fig(f"{key}.{name}") for name in ("cumulative", "unclosed", "overdue")}
                | {"on_time": m.fig(f"{key}.on_time_closure_rate")}),
    ]  # fmt: skip
    said.append(
        words.say(
            "brief_other",
            checked=m.fig(f"quality.{area.key}.checked"),
            substandard=m.fig(f"quality.{area.key}.substandard"),
            whistles=m.fig(f"whistle.{area.key}"),
            key_cases=m.fig(f"key_cases.{area.key}"),
        )
    )
    return m.paragraph("brief.figures", *said)


def _placed(
    m: Material, area: Area, pattern: str, template: str, figures: dict[str, Figure]
) -> Said | None:
    """Return a rate with its place in the group, and the rates of group and city."""
    group = m.scope.group_of(area)
    members = m.scope.members(group) or m.scope.regions
    rank = m.ranking(members, pattern).rank(area)
    if rank is None:
        return None

    def rate(of: Area) -> Figure:
        return m.fig(pattern.format(area=of.key, closing=closing_key(of)))

    return m.words.say(
        template,
        **figures,
        rate=rate(area),
        group=group.name,
        rank=rank,
        group_rate=rate(group),
        city_rate=rate(m.scope.city),
    )


def _table(m: Material, area: Area) -> Table:
    title, first = m.words.table("brief")
    group = m.scope.group_of(area)
    areas = list(dict.fromkeys((area, group, m.scope.city)))
    rows = tuple(
        (
            Cell(m.words.word(row, "row")),
            *(m.cell(key.format(area=a.key, closing=closing_key(a))) for a in areas),
        )
        for row, key in ROWS.items()
    )
    return Table("brief", title, (first, *(a.name for a in areas)), rows)


def _classes(m: Material, area: Area) -> Paragraph | None:
    words = m.words
    overdue = sentences.class_counts(m, f"dispatch.{area.key}.overdue.", "brief_class")
    unclosed = sentences.class_counts(m, f"{closing_key(area)}.unclosed.", "brief_class")
    said = [
        words.say("brief_classes", overdue=words.join("items", overdue)) if overdue else None,
        words.say("brief_unclosed", unclosed=words.join("items", unclosed)) if unclosed else None,
    ]
    return m.paragraph("brief.classes", *said) if overdue or unclosed else None


def _types(m: Material, area: Area) -> Table:
    title, *columns = m.words.table("brief_types")
    measures = ("unclosed", "overdue", "closure_rate", "on_time_closure_rate")
    key = closing_key(area)
    shown = [(f"{key}.{kind.code}", kind.name) for kind in m.scope.types]
    shown.append((key, m.words.word("all_types")))
    rows = tuple(
        (Cell(name), *(m.cell(f"{first}.{measure}") for measure in measures))
        for first, name in shown
    )
    return Table("brief_types", title, tuple(columns), rows, total_rows=1)


def _rectification(m: Material, area: Area) -> Table:
    title, *columns = m.words.table("rectification", area=area.name)
    return Table(RECTIFICATION, title, tuple(columns), ())
