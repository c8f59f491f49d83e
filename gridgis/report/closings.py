"""The sentences of closing: the city, types and regions, and quality (处置结案部分文字)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.report.indicators import closing_key
from gridgis.report.scope import CITY_KEY
from gridgis.report.sentences import LOWER, block_name

if TYPE_CHECKING:
    from gridgis.model.figures import Figure
    from gridgis.model.report import Paragraph
    from gridgis.report.material import Material
    from gridgis.report.ranks import Placed
    from gridgis.report.scope import Area, Block
    from gridgis.report.wording import Said


def closing(m: Material) -> Paragraph:
    """Tell the closing rates of the city, how they are counted and which types are lowest."""
    if "closing" not in m.facts:
        return m.missing("closing.total", "closing")
    words, key = m.words, f"closing.{CITY_KEY}"
    return m.paragraph(
        "closing.total",
        _closing_total(m),
        _lowest_types(m),
        None if m.scope.types else words.say("closing_types_missing"),
        None if m.profile.ledger.weights else words.say("closing_weights_missing"),
        words.say("closing_std", rate=m.fig(f"{key}.closure_rate_std"),
                  closed=m.fig(f"{key}.closed_due"), due=m.fig(f"{key}.due")),
        _not_assessed(m),
        words.say("closing_table") if m.scope.types else None,
    )  # fmt: skip


def _closing_total(m: Material) -> Said:
    key = f"closing.{CITY_KEY}"
    return m.words.say(
        "closing",
        month=m.month_name,
        cumulative=m.fig(f"{key}.cumulative"),
        closed=m.fig(f"{key}.closed"),
        closure_rate=m.fig(f"{key}.closure_rate"),
        on_time=m.fig(f"{key}.on_time_closure_rate"),
    )


def _lowest_of(m: Material, rate: str) -> tuple[list[str], Figure | None]:
    """Return the names of the types with the lowest of a closing rate, and the rate."""
    figures = [(kind, m.fig(f"closing.{kind.code}.{rate}")) for kind in m.scope.types]
    usable = [(kind, figure) for kind, figure in figures if figure.value is not None]
    if len({figure.value for _, figure in usable}) < 2:  # noqa: PLR2004
        return [], None
    lowest = min(figure.value for _, figure in usable if figure.value is not None)
    found = [(kind.name, figure) for kind, figure in usable if figure.value == lowest]
    return [name for name, _ in found], found[0][1]


def _lowest_types(m: Material) -> Said | None:
    words = m.words
    types, rate = _lowest_of(m, "closure_rate")
    on_time_types, on_time_rate = _lowest_of(m, "on_time_closure_rate")
    if rate is None or on_time_rate is None:
        return None
    if types == on_time_types:
        both = words.say("closing_lowest_both", types=words.join("names", types))
        return both.telling(rate.key, on_time_rate.key)
    return words.say(
        "closing_lowest_each",
        types=words.join("names", types),
        rate=rate,
        on_time_types=words.join("names", on_time_types),
        on_time_rate=on_time_rate,
    )


def _not_assessed(m: Material) -> Said | None:
    if not m.scope.types or not m.fig("closing.not_assessed.cumulative").numerator:
        return None
    return m.words.say("not_assessed", n=m.fig("closing.not_assessed.cumulative"))


def closing_by_region(m: Material) -> Paragraph | None:
    """Tell the best and the lower closing rates, block by block (分区域结案)."""
    if "closing" not in m.facts:
        return None
    said = [s for block in m.scope.blocks() for s in _closing_of(m, block)]
    return m.paragraph("closing.regions", *said) if said else None


def _closing_of(m: Material, block: Block) -> list[Said]:
    words, ranking = m.words, m.ranking(block.areas, "{closing}.closure_rate")
    said, groups = [], block_name(m, block)
    if ranking.is_level:
        areas, rate = m.names(a for a, _ in ranking.highest), ranking.highest[0][1]
        said.append(words.say("closing_level", groups=groups, areas=areas, rate=rate))
    elif ranking.places:
        highest = _closing_highest(m, ranking.highest)
        if block.is_last:
            details = [
                words.say("closing_lowest", area=area.name, rate=rate,
                          unclosed=m.fig(f"{closing_key(area)}.unclosed"))
                for area, rate in ranking.lowest
            ]  # fmt: skip
            said.append(words.say("closing_last", groups=groups, highest=highest,
                                  details=words.join("clauses", details)))  # fmt: skip
        else:
            lower = ranking.lower(LOWER)
            details = [_closing_low(m, area, rate) for area, rate in lower]
            template = "closing_first" if m.scope.groups else "closing_first_all"
            said.append(words.say(template, groups=groups, highest=highest,
                                  areas=m.names(a for a, _ in lower),
                                  details=words.join("clauses", details)))  # fmt: skip
    if ranking.without:
        said.append(words.say("closing_without", areas=m.names(a for a, _ in ranking.without)))
    return said


def _closing_highest(m: Material, place: tuple[Placed, ...]) -> Said:
    area, rate = place[0]
    if len(place) == 1:
        return m.words.say("closing_highest", area=area.name, rate=rate)
    return m.words.say("closing_highest_tied", areas=m.names(a for a, _ in place), rate=rate)


def _closing_low(m: Material, area: Area, rate: Figure) -> Said:
    words, key = m.words, closing_key(area)
    types = []
    for kind in m.scope.types:
        unclosed, overdue = (
            m.fig(f"{key}.{kind.code}.unclosed"),
            m.fig(f"{key}.{kind.code}.overdue"),
        )
        names = {(True, True): "type_both", (True, False): "type_unclosed",
                 (False, True): "type_overdue"}  # fmt: skip
        template = names.get((bool(unclosed.numerator), bool(overdue.numerator)))
        if template:
            types.append(words.say(template, type=kind.name, unclosed=unclosed, overdue=overdue))
    if not types:
        counts = {name: m.fig(f"{key}.{name}") for name in ("unclosed", "overdue")}
        return words.say("closing_low_plain", area=area.name, rate=rate, **counts)
    return words.say("closing_low", area=area.name, rate=rate, types=words.join("commas", types))


def quality(m: Material) -> Paragraph:
    """Tell where closing is best, and how many cases were substandard (结案质量)."""
    if "checks" not in m.facts:
        return m.missing("closing.quality", "checks")
    words = m.words
    best = m.ranking(m.scope.regions, "quality.{area}").lowest
    said = []
    if len(best) == 1:
        ((area, rate),) = best
        checked = m.fig(f"quality.{area.key}.checked")
        said.append(words.say("quality_best", areas=area.name, rate=rate, checked=checked))
    elif best:
        said.append(words.say("quality_best_tied", areas=m.names(a for a, _ in best),
                              rate=best[0][1]))  # fmt: skip
    parts = {name: m.fig(f"quality.{CITY_KEY}.{name}") for name in ("checked", "substandard")}
    return m.paragraph("closing.quality", *said, words.say("quality_total", **parts))
