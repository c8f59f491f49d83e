"""The outline of the report: its parts and what each of them holds (报告结构)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.model.report import Section
from gridgis.report import sentences, tables

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
    )


def _section(m: Material, key: str, blocks: list[Block | None]) -> Section:
    present = tuple(block for block in blocks if block is not None)
    return Section(key, m.words.section(key), present)


def _opening(m: Material) -> Section:
    words = m.words
    paragraph = m.paragraph(
        "opening",
        words.say("opening", month=m.month_name),
        words.say("synthetic") if m.extras.synthetic else None,
        words.say("sample_rules") if m.extras.sample_rules else None,
    )
    return _section(m, "opening", [paragraph])


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
        tables.groups(m) if m.scope.groups else None,
        m.placeholder("missed"),
        m.placeholder("hotspot"),
    ]


def _dispatch(m: Material) -> list[Block | None]:
    told: list[Block | None] = [*sentences.dispatch(m)]
    return [*told, tables.by_area(m, "dispatch", tables.DISPATCH)] if "tasks" in m.facts else told


def _closing(m: Material) -> list[Block | None]:
    blocks: list[Block | None] = [sentences.closing(m)]
    if "closing" in m.facts:
        blocks += [
            tables.closing_types(m),
            sentences.closing_by_region(m),
            tables.by_area(m, "closing", tables.CLOSING),
        ]
        if m.scope.types:
            blocks += [tables.of_types(m, "unclosed"), tables.of_types(m, "overdue")]
            blocks += [tables.tier(m, tier) for tier in m.scope.tiers]
    blocks.append(sentences.quality(m))
    if "checks" in m.facts:
        blocks.append(tables.by_area(m, "quality", tables.QUALITY))
    return blocks


def _special(m: Material) -> list[Block | None]:
    return [
        sentences.whistles(m),
        tables.whistles(m) if "whistles" in m.facts else None,
        sentences.response(m),
        tables.by_area(m, "response", tables.RESPONSE) if "response" in m.facts else None,
        tables.key_cases(m) if "key_cases" in m.facts else None,
    ]
