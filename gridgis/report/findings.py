"""
Cases of note, drafted from the figures: what went well and what is to be mended (正反面典型).

The rules are printed with the findings: a closure rate of one tier and type that fell by 20 points
to below 60 %, one that is 10 points under the other types, and 30 % of a type closed late or not at
all. A few base cases prove nothing and name nobody. Where the city has supervisors of its own, the
tiers of their cases are told alone: the second observer has no reason to spare a district.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from gridgis.model.report import Paragraph
from gridgis.report.indicators import closing_key
from gridgis.report.material import month_text, numbered
from gridgis.report.scope import LEVELS
from gridgis.report.sentences import block_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gridgis.model.figures import Figure
    from gridgis.report.material import Material
    from gridgis.report.scope import Area, Named
    from gridgis.report.wording import Said, Value

LOW = Decimal("0.6")
LOW_PERCENT = 60
FALL = Decimal("0.2")
GAP_POINTS = 10
OVERDUE_PERCENT = 30
FEW = 10
"""Base cases below which a rate is not told as a finding."""
MOST_WHISTLES = 2
MOST_BRIEF = 2
"""Findings that a brief of one page tells."""
MOST = 5
"""Findings of one rule that are told."""


@dataclass(frozen=True, slots=True)
class Low:
    """A region whose closure rate of one tier and type is low."""

    tier: Named
    type: Named
    area: Area
    now: Figure
    then: Figure | None


def good(m: Material) -> list[Paragraph]:
    """Return what went well: whistles that solved something, key cases, the best closure rate."""
    said = [*_whistles(m), *_key_cases(m), *_best_closure(m)] or [m.words.say("good_none")]
    heading = Paragraph("cases.good", m.words.say("good_title").text)
    shown = numbered(m.words, said)
    return [heading, *(m.paragraph(f"cases.good.{n}", s) for n, s in enumerate(shown, 1))]


def _whistles(m: Material) -> Iterator[Said]:
    names = {area.key: area.name for area in m.scope.regions}
    solved = [row for row in m.extras.whistles if row.get("resolved_at") and row.get("title")]
    solved.sort(key=lambda row: (LEVELS.index(str(row["level"])), str(row["whistle_no"])))
    for row in solved[:MOST_WHISTLES]:
        area, title = names.get(str(row["region_key"])), row["title"]
        if area:
            values = {"area": area, "number": str(row["whistle_no"]), "title": str(title)}
            participants = row.get("participants")
            template = "good_whistle" if participants else "good_whistle_short"
            yield m.words.say(template, **values, participants=_listed(m, participants))


def _listed(m: Material, participants: object) -> str:
    if isinstance(participants, list | tuple):
        return m.words.join("names", [str(one) for one in participants]).text
    return str(participants or "")


def _key_cases(m: Material) -> Iterator[Said]:
    most = m.ranking(m.scope.regions, "key_cases.{area}").highest
    if most:
        template = "good_key_cases" if len(most) == 1 else "good_key_cases_tied"
        yield m.words.say(template, areas=m.names(a for a, _ in most), n=most[0][1])


def _best_closure(m: Material) -> Iterator[Said]:
    for block in m.scope.blocks()[:1]:
        ranking = m.ranking(block.areas, "{closing}.closure_rate")
        if ranking.places and not ranking.is_level:
            areas = m.names(a for a, _ in ranking.highest)
            rate = ranking.highest[0][1]
            yield m.words.say("good_closure", areas=areas, rate=rate, block=block_name(m, block))


def bad(m: Material) -> list[Paragraph]:
    """Return what is to be mended: low closure rates, and places of recurrent complaints."""
    heading = Paragraph("cases.bad", m.words.say("bad_title").text)
    recurrent = _recurrent(m)
    shown = numbered(m.words, [low_rates(m), *([recurrent] if recurrent else [])])
    paragraphs = [m.paragraph(f"cases.bad.{n}", said) for n, said in enumerate(shown, 1)]
    return [heading, *paragraphs, *([] if recurrent else [m.placeholder("recurrence")])]


def low_rates(m: Material, *, brief: bool = False) -> Said:
    """Tell all closure rates that the rules find too low; in a brief without their figures."""
    low = lows(m)
    findings = [
        *_low(m, low, brief=brief),
        *_gaps(m, low, brief=brief),
        *_overdue(m, low, brief=brief),
    ]
    if not findings:
        return m.words.say("bad_none")
    if brief:
        told = m.words.join("clauses", findings[:MOST_BRIEF])
        return m.words.say("bad_brief", findings=told)
    return m.words.say("bad_rates", findings=m.words.join("clauses", findings))


def lows(m: Material) -> list[Low]:
    """Return closure rates by tier and type below 60 % that fell by 20 points in a month."""
    known = "closing" in m.earlier["previous"].facts if "previous" in m.earlier else False
    found = []
    for tier in _told_tiers(m):
        for kind in m.scope.types:
            for area in m.scope.regions:
                key = f"closing.tier.{tier.code}.{area.key}.{kind.code}.closure_rate"
                now, then = m.fig(key), m.fig(f"previous.{key}") if known else None
                if _is_low(now, then):
                    found.append(Low(tier, kind, area, now, then))
    return found


def _is_low(now: Figure, then: Figure | None) -> bool:
    if _is_few(now) or now.value is None or now.value >= LOW:
        return False
    return then is None or (then.value is not None and then.value - now.value >= FALL)


def _told_tiers(m: Material) -> list[Named]:
    """Return the city's tier, or all tiers where it has none."""
    own = [tier for tier in m.scope.tiers if tier.code == "city"]
    return own or list(m.scope.tiers)


def _is_few(figure: Figure) -> bool:
    return (figure.denominator or 0) < FEW


def _low(m: Material, found: list[Low], *, brief: bool) -> list[Said]:
    words, told = m.words, []
    groups = dict.fromkeys((low.tier, low.type) for low in found)
    for tier, kind in list(groups)[:MOST]:
        members = [low for low in found if (low.tier, low.type) == (tier, kind)]
        areas = m.names(low.area for low in members)
        level = words.say("below_one" if len(members) == 1 else "below_each", limit=LOW_PERCENT)
        values: dict[str, Value] = {
            "areas": areas,
            "tier": tier.name,
            "type": kind.name,
            "level": level,
            "rates": words.join("clauses", [_rate(m, low) for low in members]),
        }
        template = "bad_low"
        if members[0].then is not None:
            values["before"] = month_text(words, m.earlier["previous"].month, short=True)
            template = "bad_fall"
        told.append(words.say(f"{template}_brief" if brief else template, **values))
    return told


def _rate(m: Material, low: Low) -> Said:
    if low.then is None:
        return m.words.say("low_rate", area=low.area.name, now=low.now)
    before = month_text(m.words, m.earlier["previous"].month, short=True)
    return m.words.say("fall_rate", area=low.area.name, now=low.now, then=low.then, before=before)


def _gaps(m: Material, low: list[Low], *, brief: bool) -> list[Said]:
    """Tell types of a tier that a region closes 10 points more seldom than its other types."""
    template = "bad_gap_brief" if brief else "bad_gap"
    named = {(one.tier, one.type, one.area.key) for one in low}
    found = []
    for tier in _told_tiers(m):
        for kind in m.scope.types:
            for area in m.scope.regions:
                key = f"closing.tier.{tier.code}.{area.key}"
                rate = m.fig(f"{key}.{kind.code}.closure_rate")
                others = m.fig(f"{key}.not_{kind.code}.closure_rate")
                points = _points(rate, others)
                if points >= GAP_POINTS and (tier, kind, area.key) not in named:
                    values = {"area": area.name, "tier": tier.name, "type": kind.name}
                    said = m.words.say(template, **values, points=points, rate=rate, others=others)
                    found.append((points, said))
    found.sort(key=lambda pair: -pair[0])
    return [said for _, said in found[:MOST]]


def _points(rate: Figure, others: Figure) -> int:
    """Return by how many whole points a rate lies under another; 0 if it is of few cases."""
    if _is_few(rate) or _is_few(others) or rate.value is None or others.value is None:
        return 0
    return int(((others.value - rate.value) * 100).to_integral_value(ROUND_HALF_UP))


def _overdue(m: Material, low: list[Low], *, brief: bool) -> list[Said]:
    """Tell types of which a region closed 30 % late or not at all."""
    template = "bad_overdue_brief" if brief else "bad_overdue"
    named = {(one.type, one.area.key) for one in low}
    found = []
    for kind in m.scope.types:
        for area in m.scope.regions:
            share = m.fig(f"{closing_key(area)}.{kind.code}.overdue_rate")
            if (kind, area.key) in named or _is_few(share) or share.value is None:
                continue
            if (share.value * 100).to_integral_value(ROUND_HALF_UP) >= OVERDUE_PERCENT:
                values: Mapping[str, str] = {"area": area.name, "type": kind.name}
                found.append((share.numerator, m.words.say(template, **values, share=share)))
    found.sort(key=lambda pair: -pair[0])
    return [said for _, said in found[:MOST]]


def _recurrent(m: Material) -> Said | None:
    if not m.extras.places:
        return None
    places = [
        m.words.say("recurrent_place", place=place, subcategory=subcategory, n=n)
        for place, subcategory, n in m.extras.places
    ]
    return m.words.say("recurrence", places=m.words.join("items", places))
