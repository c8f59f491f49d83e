"""Charts of the report: bars and lines of finished values (统计图)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, MaxNLocator

from gridgis.report.canvas import ALARM, QUIET, drawable, drawn, shortened
from gridgis.report.plain import NOTHING, number_text, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.container import BarContainer
    from matplotlib.figure import Figure

    from gridgis.model.report import Chart, Series
    from gridgis.report.canvas import Picture
    from gridgis.report.plain import FormWords

COLOURS = ("#0b57d0", "#e07b00", "#00795c", "#a8328f", "#6b6b6b")
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx")
MARKERS = ("o", "s", "^", "D", "v")
"""Colour is never alone: a copy in black and white tells the series apart too."""
MOST_UPRIGHT = 8
"""More bars, or longer names below them, lie on their side."""
LONGEST_UPRIGHT, LONGEST = 5, 16
ROW_IN, LOWEST_IN, HIGHEST_IN = 0.26, 2.5, 7.6
MOST_NUMBERS, MOST_NUMBERED_POINTS = 60, 14
"""More numbers beside bars, or along a line, would cover each other."""
MOST_TICKS, LINE_CHARACTERS = 24, 100
FEWEST_SLOTS = 5
"""Fewer bars do not grow wider."""
_ALT = 600


def draw_chart(chart: Chart, say: FormWords, *, notice: str = "") -> Picture:
    """
    Draw one chart; its title is the caption that the form sets (绘统计图).

    Parameters
    ----------
    notice : str
        Label of synthetic data, drawn into the picture: it stays when that is copied.
    """
    lying = _lies(chart)
    height = _height_in(chart) if lying else LOWEST_IN

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        if chart.kind == "line":
            _lines(axes, chart)
        elif lying:
            _lying_bars(axes, chart)
        else:
            _upright_bars(axes, chart)
        if chart.break_after is not None:
            _mark_break(axes, chart.break_after, drawable(say("chart.break")))
        _furnish(figure, axes, chart, say)
        figure.text(0.995, 0.99, drawable(notice), ha="right", va="top", size=7, color=ALARM)
        bottom = 0.1 if len(chart.series) > 1 else 0.0
        figure.tight_layout(rect=(0, bottom * LOWEST_IN / height, 1, 0.97))

    return drawn(draw, height_in=height, alt=_alt(chart, say))


def _lies(chart: Chart) -> bool:
    """Tell whether bars lie on their side: months always stand."""
    long = any(len(label) > LONGEST_UPRIGHT for label in chart.labels)
    many = len(chart.labels) > MOST_UPRIGHT
    return chart.kind == "bar" and chart.break_after is None and (long or many)


def _height_in(chart: Chart) -> float:
    rows = len(chart.labels) * max(1.0, 0.7 * len(chart.series))
    return min(max(LOWEST_IN, 0.9 + ROW_IN * rows), HIGHEST_IN)


def _lines(axes: Axes, chart: Chart) -> None:
    """Draw lines that stop at missing values and at a change of the regime."""
    at = np.arange(len(chart.labels))
    for number, series in enumerate(chart.series):
        style = {"color": COLOURS[number % 5], "marker": MARKERS[number % 5], "markersize": 4}
        values = _as_array(series)
        cut = chart.break_after
        parts = [slice(None)] if cut is None else [slice(None, cut), slice(cut, None)]
        for position, part in enumerate(parts):
            name = drawable(series.name) if position == 0 else "_"
            axes.plot(at[part], values[part], linewidth=1.6, label=name, **style)  # type: ignore[arg-type]
        if _numbered(chart):
            points = zip(at.tolist(), series.values, _numbers(chart, series), strict=True)
            for x, value, number_shown in points:
                if value is not None:
                    axes.annotate(
                        number_shown, (x, value), xytext=(0, 5), ha="center", size=7.5,
                        textcoords="offset points", color=style["color"],
                    )  # fmt: skip
    axes.margins(y=0.18)
    _label_ticks(axes, chart)


def _upright_bars(axes: Axes, chart: Chart) -> None:
    thickness = 0.72 / max(1, len(chart.series))
    for number, series in enumerate(chart.series):
        at = _positions(chart, number, thickness)
        bars = axes.bar(
            at, np.nan_to_num(_as_array(series)), thickness * 0.94, label=drawable(series.name),
            **_fill(number),
        )  # fmt: skip
        _hide_missing(bars, series)
        if _numbered(chart):
            axes.bar_label(bars, _numbers(chart, series), size=7.5, padding=2)
    axes.margins(y=0.14)
    _label_ticks(axes, chart)


def _lying_bars(axes: Axes, chart: Chart) -> None:
    thickness = 0.76 / max(1, len(chart.series))
    for number, series in enumerate(chart.series):
        at = _positions(chart, number, thickness)
        bars = axes.barh(
            at, np.nan_to_num(_as_array(series)), thickness * 0.94, label=drawable(series.name),
            **_fill(number),
        )  # fmt: skip
        _hide_missing(bars, series)
        if _numbered(chart):
            axes.bar_label(bars, _numbers(chart, series), size=_small(chart), padding=2)
    names = [shortened(label, LONGEST) for label in chart.labels]
    axes.set_yticks(range(len(names)), names, size=_small(chart) + 1)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.margins(x=0.14)


def _positions(chart: Chart, number: int, thickness: float) -> list[float]:
    """Return where the bars of a series stand: beside those of the others."""
    offset = (number - (len(chart.series) - 1) / 2) * thickness
    return [at + offset for at in range(len(chart.labels))]


def _fill(number: int) -> dict[str, Any]:
    colour = COLOURS[number % len(COLOURS)]
    if not number:
        return {"color": colour}
    return {"facecolor": "white", "edgecolor": colour, "hatch": HATCHES[number % len(HATCHES)]}


def _small(chart: Chart) -> float:
    """Return a type size at which so many bars keep their numbers apart."""
    room_in = _height_in(chart) / max(1, len(chart.labels) * len(chart.series))
    return max(4.0, min(7.5, room_in * 72 * 0.62))


def _label_ticks(axes: Axes, chart: Chart) -> None:
    """Name the places below a chart; of very many only every so many-th."""
    step = -(-len(chart.labels) // MOST_TICKS) or 1
    at = range(0, len(chart.labels), step)
    names = [shortened(chart.labels[n], LONGEST) for n in at]
    crowded = sum(text_width(name) + 1 for name in names) > LINE_CHARACTERS
    axes.set_xticks(
        at, names, size=8.5, rotation=35 if crowded else 0, ha="right" if crowded else "center"
    )
    spare = max(0.6, (FEWEST_SLOTS - len(chart.labels)) / 2)
    axes.set_xlim(-spare, len(chart.labels) - 1 + spare)


def _mark_break(axes: Axes, after: int, text: str) -> None:
    """Draw the line across which values do not compare."""
    axes.axvline(after - 0.5, color=ALARM, linestyle=(0, (4, 3)), linewidth=1)
    axes.annotate(
        text, (after - 0.5, 1), xycoords=("data", "axes fraction"), xytext=(0, 2), size=7.5,
        textcoords="offset points", va="bottom", ha="center", color=ALARM,
    )  # fmt: skip


def _furnish(figure: Figure, axes: Axes, chart: Chart, say: FormWords) -> None:
    """Add unit, grid and legend."""
    lying = _lies(chart)
    axes.grid(visible=True, axis="x" if lying else "y")
    values = axes.xaxis if lying else axes.yaxis
    values.set_major_locator(MaxNLocator(5))
    values.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))
    values.set_tick_params(labelsize=8)
    unit = drawable(say("chart.unit", unit=chart.unit))
    if not lying and axes.get_ylim()[0] > 0:
        unit += drawable(say("chart.cut"))
    figure.text(0.005, 0.99, unit, ha="left", va="top", size=8, color=QUIET)
    if len(chart.series) > 1:
        handles, names = axes.get_legend_handles_labels()
        figure.legend(
            handles, [shortened(name, LONGEST) for name in names], loc="lower center", ncols=5,
            fontsize=8.5,
        )  # fmt: skip


def _numbered(chart: Chart) -> bool:
    most = MOST_NUMBERED_POINTS if chart.kind == "line" else len(chart.labels)
    return len(chart.labels) <= most and len(chart.labels) * len(chart.series) <= MOST_NUMBERS


def _numbers(chart: Chart, series: Series) -> list[str]:
    """Return the values as texts, with decimals if any of the chart's has some."""
    whole = all(
        value is None or value == int(value) for one in chart.series for value in one.values
    )
    return [NOTHING if v is None else number_text(v, whole=whole) for v in series.values]


def _hide_missing(bars: BarContainer, series: Series) -> None:
    for bar, value in zip(bars, series.values, strict=True):
        bar.set_visible(value is not None)


def _as_array(series: Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array([np.nan if v is None else v for v in series.values], dtype=np.float64)


def _alt(chart: Chart, say: FormWords) -> str:
    told = [f"{chart.title}（{say('chart.unit', unit=chart.unit)}）"]
    for series in chart.series:
        pairs = zip(chart.labels, _numbers(chart, series), strict=True)
        told.append(f"{series.name}：" + "，".join(f"{label} {number}" for label, number in pairs))
    text = "；".join(told)
    return text if len(text) <= _ALT else f"{text[:_ALT]}…"
