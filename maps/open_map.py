"""
Open work at a moment as one offline map file: what is late, and where (待办地图).

Tasks are rings, cases are discs, coloured by state; what has no point is counted beside the map.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, cast

import folium
import shapely

from gridgis.errors import InputError
from gridgis.model.open_work import APART, PROPOSALS, STAGE_LABELS, STATES
from gridgis.services import lookup
from gridgis.services.open_work import stream_work, work_head, work_summary
from maps.folium_map import TOLERANCE_DEG
from maps.map_page import default_language
from maps.offline import MAX_POINTS, OfflineFigure
from maps.rendering import render
from maps.shapes import Feature, collection, outlines, show, water
from maps.text import DEFAULT_LANGUAGE, LANGUAGES, NOTHING, count_text, safe, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from gridgis.model.open_work import WorkFilter
    from gridgis.services.context import Context
    from gridgis.store.open_work import Row
    from maps.text import Words

COLOURS = {
    "overdue": "#c1121f",
    "due_soon": "#e08700",
    "in_time": "#2a7ab8",
    "no_limit": "#7a8691",
    "suspended": "#7b4fa3",
}
DARK = "#17222d"
STAGES = tuple(STAGE_LABELS)
TOLD = ("stage", "number", "class", "place", "org", "due", "state", "reminder", "proposal")
"""What a tooltip says of an item, in order."""


@dataclass(frozen=True, slots=True)
class OpenMap:
    """A finished map file of open work."""

    html: str
    at: str
    drawn: int
    """Points on the map."""
    unlocated: int
    """Items without a point."""
    left_out: int
    """Located items beyond the cap, those with the latest limit."""


@dataclass(frozen=True, slots=True)
class TableRow:
    """One line of a table beside the map: tasks and cases are never added up."""

    label: str
    swatch: str
    tasks: str
    cases: str


def open_map(
    context: Context, chosen: WorkFilter, *, at: str | None = None, lang: str | None = None
) -> OpenMap:
    """
    Draw the open items of a filter that have a point (待办地图).

    A file shows at most `maps.offline.MAX_POINTS` points: those with the earliest limit; how many
    are left out stands in it.

    Raises
    ------
    InputError
        If the language is unknown.
    """
    if lang is not None and lang not in LANGUAGES:
        raise InputError(f"lang {lang!r}: expected one of {', '.join(LANGUAGES)}")
    say = words(lang or default_language(context))
    head = work_head(context, chosen, at=at)
    moment = str(head["at"])
    located = (i for i in stream_work(context, chosen, at=moment) if i["lon"] is not None)
    items = list(islice(located, MAX_POINTS))
    left_out = sum(1 for _ in located)
    frame = _districts(context, moment)
    chart = _chart(context, say, items, frame)
    counts = cast("list[Row]", head["counts"])
    shown = [row for row in counts if _is_shown(row, chosen)]
    unlocated = sum(cast("int", row["unlocated"]) for row in shown)
    city = context.city
    document = render(
        "open_map.html", say,
        city=city.name if say.language == city.language else city.name_en or city.name,
        at=say.local_time(moment, city.time_zone),
        as_of=say.local_time(str(head["as_of"]), city.time_zone) if head["as_of"] else NOTHING,
        states=_states(say, counts, chosen), regions=_regions(context, say, chosen, moment),
        drawn=count_text(len(items)), unlocated=_pair(shown, "unlocated"),
        left_out=count_text(left_out) if left_out else "",
        sample=cast("Row", head["rules"])["sample"], filters=_filters(head),
        synthetic=bool(city.synthetic), approximate=bool(frame["approximate"].any()),
        attributions=[entry["attribution"] for entry in lookup.read_list(context, "attributions")],
    )  # fmt: skip
    figure = OfflineFigure(chart, document, instead="/api/v1/open-work")
    return OpenMap(figure.render(), moment, len(items), unlocated, left_out)


def _chart(context: Context, say: Words, items: list[Row], frame: gpd.GeoDataFrame) -> folium.Map:
    chart = folium.Map(
        tiles=None, zoom_control="topright", attribution_control=False, zoom_snap=0.25
    )
    chart.options["max_zoom"] = 18  # `tiles=None` drops it
    water(lookup.areas(context, "water")).add_to(chart)
    outlines(frame).add_to(chart)
    if items:
        _points(say, items, context.city.time_zone).add_to(chart)
    places = [(float(str(item["lon"])), float(str(item["lat"]))) for item in items]
    bounds = shapely.MultiPoint(places).bounds if places else None
    show(chart, bounds or (frame.total_bounds if len(frame) else context.city.extent))
    return chart


def _districts(context: Context, moment: str) -> gpd.GeoDataFrame:
    """Return the regions of the day, simplified so that neighbours keep their shared border."""
    frame = lookup.areas(context, "districts", day=datetime.fromisoformat(moment).date())
    frame.geometry = shapely.coverage_simplify(frame.geometry.to_numpy(), TOLERANCE_DEG)
    return frame


def _points(say: Words, items: list[Row], time_zone: str) -> folium.GeoJson:
    """Return the points, the most urgent on top; hovering tells one of them."""
    features = [_point(say, item, time_zone) for item in reversed(items)]
    layer = folium.GeoJson(
        collection(features), marker=folium.CircleMarker(radius=5), smooth_factor=0
    )
    aliases = [safe(say(f"open.told.{name}")) for name in TOLD]
    folium.GeoJsonTooltip(list(TOLD), aliases).add_to(layer)
    return layer


def _point(say: Words, item: Row, time_zone: str) -> Feature:
    told = _told(say, item, time_zone)
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [item["lon"], item["lat"]]},
        "properties": {**{name: safe(told[name]) for name in TOLD}, "style": _style(item)},
    }


def _told(say: Words, item: Row, time_zone: str) -> dict[str, object]:
    late, left = item["hours_late"], item["hours_left"]
    state = _label(say, {**STATES, **APART}, item["state"])
    if late is not None:
        state = say("open.late", state=state, hours=f"{late:,}")
    elif left is not None:
        state = say("open.left", state=state, hours=f"{left:,}")
    limit = item["limit_at"]
    return {
        "stage": _label(say, STAGE_LABELS, item["stage"]),
        "number": item["task_no"] or item["case_no"],
        "class": say.place(str(item["subcategory_name"]), str(item["subcategory_code"])),
        "place": " ".join(str(p) for p in (item["region_name"], item["street_name"]) if p),
        "org": item["disposing_org"] or NOTHING,
        "due": say.local_time(str(limit), time_zone) if limit else NOTHING,
        "state": state,
        "reminder": item["reminder_level"] or NOTHING,
        "proposal": _label(say, PROPOSALS, item["proposal"]) if item["proposal"] else NOTHING,
    }


def _style(item: Row) -> Feature:
    """Return a ring for a task and a disc for a case; what is stuck has a dark border."""
    colour, stuck = COLOURS[str(item["state"])], item["proposal"] is not None
    if item["stage"] == "dispatch":
        ring = {"radius": 8, "weight": 2.5, "color": colour, "fill": False}
        return {**ring, "dashArray": "3 3"} if stuck else ring
    edge = DARK if stuck else "#ffffff"
    return {"radius": 5, "weight": 2 if stuck else 1, "color": edge, "fill": True,
            "fillColor": colour, "fillOpacity": 0.9}  # fmt: skip


def _label(say: Words, labels: Mapping[str, tuple[str, str]], word: object) -> str:
    return labels[str(word)][0 if say.language == DEFAULT_LANGUAGE else 1]


def _is_shown(row: Row, chosen: WorkFilter) -> bool:
    return row["state"] == chosen.state if chosen.state else row["state"] in STATES


def _pair(rows: list[Row], name: str) -> tuple[str, str]:
    """Return a number of tasks and one of cases."""
    numbers = [sum(cast("int", r[name]) for r in rows if r["stage"] == stage) for stage in STAGES]
    return count_text(numbers[0]), count_text(numbers[1])


def _states(say: Words, counts: list[Row], chosen: WorkFilter) -> dict[str, list[TableRow]]:
    """Return items by state: those of the map, and those apart."""
    found: dict[str, list[TableRow]] = {"shown": [], "apart": []}
    for state in (*STATES, *APART):
        rows = [row for row in counts if row["state"] == state]
        if not rows or (chosen.state and state in STATES and state != chosen.state):
            continue
        on_map = _is_shown(rows[0], chosen)
        swatch = f"s-{state}" if on_map else ""
        row = TableRow(_label(say, {**STATES, **APART}, state), swatch, *_pair(rows, "items"))
        found["shown" if on_map else "apart"].append(row)
    return found


def _regions(context: Context, say: Words, chosen: WorkFilter, moment: str) -> list[TableRow]:
    """Return overdue items of those with a limit, by region, tasks and cases side by side."""
    found = work_summary(context, chosen, by="region", at=moment)
    stages = {s["stage"]: s for s in cast("list[Row]", found["stages"])}
    groups: dict[str, dict[str, Row]] = {}
    for stage, told in stages.items():
        for row in cast("list[Row]", told["rows"]):
            groups.setdefault(str(row["code"]), {})[str(stage)] = row
    whole = {str(stage): cast("Row", told["total"]) for stage, told in stages.items()}
    language = "name" if say.language == DEFAULT_LANGUAGE else "name_en"
    ordered = sorted(groups.items(), key=lambda pair: _urgency(pair[1]))
    lines = [(str(next(iter(g.values()))[language]), g) for _, g in ordered]
    return [
        TableRow(label, "", *(_share(group.get(stage)) for stage in STAGES))
        for label, group in (*lines, (say("regions.total"), whole))
    ]


def _urgency(group: Mapping[str, Row]) -> tuple[bool, int]:
    """Order regions by overdue items; what has no region comes last."""
    rest = any(row["kind"] == "rest" for row in group.values())
    return rest, -sum(cast("int", row["overdue"]) for row in group.values())


def _share(row: Row | None) -> str:
    if row is None:
        return NOTHING
    limited = sum(cast("int", row[name]) for name in ("overdue", "due_soon", "in_time"))
    return f"{row['overdue']:,} / {limited:,}" if limited else NOTHING


def _filters(head: Row) -> str:
    """Return the filters as they were applied."""
    return "，".join(f"{k} = {v}" for k, v in cast("Row", head["filters"]).items())
