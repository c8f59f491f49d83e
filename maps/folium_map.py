"""
A month's density as one offline map file of streets or regions (离线密度图).

Breaks, colours and texts are those of the web map.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape
from typing import TYPE_CHECKING

import folium
import shapely
from folium.utilities import JsCode

from gridgis.errors import InputError, LimitExceeded
from gridgis.model.legend import colour
from gridgis.services import lookup
from maps.filters import FilterLists
from maps.legends import as_legend
from maps.map_page import default_language
from maps.offline import MAX_POLYGONS, OfflineFigure
from maps.question import Question
from maps.regions import as_groups
from maps.rendering import render
from maps.shapes import EDGE, Feature, collection, feature, outlines, show, water
from maps.text import LANGUAGES, count_text, safe, words

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

    from gridgis.services.context import Context
    from gridgis.store.metrics import Row
    from maps.page_model import RegionRow
    from maps.text import Words

LEVELS = ("street", "district")
"""Levels of a file map, finest first."""
TOLERANCE_DEG = 0.0003
"""Borders are simplified by about 30 m, so that a file stays below 1 MB."""
NO_AREA_COLOUR = "#fbfaf8"
HOVER = """
(feature, layer) => {
  layer.on("mouseover", () => layer.setStyle({weight: 3, color: "#17222d"}).bringToFront());
  layer.on("mouseout", () => layer.setStyle(feature.properties.style));
}
"""


@dataclass(frozen=True, slots=True)
class FileMap:
    """A finished map file."""

    html: str
    level: str
    polygons: int
    run_id: int

    def _repr_html_(self) -> str:
        """Show the map in a notebook, as a page of its own."""
        return f'<iframe srcdoc="{escape(self.html)}" width="100%" height="600"></iframe>'


def density_map(
    context: Context, *, month: str, level: str = "auto", lang: str | None = None
) -> FileMap:
    """
    Draw the density of a month's newest run (案件密度图).

    Parameters
    ----------
    level : str
        `street`, `district`, or `auto`: the finest one below the cap.

    Raises
    ------
    RunNotFound
        If the month has not been computed.
    LimitExceeded
        If there are more polygons than a file map can show; the message names the web map.
    """
    if level != "auto" and level not in LEVELS:
        raise InputError(f"level {level!r}: expected auto, {', '.join(LEVELS)}")
    if lang is not None and lang not in LANGUAGES:
        raise InputError(f"lang {lang!r}: expected one of {', '.join(LANGUAGES)}")
    say = words(lang or default_language(context))
    run = lookup.find_run(context, month=month)
    question = Question(month=month, lang=lang)
    chosen, frame = _areas(context, level, run, question)
    run_id = int(str(run["id"]))
    density = lookup.density(context, level=chosen, run=run_id)
    legend = as_legend(say, lookup.legend(context, level=chosen, run=run_id))
    groups, rest = as_groups(say, density, FilterLists.read(context), legend)
    named = say("regions.name.street" if chosen == "street" else "regions.name")
    chart = _chart(say, named, frame, [row for group in groups for row in group.rows])
    outlines(_frame(context, "district", run)).add_to(chart)
    water(lookup.areas(context, "water")).add_to(chart)
    start = lookup.grid_bounds(context) if chosen == "street" else None
    show(chart, start or frame.total_bounds)
    city = context.city
    document = render(
        "file_map.html", say, legend=legend, groups=groups, rest=rest, level=chosen, run=run_id,
        city=city.name if say.language == city.language else city.name_en or city.name,
        month=say.month(month), synthetic=bool(city.synthetic),
        total=count_text(density["total"]),
        computed=say.local_time(str(run["created_at"]), city.time_zone),
        attributions=[entry["attribution"] for entry in lookup.read_list(context, "attributions")],
        approximate=any(row.approximate for group in groups for row in group.rows),
    )  # fmt: skip
    figure = OfflineFigure(chart, document, instead=question.address())
    return FileMap(figure.render(), chosen, len(frame), run_id)


def _areas(
    context: Context, level: str, run: Row, question: Question
) -> tuple[str, gpd.GeoDataFrame]:
    """Return the level to draw and its areas; `auto` takes the finest one below the cap."""
    for candidate in LEVELS if level == "auto" else (level,):
        frame = _frame(context, candidate, run)
        if 0 < len(frame) <= MAX_POLYGONS:
            return candidate, frame
    if len(frame):
        raise LimitExceeded(
            f"{level}: {len(frame):,} polygons; a file map holds at most {MAX_POLYGONS:,}. Choose "
            f"--level district, or use the web map: {question.address()}",
            count=len(frame), limit=MAX_POLYGONS,
        )  # fmt: skip
    raise InputError(f"level {level!r}: this city has no areas of it; load them with "
                     f"`gridgis boundaries load`")  # fmt: skip


def _frame(context: Context, level: str, run: Row) -> gpd.GeoDataFrame:
    """Return areas of the run's day, simplified so that neighbours keep their shared border."""
    frame = lookup.areas(context, f"{level}s", day=date.fromisoformat(str(run["day"])))
    frame.geometry = shapely.coverage_simplify(frame.geometry.to_numpy(), TOLERANCE_DEG)
    return frame


def _chart(
    say: Words, named: str, frame: gpd.GeoDataFrame, rows: Iterable[RegionRow]
) -> folium.Map:
    """Return a map of areas in the colours of their rows; hovering shows how a value is made."""
    known = {row.code: row for row in rows}
    aliases = {
        "name": named, "cases": say("regions.cases"), "km2": say("regions.km2"),
        "density": say("regions.density"), "border": say("file.border"),
    }  # fmt: skip
    chart = folium.Map(
        tiles=None, zoom_control="topright", attribution_control=False, zoom_snap=0.25
    )
    chart.options["max_zoom"] = 18  # `tiles=None` drops it
    features = (
        feature(shape, {**_hover(say, known[code]), "style": _style(known[code].colour)})
        for code, shape in zip(frame["code"], frame.geometry, strict=True)
        if code in known
    )
    layer = folium.GeoJson(collection(features), on_each_feature=JsCode(HOVER))
    folium.GeoJsonTooltip(list(aliases), [safe(alias) for alias in aliases.values()]).add_to(layer)
    layer.add_to(chart)
    return chart


def _hover(say: Words, row: RegionRow) -> Feature:
    border = say("file.border.approximate" if row.approximate else "file.border.exact")
    return {
        "name": safe(row.label), "cases": safe(row.cases), "km2": safe(row.km2),
        "density": safe(row.density), "border": safe(border),
    }  # fmt: skip


def _style(number: int | None) -> Feature:
    fill = NO_AREA_COLOUR if number is None else colour(number)
    return {"fillColor": fill, "fillOpacity": 1, "color": EDGE, "weight": 0.8}
