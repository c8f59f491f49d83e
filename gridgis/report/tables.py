"""The tables of the report: rows by source, class, region and type, with rest and total (表格)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.model.report import Cell, Table
from gridgis.report.indicators import class_name, closing_key
from gridgis.report.scope import CITY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gridgis.report.material import Material
    from gridgis.report.scope import Area, Named

VOLUME = ("volume.{area}", "volume.{area}.share", "volume.{area}.accepted",
          "volume.{area}.self_handled")  # fmt: skip
DISPATCH = ("dispatch.{area}.due", "dispatch.{area}.on_time", "dispatch.{area}.overdue",
            "dispatch.{area}")  # fmt: skip
CLOSING = tuple(
    f"{{closing}}.{name}"
    for name in ("cumulative", "closed", "unclosed", "closure_rate", "due", "on_time", "overdue",
                 "on_time_closure_rate")
)  # fmt: skip
BY_TYPE = ("on_time", "due", "closed", "cumulative", "closure_rate", "on_time_closure_rate",
           "closure_rate_std")  # fmt: skip
QUALITY = ("quality.{area}.checked", "quality.{area}.substandard", "quality.{area}")
RESPONSE = tuple(
    f"response.{{area}}.{name}" for name in ("due", "responded", "disposed", "called", "satisfied")
)
GROUPS = ("volume.{area}", "volume.{area}.share", "dispatch.{area}.due", "dispatch.{area}",
          "{closing}.cumulative", "{closing}.closure_rate", "{closing}.on_time_closure_rate",
          "response.{area}.due")  # fmt: skip


def by_area(
    m: Material,
    name: str,
    keys: Sequence[str],
    *,
    key: str = "",
    areas: Sequence[Area] | None = None,
    columns: Iterable[str] = (),
    note: str = "",
    **names: str,
) -> Table:
    """
    Return a table with a row per region, then the rest and the city (分区域表).

    Parameters
    ----------
    keys : sequence of str
        Keys of figures per column, with `{area}` or `{closing}` in place of the area.
    areas : sequence of Area, optional
        Rows before the total; by default all regions, then the rest.
    columns : iterable of str
        Names of columns after those of the wording.
    """
    title, *given = m.words.table(name, **names)
    shown = [*(areas if areas is not None else (*m.scope.regions, *m.scope.rest)), m.scope.city]
    rows = tuple((Cell(area.name), *(m.cell(_key(pattern, area)) for pattern in keys))
                 for area in shown)  # fmt: skip
    return Table(key or name, title, (*given, *columns), rows, note, total_rows=1)


def _key(pattern: str, area: Area) -> str:
    return pattern.format(area=area.key, closing=closing_key(area))


def sources(m: Material) -> Table:
    """Return accepted cases by source (来源表)."""
    words = m.words
    title, *columns = words.table("sources")
    shown = [(source.code, source.name) for source in m.scope.sources]
    if m.fig("intake.source.none").numerator:
        shown.append(("none", words.word("no_source")))
    rows = [
        (Cell(name), m.cell(f"intake.source.{code}"), m.cell(f"intake.source.{code}.share"))
        for code, name in shown
    ]
    total = (Cell(words.word("all_types")), m.cell("intake.accepted"), Cell(""))
    note = words.note("self_handled", n=words.text(m.fig("intake.self_handled")))
    return Table("sources", title, tuple(columns), (*rows, total), note, total_rows=1)


def classes(m: Material, kind: Named) -> Table:
    """Return the subcategories of a kind that occur most, and the others (小类表)."""
    words, prefix = m.words, f"class.{kind.code}."
    title, *columns = words.table("classes", kind=kind.name)
    codes = [key.removeprefix(prefix) for key in m.figures if key.startswith(prefix)]
    rows = [
        (Cell(class_name(m.scope, words, code)), m.cell(f"{prefix}{code}.n"),
         m.cell(f"{prefix}{code}"), m.cell(f"{prefix}{code}.of_all"))
        for code in codes if "." not in code
    ]  # fmt: skip
    total = (Cell(words.word("all_types")), m.cell(f"class.{kind.code}"), Cell(""), Cell(""))
    return Table(f"classes.{kind.code}", title, tuple(columns), (*rows, total), total_rows=1)


def groups(m: Material) -> Table:
    """Return what groups of regions have; regions without a group stand beside them (分组表)."""
    single = [area for area in m.scope.regions if m.scope.group_of(area) == m.scope.city]
    return by_area(m, "groups", GROUPS, areas=[*m.scope.groups, *single, *m.scope.rest])


def closing_types(m: Material) -> Table:
    """Return the closing table of assessment types, with both denominators (分类型结案表)."""
    words = m.words
    title, *columns = words.table("closing_types")
    shown = [(kind.code, kind.name) for kind in m.scope.types]
    rows = tuple(
        (Cell(name), *(m.cell(f"closing.{code}.{measure}") for measure in BY_TYPE))
        for code, name in [*shown, (CITY_KEY, words.word("all_types"))]
    )
    note = ""
    if m.scope.types and (rest := m.fig("closing.not_assessed.cumulative")).numerator:
        note = words.note("not_assessed", n=words.text(rest))
    return Table("closing_types", title, tuple(columns), rows, note, total_rows=1)


def of_types(m: Material, measure: str) -> Table:
    """Return a measure of closing by region and type (区域×类型)."""
    shown = [*m.scope.regions, *m.scope.rest]
    codes = [kind.code for kind in m.scope.types]
    title, *columns = m.words.table(measure)
    rows = [
        (Cell(area.name), *(m.cell(f"{closing_key(area)}.{code}.{measure}") for code in codes),
         m.cell(f"{closing_key(area)}.{measure}"))
        for area in shown
    ]  # fmt: skip
    city = (Cell(m.scope.city.name), *(m.cell(f"closing.{code}.{measure}") for code in codes),
            m.cell(f"closing.{CITY_KEY}.{measure}"))  # fmt: skip
    names = [kind.name for kind in m.scope.types]
    return Table(measure, title, (*columns, *names, m.words.word("all_types")), (*rows, city),
                 total_rows=1)  # fmt: skip


def tier(m: Material, of: Named) -> Table:
    """Return closure rates of one tier's cases by region and type (分层级结案率)."""
    keys = [f"closing.tier.{of.code}.{{area}}.{kind.code}.closure_rate" for kind in m.scope.types]
    names = [kind.name for kind in m.scope.types]
    return by_area(
        m,
        "tier",
        [*keys, f"closing.tier.{of.code}.{{area}}.closure_rate"],
        key=f"tier.{of.code}",
        columns=[*names, m.words.word("all_types")],
        tier=of.name,
    )


def whistles(m: Material) -> Table:
    """Return whistles by region and level; regions without any are left out (吹哨表)."""
    title, *columns = m.words.table("whistles")
    levels = [level.code for level in m.scope.levels]
    rows = [
        (Cell(area.name), *(m.cell(f"whistle.{area.key}.{level}") for level in levels),
         m.cell(f"whistle.{area.key}"))
        for area in _nonzero(m, "whistle.{area}")
    ]  # fmt: skip
    total = (Cell(m.scope.city.name), *(m.cell(f"whistle.level.{level}") for level in levels),
             m.cell(f"whistle.{CITY_KEY}"))  # fmt: skip
    return Table("whistles", title, tuple(columns), (*rows, total), m.words.note("nonzero"),
                 total_rows=1)  # fmt: skip


def key_cases(m: Material) -> Table:
    """Return key cases resolved by region; regions without any are left out (重点案件表)."""
    return by_area(m, "key_cases", ["key_cases.{area}"], areas=_nonzero(m, "key_cases.{area}"),
                   note=m.words.note("nonzero"))  # fmt: skip


def _nonzero(m: Material, pattern: str) -> list[Area]:
    areas = (*m.scope.regions, *m.scope.rest)
    return [area for area in areas if m.fig(_key(pattern, area)).numerator]
