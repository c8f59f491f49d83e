"""Recommendations, drafted from the figures: each names who lags, and with which figure (建议)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.report.compare import falls
from gridgis.report.indicators import closing_key
from gridgis.report.material import month_text
from gridgis.report.ranks import ranked
from gridgis.report.regimes import tell_changes
from gridgis.report.scope import Area
from gridgis.report.sentences import LOWER, class_counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridgis.model.report import Paragraph
    from gridgis.report.material import Material
    from gridgis.report.ranks import Placed
    from gridgis.report.scope import Block
    from gridgis.report.wording import Said

CLASSES = 2
"""How many subcategories of open cases a recommendation names."""


def plans(m: Material) -> list[Paragraph]:
    """Return the drafted recommendations (下一步工作打算和建议)."""
    said = {"plan.mend": _mend(m), "plan.strengthen": _strengthen(m)}
    if (restricted := _restricted(m)) is not None:
        said["plan.restricted"] = restricted
    return [
        m.paragraph(key, m.words.say("part", number=m.words.numeral(number), text=text))
        for number, (key, text) in enumerate(said.items(), 1)
    ]


def _mend(m: Material) -> Said:
    tasks = [said for block in m.scope.blocks() for said in _tasks(m, block)]
    tasks += _quality(m)
    if not tasks:
        return m.words.say("plan_mend_short")
    return m.words.say("plan_mend", tasks=m.words.join("clauses", tasks))


def _tasks(m: Material, block: Block) -> Iterator[Said]:
    dispatch = m.ranking(block.areas, "dispatch.{area}")
    closing = m.ranking(block.areas, "{closing}.closure_rate")
    if not block.is_last:
        for template, lower in (
            ("plan_dispatch", dispatch.lower(LOWER)),
            ("plan_closing", closing.lower(LOWER)),
        ):
            if lower:
                yield m.words.say(template, areas=_names(m, lower), rates=_rates(m, lower))
    elif not closing.is_level:
        for area, _ in closing.lowest:
            key = closing_key(area)
            unclosed = m.fig(f"{key}.unclosed")
            classes = class_counts(m, f"{key}.unclosed.", "plan_class")[:CLASSES]
            if not classes:
                yield m.words.say("plan_last", areas=area.name, unclosed=unclosed)
            else:
                yield m.words.say("plan_last_classes", areas=area.name, unclosed=unclosed,
                                  classes=m.words.join("names", classes))  # fmt: skip


def _names(m: Material, placed: tuple[Placed, ...]) -> Said:
    return m.names(area for area, _ in placed)


def _rates(m: Material, placed: tuple[Placed, ...]) -> Said:
    shown = [m.words.say("low_rate", area=area.name, now=rate) for area, rate in placed]
    return m.words.join("items", shown)


def _quality(m: Material) -> Iterator[Said]:
    ranking = m.ranking(m.scope.regions, "quality.{area}")
    if len(ranking.places) > 1:
        rate = ranking.highest[0][1]
        yield m.words.say("plan_quality", areas=_names(m, ranking.highest), rate=rate)


def _strengthen(m: Material) -> Said:
    types = ranked(
        (Area(kind.code, kind.name, "type"), m.fig(f"closing.{kind.code}.closure_rate"))
        for kind in m.scope.types
    )
    lower = types.lower(LOWER)
    regime: Said | str = _regime(m) or ""
    if not lower:
        return m.words.say("plan_strengthen_plain", regime=regime)
    keys = [figure.key for _, figure in lower]
    return m.words.say("plan_strengthen", regime=regime, types=_names(m, lower).telling(*keys))


def _regime(m: Material) -> Said | None:
    """Return how closure rates moved since the month before, and whether this is a trend."""
    if "previous" not in m.earlier or "closing" not in m.earlier["previous"].facts:
        return None
    earlier = m.earlier["previous"]
    before = month_text(m.words, earlier.month, short=True)
    worse, better = falls(m, "previous")
    if not earlier.changes:
        return m.words.say("plan_trend", month=m.month_name, before=before, worse=worse,
                           better=better)  # fmt: skip
    return m.words.say("plan_regime", month=m.month_name, before=before, worse=worse,
                       better=better, change=tell_changes(m.words, earlier.changes))  # fmt: skip


def _restricted(m: Material) -> Said | None:
    """Return what is to be done about restricted classes: their parents' names and number."""
    found = [c for c in m.profile.categories if m.scope.is_restricted(c.code)]
    if not found:
        return None
    names = list(dict.fromkeys(c.parent_name or c.name for c in found))
    return m.words.say("plan_restricted", name=m.words.join("names", names), n=len(found))
