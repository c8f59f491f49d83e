"""
Maps of regions for print: classes, a legend with numbers, hatching where nothing is known (区域图).

Colours and classes are those of the web maps. Shapes come from the caller, in any CRS.
"""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

import numpy as np
import shapely
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.patheffects import Normal, Stroke

from gridgis.analysis.classify import ClassTable, natural_classes
from gridgis.errors import CrsError, InputError
from gridgis.model.legend import colour, colour_number, colour_numbers
from gridgis.report.canvas import ALARM, EDGE, INK, QUIET, WIDTH_IN, drawable, drawn, shortened
from gridgis.report.plain import NOTHING, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from shapely import MultiPolygon, Polygon

    Shape = Polygon | MultiPolygon

    from gridgis.analysis.classify import FloatArray
    from gridgis.model.report import RegionMap
    from gridgis.report.canvas import Picture
    from gridgis.report.plain import FormWords

CLASSES = 5
MAP_IN = 0.64 * WIDTH_IN
"""Width of the map; the legend has the rest."""
LINE_IN = 0.168
LOWEST_IN, HIGHEST_IN = 3.6, 8.0
EDGE_IN = 0.06
TOLERANCE_IN = 0.004
"""Vertices closer to the line than that cannot be seen."""
LABEL_PT = 7.5
LONGEST, LONGEST_LISTED = 10, 11
MOST_LISTED = 40
FOOT_CHARACTERS = 92
HATCH = "//////"


@dataclass(frozen=True, slots=True)
class _Place:
    """One region as it is drawn; its shape is in inches of the map."""

    number: int
    code: str
    name: str
    text: str
    value: float | None
    shape: Shape | None
    approximate: bool


@dataclass(frozen=True, slots=True)
class _Key:
    """One line of the legend."""

    text: str
    colour: str
    hatch: str | None = None


def draw_map(
    block: RegionMap, shapes: gpd.GeoDataFrame, say: FormWords, *, notice: str = ""
) -> Picture:
    """
    Draw regions coloured by their values (绘区域图).

    Parameters
    ----------
    shapes : GeoDataFrame
        `code name approximate` and the polygon, in the order of the list beside the map; with
        `attribution`, the sources are printed. A region without a polygon is listed only.
    notice : str
        Label of synthetic data, drawn into the picture: it stays when that is copied.

    Raises
    ------
    CrsError
        If the frame does not say its CRS.
    InputError
        If a value is negative: the classes are those of counts and rates.
    """
    for code, value in block.values.items():
        if not value >= 0:
            raise InputError(f"map {block.key}: region {code} has {value}, expected >= 0")
    places = _places(block, shapes)
    bounds, keys = _classes(block, places, say)
    listed = places if len(places) <= MOST_LISTED else []
    foot = _foot(places, shapes, say)
    foot_in = LINE_IN * (len(foot) + 0.3)
    list_in = LINE_IN * (len(keys) + len(listed) + 4)
    map_in = min(max(LOWEST_IN, list_in), HIGHEST_IN)
    degrees = shapes.crs is not None and shapes.crs.is_geographic
    placed = _placed(places, map_in, degrees=degrees)
    height_in = map_in + foot_in

    def draw(figure: Figure) -> None:
        low = foot_in / height_in
        map_axes = figure.add_axes((0, low, MAP_IN / WIDTH_IN, 1 - low))
        _draw_regions(_bare(map_axes, MAP_IN, map_in), placed, bounds)
        if all(place.shape is None for place in places):
            map_axes.text(MAP_IN / 2, map_in / 2, drawable(say("map.noshapes")), ha="center")
        side_axes = figure.add_axes((MAP_IN / WIDTH_IN, low, 1 - MAP_IN / WIDTH_IN, 1 - low))
        side = _bare(side_axes, WIDTH_IN - MAP_IN, map_in)
        top = _draw_keys(side, block, keys, map_in, say)
        _draw_list(side, listed, top, say)
        for number, line in enumerate(reversed(foot)):
            y = LINE_IN * (number + 0.3) / height_in
            figure.text(0.005, y, line, size=7, color=QUIET)
        figure.text(0.005, 0.995, drawable(notice), va="top", size=7, color=ALARM)

    return drawn(draw, height_in=height_in, alt=_alt(block, places))


def _places(block: RegionMap, shapes: gpd.GeoDataFrame) -> list[_Place]:
    """Return the regions of the frame, then those that have a value but no row in it."""
    if len(shapes) and shapes.crs is None:
        raise CrsError("shapes of a printed map have no CRS: set the one they are in")
    rows: list[tuple[str, str, Shape | None, bool]] = []
    if len(shapes):
        columns = (shapes["code"], shapes["name"], shapes.geometry, shapes["approximate"])
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
    known = {code for code, *_ in rows}
    rows += [(code, code, None, False) for code in block.texts if code not in known]
    return [
        _Place(
            number=number, code=code, name=name, text=block.texts.get(code, ""),
            value=block.values.get(code), approximate=bool(approximate),
            shape=None if shape is None or shape.is_empty else shape,
        )
        for number, (code, name, shape, approximate) in enumerate(rows, 1)
    ]  # fmt: skip


def _classes(
    block: RegionMap, places: list[_Place], say: FormWords
) -> tuple[list[float], list[_Key]]:
    """Return the bounds of the classes and the lines of the legend."""
    values = np.array(list(block.values.values()), dtype=np.float64)
    classes = natural_classes(ClassTable(values, np.ones(len(values)), values), CLASSES)
    whole = bool((values == np.floor(values)).all())
    keys = []
    if zeros := int((values == 0).sum()):
        keys.append(_Key(f"{say('map.zero')} ({say('map.regions', count=zeros)})", colour(0)))
    for number, entry in zip(colour_numbers(len(classes)) if classes else (), classes, strict=True):
        told = f"{_range(entry.lo, entry.hi, whole=whole)} "
        told += f"({say('map.regions', count=entry.places)})"
        keys.append(_Key(told, colour(number)))
    if missing := sum(place.value is None for place in places):
        told = f"{say('map.missing')} ({say('map.regions', count=missing)})"
        keys.append(_Key(told, "white", HATCH))
    return [entry.hi for entry in classes], keys


def _range(low: float, high: float, *, whole: bool) -> str:
    """Return the interval (low, high]; of counts as the whole numbers in it."""
    if whole:
        first, last = number_text(low + 1), number_text(high)
        return last if first == last else f"{first} – {last}"
    return f"≤ {number_text(high)}" if low == 0 else f"{number_text(low)} – {number_text(high)}"


def _placed(places: list[_Place], height_in: float, *, degrees: bool) -> list[_Place]:
    """Return the regions with their shapes in inches, in the middle of the map."""
    shapes = [place.shape for place in places if place.shape is not None]
    if not shapes:
        return []
    left, bottom, right, top = shapely.total_bounds(shapes).tolist()
    # a degree of longitude is shorter than one of latitude
    narrow = math.cos(math.radians((bottom + top) / 2)) if degrees else 1.0
    width, height = MAP_IN - 2 * EDGE_IN, height_in - 2 * EDGE_IN
    scale = min(width / max((right - left) * narrow, 1e-12), height / max(top - bottom, 1e-12))
    move = np.array([
        (MAP_IN - (right - left) * narrow * scale) / 2,
        (height_in - (top - bottom) * scale) / 2,
    ])  # fmt: skip

    def to_inches(points: FloatArray) -> FloatArray:
        return np.asarray((points - (left, bottom)) * (narrow * scale, scale) + move)

    def inches(shape: Shape) -> Shape:
        lean = shapely.simplify(shapely.transform(shape, to_inches), TOLERANCE_IN)
        return cast("Shape", shapely.buffer(lean, 0))  # valid, and polygons only

    return [
        replace(place, shape=inches(place.shape)) for place in places if place.shape is not None
    ]


def _bare(axes: Axes, width_in: float, height_in: float) -> Axes:
    """Return axes without a frame whose unit is the inch."""
    axes.set_axis_off()
    axes.set_xlim(0, width_in)
    axes.set_ylim(0, height_in)
    return axes


def _draw_regions(axes: Axes, places: list[_Place], bounds: list[float]) -> None:
    """Fill regions, the smaller above the larger, and name them where there is room."""
    by_size = sorted(places, key=lambda place: (-shapely.area(place.shape), place.number))
    above: Shape = shapely.Polygon()
    for level, place in reversed(list(enumerate(by_size))):
        if place.shape is not None:
            axes.add_patch(_patch(place, place.shape, bounds, level))
            seen = cast("Shape", shapely.difference(place.shape, above))
            _label(axes, place, place.shape if seen.is_empty else seen)
            above = cast("Shape", shapely.union(above, place.shape))


def _patch(place: _Place, shape: Shape, bounds: list[float], level: int) -> PathPatch:
    missing = place.value is None
    fill = "white" if place.value is None else colour(colour_number(place.value, bounds))
    return PathPatch(
        Path.make_compound_path(*_rings(shape)), facecolor=fill, edgecolor=EDGE,
        linewidth=0.7, zorder=2 + level, hatch=HATCH if missing else None,
        linestyle=(0, (3, 2)) if place.approximate else "solid",
    )  # fmt: skip


def _rings(shape: Shape) -> Iterator[Path]:
    """Yield the rings of polygons, holes the other way round: they stay open."""
    for polygon in shapely.get_parts(shapely.orient_polygons(shape)):
        for ring in shapely.get_rings(polygon):
            yield Path(shapely.get_coordinates(ring), closed=True)


def _label(axes: Axes, place: _Place, seen: Shape) -> None:
    """Write name and text into a region that has the room, else its number in the list."""
    circle = shapely.maximum_inscribed_circle(seen)
    x, y = shapely.get_coordinates(circle)[0].tolist()
    radius_in = float(shapely.length(circle))
    name, text = shortened(place.name, LONGEST), drawable(place.text)
    half_in = max(len(name), len(text) * 0.6) * LABEL_PT / 72 / 2
    if half_in <= radius_in * 1.1:
        two = text and radius_in > LABEL_PT / 72 * 1.3
        axes.text(
            x, y, f"{name}\n{text}" if two else name, size=LABEL_PT, ha="center", va="center",
            zorder=99, linespacing=1.1,
            path_effects=[Stroke(linewidth=1.6, foreground="white"), Normal()],
        )  # fmt: skip
    else:
        badge = {"boxstyle": "circle,pad=0.2", "fc": "white", "ec": INK, "lw": 0.5}
        axes.text(x, y, str(place.number), size=6, ha="center", va="center", zorder=100, bbox=badge)


def _draw_keys(
    axes: Axes, block: RegionMap, keys: list[_Key], top_in: float, say: FormWords
) -> float:
    """Draw the classes from the top down; return where the next line goes."""
    y = top_in - LINE_IN
    axes.text(0.05, y, drawable(say("chart.unit", unit=block.unit)), size=8.5, weight="bold")
    y -= LINE_IN
    axes.text(0.05, y, drawable(say("map.classes")), size=7.5, color=QUIET)
    for key in keys:
        y -= LINE_IN
        axes.add_patch(Rectangle(
            (0.05, y - 0.01), 0.22, 0.115, facecolor=key.colour, edgecolor=EDGE, linewidth=0.6,
            hatch=key.hatch,
        ))  # fmt: skip
        axes.text(0.34, y, drawable(key.text), size=7.5)
    return y - 1.4 * LINE_IN


def _draw_list(axes: Axes, places: list[_Place], y: float, say: FormWords) -> None:
    """List the regions with their numbers."""
    for place in places:
        name = shortened(place.name, LONGEST_LISTED)
        if place.shape is None:
            name = f"{name}{say('map.undrawn')}"
        axes.text(0.2, y, str(place.number), size=7.5, ha="right", color=QUIET)
        axes.text(0.28, y, name, size=7.5)
        text = drawable(place.text) or NOTHING
        axes.text(WIDTH_IN - MAP_IN - 0.04, y, text, size=7.5, ha="right")
        y -= LINE_IN


def _foot(places: list[_Place], shapes: gpd.GeoDataFrame, say: FormWords) -> list[str]:
    """Return the lines below the map: coordinates, approximate borders, sources."""
    said = [say("map.crs")]
    if any(place.approximate and place.shape is not None for place in places):
        said.append(say("map.approximate"))
    lines = ["；".join(said) if say.language == "zh-CN" else "; ".join(said)]
    if "attribution" in shapes:
        sources = sorted({str(source) for source in shapes["attribution"] if source})
        if sources:
            told = drawable(say("map.sources", sources="；".join(sources)))
            lines += textwrap.wrap(told, FOOT_CHARACTERS)
    return [drawable(line) for line in lines]


def _alt(block: RegionMap, places: list[_Place]) -> str:
    told = "，".join(f"{place.name} {place.text}" for place in places if place.text)
    return f"{block.title}（{block.unit}）：{told}"
