"""The table of regions beside the map: numerator, area, density, share (区域表)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.model.legend import colour_number
from maps.legends import rest_text
from maps.page_model import RegionGroup, RegionRow
from maps.text import NOTHING, count_text, ratio_text

if TYPE_CHECKING:
    from gridgis.store.metrics import Row
    from maps.filters import FilterLists
    from maps.page_model import Legend
    from maps.text import Words

Rest = tuple[tuple[str, str], ...]


def as_groups(
    say: Words, density: Row, lists: FilterLists, legend: Legend
) -> tuple[tuple[RegionGroup, ...], Rest]:
    """
    Return the places of `lookup.density` by group, and the rest without a place.

    Regions are grouped as the city reports them, streets by district. `legend` is the one of
    their map: it says which colour a place has there.
    """
    boxes = {str(region["code"]): region["bbox"] for region in lists.regions}
    titles, group_of = lists.group_titles(say), {}
    if density["level"] == "street":
        titles = {str(region["code"]): str(region["name"]) for region in lists.regions}
        group_of = {street["code"]: street["district_code"] for street in lists.streets}
    rows: list[Row] = density["rows"]  # type: ignore[assignment]
    rest: list[Row] = density["rest"]  # type: ignore[assignment]
    by_group: dict[str, list[Row]] = {}
    for row in rows:
        by_group.setdefault(str(group_of.get(row["code"], row["group"])), []).append(row)
    groups = tuple(
        RegionGroup(
            label=titles.get(group) or say("regions.no_group"),
            cases=count_text(sum(int(str(row["numerator"])) for row in mine)),
            rows=tuple(_region(say, row, boxes.get(str(row["code"])), legend) for row in mine),
        )
        for group, mine in by_group.items()
    )
    return groups, tuple((rest_text(say, r), count_text(r["cases"])) for r in rest)


def _region(say: Words, row: Row, bbox: object, legend: Legend) -> RegionRow:
    value = float(str(row["value"])) if row["value"] is not None else None
    area = row["denominator"]
    return RegionRow(
        code=str(row["code"]),
        label=say.place(str(row["name"]), str(row["code"])),
        approximate=bool(row["approximate"]),
        colour=None if value is None else colour_number(value, legend.bounds),
        cases=count_text(row["numerator"]),
        km2=ratio_text(float(str(area))) if area is not None else NOTHING,
        density=ratio_text(value),
        share=str(row["share_text"] or NOTHING),
        bbox=tuple(bbox) if isinstance(bbox, list) else None,
    )
