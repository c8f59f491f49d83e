"""What the scripts of the map page are handed: addresses, classes, texts (页面状态)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gridgis.model.legend import CLASS_COLOURS, ZERO_COLOUR
from gridgis.services import lookup
from maps import vendor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridgis.services.context import Context
    from gridgis.store.metrics import Row
    from maps.page_model import Legend, RegionGroup, RegionRow
    from maps.question import Question
    from maps.text import Words


def page_state(
    context: Context,
    say: Words,
    question: Question,
    *,
    run: Row,
    legends: Sequence[Legend],
    groups: Sequence[RegionGroup],
) -> dict[str, object]:
    """Return the state of a page as JSON values."""
    filters = {name: getattr(question, name) for name in ("category", "source", "district")}
    given = {name: value for name, value in filters.items() if value is not None}
    mark = {"v": run["mark"]}
    tiles = f"/tiles/{run['id']}/{{layer}}/{{z}}/{{x}}/{{y}}.mvt"
    return {
        "run": run["id"], "month": question.month, "filters": given, "lang": say.language,
        "timeZone": context.city.time_zone,
        "bounds": lookup.grid_bounds(context) or context.city.extent,
        "tiles": {"counts": f"{tiles}?{urlencode({**given, **mark})}",
                  "plain": f"{tiles}?{urlencode(mark)}"},
        "colours": [ZERO_COLOUR, *CLASS_COLOURS],
        "levels": {
            legend.level: {"bounds": legend.bounds, "colours": legend.colours,
                           "title": legend.title}
            for legend in legends
        },
        "regions": {row.code: _region(row) for group in groups for row in group.rows},
        "vendor": {
            "maplibre": f"/static/vendor/{vendor.folder('maplibre-gl')}/maplibre-gl.mjs",
            "leaflet": f"/static/vendor/{vendor.folder('leaflet')}",
        },
        "texts": say.starting("js."),
    }  # fmt: skip


def _region(row: RegionRow) -> dict[str, object]:
    return {
        "label": f"{row.label} ≈" if row.approximate else row.label, "colour": row.colour,
        "cases": row.cases, "km2": row.km2, "density": row.density, "bbox": row.bbox,
    }  # fmt: skip
