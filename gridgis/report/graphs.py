"""The charts and region maps of the report, as data (图和区域图)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.model.measure import NO_RATE, Unit
from gridgis.model.period import Period
from gridgis.model.report import Chart, RegionMap, Series
from gridgis.report.indicators import closing_key
from gridgis.report.material import month_text
from gridgis.report.regimes import changes_between, tell_changes
from gridgis.report.scope import CITY_KEY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridgis.model.figures import Figure
    from gridgis.report.material import Material
    from gridgis.report.regimes import Change

RATES = {
    "closure_rate": f"closing.{CITY_KEY}.closure_rate",
    "on_time_closure_rate": f"closing.{CITY_KEY}.on_time_closure_rate",
    "dispatch_rate": f"dispatch.{CITY_KEY}",
}


def volume(m: Material) -> Chart:
    """Return cases by region as bars (各区域案件数量图)."""
    areas = (*m.scope.regions, *m.scope.rest)
    values = tuple(_number(m.fig(f"volume.{area.key}")) for area in areas)
    return Chart(
        key="volume_chart",
        title=m.words.word("volume", "chart"),
        kind="bar",
        labels=tuple(area.name for area in areas),
        series=(Series(m.words.word("cases", "chart"), values),),
        unit=m.words.word(Unit.CASES, "unit"),
    )


def closing(m: Material) -> Chart:
    """Return both closing rates by type as bars (分类型结案率图)."""
    shown = [*((kind.code, kind.name) for kind in m.scope.types),
             (CITY_KEY, m.words.word("all_types"))]  # fmt: skip
    return Chart(
        key="closing_chart",
        title=m.words.word("closing", "chart"),
        kind="bar",
        labels=tuple(name for _, name in shown),
        series=tuple(
            Series(
                m.words.word(rate, "chart"),
                tuple(_number(m.fig(f"closing.{code}.{rate}")) for code, _ in shown),
            )
            for rate in ("closure_rate", "on_time_closure_rate")
        ),
        unit=m.words.word("percent", "chart"),
    )


def trends(m: Material) -> list[Chart]:
    """Return cases and rates by month, of the months that are given (趋势图)."""
    months = sorted([*((e.month, f"{name}.") for name, e in m.earlier.items()),
                     (m.scope.month, "")])  # fmt: skip
    if len(months) == 1:
        return []
    cases = tuple(_known(m, prefix, f"volume.{CITY_KEY}") for _, prefix in months)
    counted = Series(m.words.word("cases", "chart"), cases)
    rates = tuple(
        Series(m.words.word(name, "chart"), tuple(_known(m, prefix, key) for _, prefix in months))
        for name, key in RATES.items()
    )
    names = [month for month, _ in months]
    charts = [
        _trend(m, "trend", names, (counted,), m.words.word(Unit.CASES, "unit")),
        _trend(m, "trend_rates", names, rates, m.words.word("percent", "chart")),
    ]
    return [chart for chart in charts if any(_is_line(series) for series in chart.series)]


def _is_line(series: Series) -> bool:
    return sum(value is not None for value in series.values) > 1


def _trend(
    m: Material, key: str, months: Sequence[str], series: tuple[Series, ...], unit: str
) -> Chart:
    place, changes = _first_change(m, months)
    said = tell_changes(m.words, changes)
    return Chart(
        key=f"{key}_chart",
        title=m.words.word(key, "chart"),
        kind="line",
        labels=tuple(month_text(m.words, month) for month in months),
        series=series,
        unit=unit,
        note=m.words.say("chart_break", changes=said).text if changes else "",
        break_after=place,
    )


def _first_change(m: Material, months: Sequence[str]) -> tuple[int | None, tuple[Change, ...]]:
    """Return before which label the regime first changes, and every change of the months."""
    periods = [Period.month(month, m.profile.time_zone) for month in months]
    first, last = periods[0].start.date(), periods[-1].end.date()
    for place in range(1, len(periods)):
        if changes_between(m.profile.ledger.regimes, first, periods[place].end.date()):
            return place, changes_between(m.profile.ledger.regimes, first, last)
    return None, ()


def days(m: Material) -> Chart | None:
    """Return cases by day, if they are given (逐日图)."""
    if not m.extras.days:
        return None
    given = sorted(m.extras.days)
    changes = changes_between(m.profile.ledger.regimes, given[0][0], m.scope.end)
    said = tell_changes(m.words, changes)
    before = sum(day < changes[0].day for day, _ in given) if changes else None
    return Chart(
        key="days_chart",
        title=m.words.word("days", "chart"),
        kind="line",
        labels=tuple(f"{day.month}-{day.day}" for day, _ in given),
        series=(Series(m.words.word("cases", "chart"), tuple(float(n) for _, n in given)),),
        unit=m.words.word(Unit.CASES, "unit"),
        note=m.words.say("chart_break", changes=said).text if changes else "",
        break_after=before,
    )


def map_volume(m: Material) -> RegionMap:
    """Return cases by region for a map (案件数量区域图)."""
    keys = {area.key: f"volume.{area.key}" for area in m.scope.regions}
    return _region_map(m, "map_volume", keys, m.words.word(Unit.CASES, "unit"))


def map_closing(m: Material) -> RegionMap:
    """Return closure rates by region for a map; a region without one is hatched (结案率区域图)."""
    keys = {area.key: f"{closing_key(area)}.closure_rate" for area in m.scope.regions}
    return _region_map(m, "map_closing", keys, m.words.word("percent", "chart"))


def _region_map(m: Material, key: str, keys: dict[str, str], unit: str) -> RegionMap:
    values = {code: _number(m.fig(figure)) for code, figure in keys.items()}
    texts = {code: m.words.text(m.fig(figure)) for code, figure in keys.items()}
    return RegionMap(
        key=key,
        title=m.words.word(key, "chart"),
        values={code: value for code, value in values.items() if value is not None},
        texts={code: text for code, text in texts.items() if text != NO_RATE},
        unit=unit,
    )


def _known(m: Material, prefix: str, key: str) -> float | None:
    """Return a value, or None if the month has no rows of its fact."""
    facts = m.earlier[prefix[:-1]].facts if prefix else m.facts
    figure = m.fig(f"{prefix}{key}")
    return _number(figure) if figure.over.fact in facts else None


def _number(figure: Figure) -> float | None:
    """Return a count, or a rate in percent with four decimals; None over a denominator of 0."""
    if figure.value is None:
        return None
    return float(figure.value) if figure.whole is None else round(float(figure.value) * 100, 4)
