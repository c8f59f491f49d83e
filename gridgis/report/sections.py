"""The outline of the report: its parts and what each of them holds (报告结构)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.model.report import Section
from gridgis.report import (
    closings,
    compare,
    findings,
    graphs,
    plans,
    reconcile,
    sentences,
    specials,
    tables,
)

if TYPE_CHECKING:
    from gridgis.model.report import Block
    from gridgis.report.material import Material


def outline(m: Material) -> tuple[Section, ...]:
    """Return the parts of the monthly report, in its order."""
    return (
        _opening(m),
        _section(m, "supervision", _supervision(m)),
        _section(m, "dispatch", _dispatch(m)),
        _section(m, "closing", _closing(m)),
        _section(m, "special", _special(m)),
        _section(m, "cases", [*findings.good(m), *findings.bad(m)]),
        _section(m, "plans", [*plans.plans(m)]),
        _section(m, "compare", _compare(m)),
        _section(m, "reconcile", _reconcile(m)),
    )


def _section(m: Material, key: str, blocks: list[Block | None]) -> Section:
    present = tuple(block for block in blocks if block is not None)
    return Section(key, m.words.section(key), present)


def _opening(m: Material) -> Section:
    words = m.words
    notes = [
        words.say("synthetic") if m.extras.synthetic else None,
        words.say("sample_rules") if m.extras.sample_rules else None,
    ]
    opening = m.paragraph("opening", words.say("opening", month=m.month_name))
    return _section(m, "opening", [m.paragraph("notes", *notes) if any(notes) else None, opening])


def _supervision(m: Material) -> list[Block | None]:
    blocks: list[Block | None] = [sentences.accepted(m)]
    if "intake" not in m.facts:
        return blocks
    kinds = [kind for kind in m.scope.kinds if m.fig(f"class.{kind.code}").numerator]
    return [
        *blocks,
        tables.sources(m),
        sentences.classes(m),
        *(tables.classes(m, kind) for kind in kinds),
        sentences.volume(m),
        tables.by_area(m, "volume", tables.VOLUME),
        graphs.volume(m),
        graphs.map_volume(m),
        tables.groups(m) if m.scope.groups else None,
        m.placeholder("missed"),
        m.placeholder("hotspot"),
    ]


def _dispatch(m: Material) -> list[Block | None]:
    told: list[Block | None] = [*sentences.dispatch(m)]
    return [*told, tables.by_area(m, "dispatch", tables.DISPATCH)] if "tasks" in m.facts else told


def _closing(m: Material) -> list[Block | None]:
    blocks: list[Block | None] = [closings.closing(m)]
    if "closing" in m.facts:
        blocks += [
            tables.closing_types(m),
            graphs.closing(m) if m.scope.types else None,
            closings.closing_by_region(m),
            tables.by_area(m, "closing", tables.CLOSING),
            graphs.map_closing(m),
        ]
        if m.scope.types:
            blocks += [tables.of_types(m, "unclosed"), tables.of_types(m, "overdue")]
            blocks += [tables.tier(m, tier) for tier in m.scope.tiers]
    blocks.append(closings.quality(m))
    if "checks" in m.facts:
        blocks.append(tables.by_area(m, "quality", tables.QUALITY))
    return blocks


def _special(m: Material) -> list[Block | None]:
    return [
        specials.whistles(m),
        tables.whistles(m) if "whistles" in m.facts else None,
        specials.response(m),
        tables.by_area(m, "response", tables.RESPONSE) if "response" in m.facts else None,
        tables.key_cases(m) if "key_cases" in m.facts else None,
    ]


def _compare(m: Material) -> list[Block | None]:
    blocks: list[Block | None] = [*compare.told(m)]
    if m.earlier:
        blocks.append(compare.city_table(m))
    if "previous" in m.earlier:
        blocks.append(compare.region_table(m))
    return [*blocks, *graphs.trends(m), graphs.days(m)]


def _reconcile(m: Material) -> list[Block | None]:
    return [reconcile.told(m), reconcile.table(m), reconcile.oddities(m)]
