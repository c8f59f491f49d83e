"""The sentences of supervision and dispatch (监督、派遣部分文字)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.report.scope import CITY_KEY

if TYPE_CHECKING:
    from gridgis.model.figures import Figure
    from gridgis.model.report import Paragraph
    from gridgis.report.material import Material
    from gridgis.report.ranks import Placed
    from gridgis.report.scope import Area, Block
    from gridgis.report.wording import Said

LOWER = 2
"""How many areas a sentence names as the lower ones."""
TOP_SAID = 2
"""How many subcategories of a kind a sentence names."""


def accepted(m: Material) -> Paragraph:
    """Tell how many cases were accepted, from which sources (受理)."""
    words, total = m.words, m.fig("intake.accepted")
    if "intake" not in m.facts:
        return m.missing("supervision.accepted", "cases")
    sources = [s for s in m.scope.sources if m.fig(f"intake.source.{s.code}").numerator]
    tiered = [
        words.say("source_share", source=s.name, n=m.fig(f"intake.source.{s.code}"),
                  share=m.fig(f"intake.source.{s.code}.share"))
        for s in sources if s.code in m.scope.tiered
    ]  # fmt: skip
    others = [
        words.say("source", source=s.name, n=m.fig(f"intake.source.{s.code}"))
        for s in sources if s.code not in m.scope.tiered
    ]  # fmt: skip
    if m.fig("intake.source.none").numerator:
        name = words.word("no_source")
        others.append(words.say("source", source=name, n=m.fig("intake.source.none")))
    if not total.numerator:
        first = words.say("accepted_none", month=m.month_name)
    elif tiered:
        first = words.say("accepted_tiered", month=m.month_name, accepted=total,
                          sources=words.join("clauses", tiered))  # fmt: skip
    else:
        first = words.say("accepted", month=m.month_name, accepted=total)
    own = m.fig("intake.self_handled")
    return m.paragraph(
        "supervision.accepted",
        first,
        words.say("sources", sources=words.join("items", others)) if others else None,
        words.say("self_handled", n=own) if own.numerator else None,
    )


def classes(m: Material) -> Paragraph | None:
    """Tell the subcategories that occur most (案件类别)."""
    words, told, wholes = m.words, [], []
    for kind in m.scope.kinds:
        prefix = f"class.{kind.code}."
        shares = [
            words.say("class_share", subcategory=m.scope.subcategory(code), share=m.fig(key))
            for key in m.figures
            if key.startswith(prefix) and "." not in (code := key.removeprefix(prefix))
            if code not in ("rest", "restricted")
        ]
        if shares:
            best = words.join("names", shares[:TOP_SAID])
            told.append(words.say("class_kind", kind=kind.name, subcategories=best))
            wholes.append(words.say("class_n", kind=kind.name, n=m.fig(f"class.{kind.code}")))
    if not told:
        return None
    return m.paragraph(
        "supervision.classes",
        words.say("classes", kinds=words.join("clauses", told)),
        words.say("class_whole", kinds=words.join("items", wholes)),
    )


def volume(m: Material) -> Paragraph | None:
    """Tell where most and fewest cases are, group by group, and what counts in no region."""
    if "intake" not in m.facts:
        return None
    words = m.words
    groups = [(g.name, m.scope.members(g)) for g in m.scope.groups] or [
        (m.scope.city.name, m.scope.regions)
    ]
    said = [s for place, (name, areas) in enumerate(groups)
            for s in _volume_of(m, name, areas, first=place == 0)]  # fmt: skip
    rest = [m.fig(key) for key in m.rest_keys("volume.{area}")]
    parts = [
        words.say("rest_part", area=area.name, n=figure)
        for area, figure in zip(m.scope.rest, rest, strict=True)
        if figure.numerator
    ]
    if parts:
        uncounted = sum(int(figure.numerator) for figure in rest)
        said.append(words.say("volume_rest", total=m.fig(f"volume.{CITY_KEY}"), rest=uncounted,
                              parts=words.join("items", parts)))  # fmt: skip
    return m.paragraph("supervision.volume", *said) if said else None


def _volume_of(m: Material, name: str, areas: tuple[Area, ...], *, first: bool) -> list[Said]:
    words, ranking = m.words, m.ranking(areas, "volume.{area}")
    said = []
    if len(ranking.places) > 1:
        said.append(
            words.say(
                "volume_first" if first else "volume_next",
                group=name,
                most=_volume_place(m, ranking.highest),
                least=_volume_place(m, ranking.lowest),
            )
        )
    elif len(ranking.highest) == 1:
        ((area, figure),) = ranking.highest
        said.append(words.say("volume_one", group=name, area=area.name, n=figure))
    elif ranking.places:
        areas_said = m.names(area for area, _ in ranking.highest)
        n = ranking.highest[0][1]
        said.append(words.say("volume_level", group=name, areas=areas_said, n=n))
    if ranking.without and ranking.places:
        said.append(words.say("volume_without", areas=m.names(a for a, _ in ranking.without)))
    return said


def _volume_place(m: Material, place: tuple[Placed, ...]) -> Said:
    area, figure = place[0]
    share = m.fig(f"volume.{area.key}.share")
    if len(place) == 1:
        return m.words.say("volume_area", area=area.name, n=figure, share=share)
    return m.words.say("volume_tied", areas=m.names(a for a, _ in place), n=figure, share=share)


def dispatch(m: Material) -> list[Paragraph]:
    """Tell dispatch rates, block by block of comparable areas (案件派遣)."""
    if "tasks" not in m.facts:
        return [m.missing("dispatch.total", "tasks")]
    words, key = m.words, f"dispatch.{CITY_KEY}"
    parts = {name: m.fig(f"{key}.{name}") for name in ("due", "on_time", "overdue")}
    told = [m.paragraph("dispatch.total", words.say("dispatch_unit", **parts, rate=m.fig(key)))]
    blocks = m.scope.blocks()
    for number, block in enumerate(blocks, 1):
        said = [
            words.say("block", block=block_name(m, block)) if len(blocks) > 1 else None,
            *_dispatch_of(m, block),
        ]
        whole = words.join("sentences", [part for part in said if part is not None])
        if len(blocks) > 1:
            whole = words.say("part", number=words.numeral(number), text=whole)
        told.append(m.paragraph(f"dispatch.block{number}", whole))
    return told


def block_name(m: Material, block: Block) -> Said:
    """Return what a block of areas is called: its groups."""
    if block.is_last:
        return m.words.join("names", [block.name])
    groups = [m.scope.group_of(area).name for area in block.areas]
    return m.words.join("names", list(dict.fromkeys(groups)))


def _dispatch_of(m: Material, block: Block) -> list[Said]:
    words, ranking = m.words, m.ranking(block.areas, "dispatch.{area}")
    said = []
    if ranking.is_level:
        areas, rate = m.names(a for a, _ in ranking.highest), ranking.highest[0][1]
        said.append(words.say("dispatch_level", areas=areas, rate=rate))
    elif ranking.places:
        highest = _dispatch_highest(m, ranking.highest)
        if block.is_last:
            details = [_dispatch_last(m, area, rate) for area, rate in ranking.lowest]
            said.append(words.say("dispatch_lowest", highest=highest,
                                  details=words.join("clauses", details)))  # fmt: skip
        else:
            lower = ranking.lower(LOWER)
            details = [_dispatch_low(m, area, rate) for area, rate in lower]
            said.append(words.say("dispatch_lower", highest=highest,
                                  areas=m.names(a for a, _ in lower),
                                  details=words.join("clauses", details)))  # fmt: skip
    if ranking.without:
        said.append(words.say("dispatch_without", areas=m.names(a for a, _ in ranking.without)))
    return said


def _dispatch_highest(m: Material, place: tuple[Placed, ...]) -> Said:
    words = m.words
    area, rate = place[0]
    if len(place) == 1:
        return words.say("dispatch_highest", area=area.name, rate=rate, **_task_counts(m, area))
    members = [
        words.say("dispatch_all" if rate.value == 1 else "dispatch_some",
                  area=area.name, **_task_counts(m, area))
        for area, _ in place
    ]  # fmt: skip
    return words.say("dispatch_highest_tied", areas=words.join("names", members), rate=rate)


def _task_counts(m: Material, area: Area) -> dict[str, Figure]:
    return {name: m.fig(f"dispatch.{area.key}.{name}") for name in ("due", "on_time")}


def _dispatch_low(m: Material, area: Area, rate: Figure) -> Said:
    words, key = m.words, f"dispatch.{area.key}"
    counts = {name: m.fig(f"{key}.{name}") for name in ("due", "overdue")}
    listed = class_counts(m, f"{key}.overdue.", "overdue_class")
    if not listed:
        return words.say("dispatch_low_plain", area=area.name, rate=rate, **counts)
    return words.say("dispatch_low", area=area.name, rate=rate, **counts,
                     classes=words.join("names", listed))  # fmt: skip


def class_counts(m: Material, prefix: str, template: str) -> list[Said]:
    """Return the subcategories listed under a prefix of keys, the largest first."""
    return [
        m.words.say(template, subcategory=m.scope.subcategory(key.removeprefix(prefix)), n=figure)
        for key, figure in m.figures.items()
        if key.startswith(prefix)
    ]


def _dispatch_last(m: Material, area: Area, rate: Figure) -> Said:
    overdue = m.fig(f"dispatch.{area.key}.overdue")
    return m.words.say("dispatch_last", area=area.name, rate=rate, overdue=overdue,
                       **_task_counts(m, area))  # fmt: skip
