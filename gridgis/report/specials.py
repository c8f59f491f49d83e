"""The sentences of special work: whistles and the hotline (专项工作部分文字)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.report.scope import CITY_KEY

if TYPE_CHECKING:
    from gridgis.model.report import Paragraph
    from gridgis.report.material import Material
    from gridgis.report.ranks import Placed
    from gridgis.report.scope import Area
    from gridgis.report.wording import Said


def whistles(m: Material) -> Paragraph:
    """Tell how often departments were called together, and by whom (吹哨报到)."""
    if "whistles" not in m.facts:
        return m.missing("special.whistles", "whistles")
    words, total = m.words, m.fig(f"whistle.{CITY_KEY}")
    levels = [
        words.say("level", level=level.name, n=figure)
        for level in m.scope.levels
        if (figure := m.fig(f"whistle.level.{level.code}")).numerator
    ]
    most = m.ranking(m.scope.regions, "whistle.{area}").highest
    joined = words.join("commas", levels)
    if not most:
        said = words.say("whistles_short", n=total, levels=joined)
    else:
        template = "whistles_most" if len(most) == 1 else "whistles_most_tied"
        areas = words.say(template, areas=m.names(a for a, _ in most), n=most[0][1])
        said = words.say("whistles", n=total, levels=joined, areas=areas)
    return _part(m, "special.whistles", 1, said)


def response(m: Material) -> Paragraph:
    """Tell how complaints of the hotline were answered (接诉即办)."""
    if "response" not in m.facts:
        return m.missing("special.response", "response")
    words, due = m.words, m.fig(f"response.{CITY_KEY}.due")
    ranking = m.ranking(m.scope.regions, "response.{area}.due")
    if len(ranking.places) > 1:
        first = words.say("response", due=due, most=_responses(m, ranking.highest),
                          least=_responses(m, ranking.lowest))  # fmt: skip
    elif ranking.places:
        first = words.say("response_level", due=due, areas=_responses(m, ranking.highest))
    else:
        first = words.say("response_short", due=due)
    without = m.names(a for a, _ in ranking.without)
    said = [first]
    if ranking.without and ranking.places:
        said.append(words.say("response_without", areas=without))
    return _part(m, "special.response", 2, *said)


def _responses(m: Material, place: tuple[Placed, ...]) -> Said:
    return m.words.join("clauses", [_response_of(m, area) for area, _ in place])


def _response_of(m: Material, area: Area) -> Said:
    """Return how complaints of an area were answered."""
    key = f"response.{area.key}"
    rates = {name: m.fig(f"{key}.{name}") for name in ("responded", "disposed", "satisfied")}
    return m.words.say("response_area", area=area.name, n=m.fig(f"{key}.due"), **rates)


def _part(m: Material, key: str, number: int, *said: Said) -> Paragraph:
    text = m.words.join("sentences", said)
    return m.paragraph(key, m.words.say("part", number=m.words.numeral(number), text=text))
