"""
The annex that reconciles every total with its parts (对账).

A row: a total, what it is made of, the sum of the named parts, the rest that counts in no region
(or has no source, kind or type), and the difference, which is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from gridgis.model.case import Source
from gridgis.model.report import Cell, Table
from gridgis.report.indicators import closing_key
from gridgis.report.scope import CITY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gridgis.model.report import Paragraph
    from gridgis.report.material import Material
    from gridgis.report.scope import Area
    from gridgis.report.wording import Said

BY_REGION = {
    "intake": ("volume.{area}", "volume.{area}.accepted", "volume.{area}.self_handled"),
    "tasks": ("dispatch.{area}.due", "dispatch.{area}.on_time", "dispatch.{area}.overdue"),
    "closing": tuple(
        f"{{closing}}.{name}" for name in ("due", "on_time", "cumulative", "closed", "unclosed")
    ),
    "response": ("response.{area}.due", "response.{area}.called"),
    "complaints": ("complaints.{area}",),
    "whistles": ("whistle.{area}",),
    "checks": ("quality.{area}.checked", "quality.{area}.substandard"),
    "key_cases": ("key_cases.{area}",),
}
"""Figures that regions and rest sum to the city's, by fact."""
BY_TYPE = ("due", "on_time", "cumulative", "closed", "unclosed")


@dataclass(frozen=True, slots=True)
class Check:
    """A total and what it is made of."""

    total: str
    how: str
    parts: tuple[str, ...]
    rest: tuple[str, ...] = ()


def checks(m: Material) -> Iterator[Check]:
    """Yield every total of the facts that the month has."""
    if "intake" in m.facts:
        yield from _intake(m)
    for fact, patterns in BY_REGION.items():
        if fact in m.facts:
            for pattern in patterns:
                yield _by_region(m, pattern)
    if "tasks" in m.facts:
        key = f"dispatch.{CITY_KEY}"
        yield Check(f"{key}.due", "on_time_overdue", (f"{key}.on_time", f"{key}.overdue"))
    if "closing" in m.facts:
        yield from _closing(m)
    if "whistles" in m.facts:
        levels = tuple(f"whistle.level.{level.code}" for level in m.scope.levels)
        yield Check(f"whistle.{CITY_KEY}", "by_level", levels)


def _intake(m: Material) -> Iterator[Check]:
    sources = tuple(f"intake.source.{source.code}" for source in m.scope.sources)
    yield Check("intake.accepted", "by_source", sources, ("intake.source.none",))
    total = f"volume.{CITY_KEY}"
    yield Check(total, "own", ("intake.accepted", "intake.self_handled"))
    kinds = tuple(f"class.{kind.code}" for kind in m.scope.kinds)
    yield Check(total, "by_kind", kinds, ("class.none",))
    if m.scope.groups:
        single = [a for a in m.scope.regions if m.scope.group_of(a) == m.scope.city]
        areas = tuple(f"volume.{area.key}" for area in (*m.scope.groups, *single))
        yield Check(total, "by_group", areas, tuple(m.rest_keys("volume.{area}")))


def _by_region(m: Material, pattern: str) -> Check:
    def keys(areas: tuple[Area, ...]) -> tuple[str, ...]:
        return tuple(pattern.format(area=a.key, closing=closing_key(a)) for a in areas)

    (total,) = keys((m.scope.city,))
    return Check(total, "by_region", keys(m.scope.regions), keys(m.scope.rest))


def _closing(m: Material) -> Iterator[Check]:
    key = f"closing.{CITY_KEY}"
    if m.scope.types:
        for name in BY_TYPE:
            types = tuple(f"closing.{kind.code}.{name}" for kind in m.scope.types)
            yield Check(f"{key}.{name}", "by_type", types)
    for total, how, parts in (
        ("due", "on_time_overdue", ("on_time", "overdue")),
        ("cumulative", "closed_unclosed", ("closed", "unclosed")),
        ("cumulative", "due_carried", ("due", "carried_over")),
    ):
        yield Check(f"{key}.{total}", how, tuple(f"{key}.{part}" for part in parts))


def difference(m: Material, check: Check) -> Decimal:
    """Return a total less its parts and its rest: 0 if they agree."""
    return m.fig(check.total).numerator - _sum(m, check.parts) - _sum(m, check.rest)


def _sum(m: Material, keys: tuple[str, ...]) -> Decimal:
    return sum((m.fig(key).numerator for key in keys), Decimal(0))


def table(m: Material) -> Table:
    """Return the reconciliation, a row per total and way to make it (对账表)."""
    words = m.words
    title, *columns = words.table("reconcile")
    rows = tuple(
        (
            Cell(m.fig(check.total).label),
            m.cell(check.total),
            Cell(words.word(check.how, "check")),
            Cell(words.number(_sum(m, check.parts))),
            Cell(words.number(_sum(m, check.rest)) if check.rest else ""),
            Cell(words.number(difference(m, check))),
        )
        for check in checks(m)
    )
    return Table("reconcile", title, tuple(columns), rows)


def told(m: Material) -> Paragraph:
    """Tell whether all totals agree with their parts."""
    wrong = [m.fig(check.total).label for check in checks(m) if difference(m, check)]
    said = m.words.say("reconciled")
    if wrong:
        said = m.words.say("unreconciled", totals=m.words.join("names", list(dict.fromkeys(wrong))))
    return m.paragraph("reconcile.totals", said, m.words.say("units"))


def oddities(m: Material) -> Paragraph | None:
    """Tell what looks wrong and is not: more tasks than cases, rates of two denominators."""
    words, said = m.words, []
    tasks, unclosed = _more_tasks(m), _more_unclosed(m)
    if tasks and "intake" in m.facts:
        said.append(words.say("more_tasks", areas=words.join("items", tasks)))
    if unclosed and "intake" in m.facts:
        said.append(words.say("more_unclosed", areas=words.join("items", unclosed)))
    source = f"intake.source.{Source.HOTLINE_12345}"
    if "response" in m.facts and source in m.figures:
        due = m.fig(f"response.{CITY_KEY}.due")
        said.append(words.say("hotline", accepted=m.fig(source), due=due))
    above = [kind.name for kind in m.scope.types if _is_above(m, kind.code)]
    if above:
        said.append(words.say("over_cumulative", types=words.join("names", above)))
    return m.paragraph("reconcile.oddities", *said) if said else None


def _more_tasks(m: Material) -> list[Said]:
    pairs = ((area, m.fig(f"dispatch.{area.key}.due"), m.fig(f"volume.{area.key}"))
             for area in m.scope.regions)  # fmt: skip
    return [m.words.say("more_tasks_area", area=area.name, due=due, n=n)
            for area, due, n in pairs if due.numerator > n.numerator]  # fmt: skip


def _more_unclosed(m: Material) -> list[Said]:
    pairs = ((area, m.fig(f"{closing_key(area)}.unclosed"), m.fig(f"volume.{area.key}"))
             for area in m.scope.regions)  # fmt: skip
    return [m.words.say("more_unclosed_area", area=area.name, unclosed=unclosed, n=n)
            for area, unclosed, n in pairs if unclosed.numerator > n.numerator]  # fmt: skip


def _is_above(m: Material, code: str) -> bool:
    """Tell whether a type's on-time closure rate is above its closure rate."""
    on_time = m.fig(f"closing.{code}.on_time_closure_rate").value
    closure = m.fig(f"closing.{code}.closure_rate").value
    return on_time is not None and closure is not None and on_time > closure
