"""Legends of the map page: one per level of the zoom ladder (图例)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.model.legend import colour_numbers
from maps.page_model import Legend, LegendRow
from maps.text import count_text, ratio_text

if TYPE_CHECKING:
    from gridgis.store.metrics import Row
    from maps.text import Words

LEVELS = ("cell", "block500", "block1000", "district")
"""Levels of the map, from near to far."""


def as_legend(say: Words, found: Row) -> Legend:
    """Return one answer of `lookup.legend` as finished texts."""
    level = str(found["level"])
    run: Row = found["run"]  # type: ignore[assignment]
    classes: list[Row] = found["classes"]  # type: ignore[assignment]
    zero: Row = found["zero"]  # type: ignore[assignment]
    rest: list[Row] = found["rest"]  # type: ignore[assignment]
    colours = colour_numbers(len(classes)) if classes else ()
    rows = [LegendRow(0, say("legend.zero"), count_text(zero["places"]), "0")]
    rows += [
        LegendRow(number, _range(entry, whole=found["per"] == "none"),
                  count_text(entry["places"]), count_text(entry["cases"]))
        for number, entry in zip(colours, classes, strict=True)
    ]  # fmt: skip
    return Legend(
        level=level,
        title=_unit(say, run, level),
        subtitle=say("legend.method", k=len(classes), month=say.month(str(run["month"]))),
        places=say(f"legend.places.{'region' if level in {'district', 'street'} else 'cell'}"),
        rows=tuple(rows),
        rest=tuple((rest_text(say, entry), count_text(entry["cases"])) for entry in rest),
        places_total=count_text(sum(int(str(entry["places"])) for entry in (zero, *classes))),
        total=count_text(found["total"]),
        bounds=tuple(float(str(entry["hi"])) for entry in classes),
        colours=colours,
    )


def _unit(say: Words, run: Row, level: str) -> str:
    """Return measure and unit of a level, `案件数（件/100米格）`; not all cells are squares."""
    if level == "cell" and run["cell_size_m"]:
        return say("legend.title.square", size=run["cell_size_m"])
    return say(f"legend.title.{level}")


def rest_text(say: Words, entry: Row) -> str:
    """Return why cases have no place, in words."""
    key = f"rest.{entry['reason']}"
    return say(key) if key in say.texts else str(entry["label"])


def _range(entry: Row, *, whole: bool) -> str:
    """Return the interval (lo, hi]: whole numbers for counts, two decimals for densities."""
    low, high = float(str(entry["lo"])), float(str(entry["hi"]))
    if not whole:
        return f"≤ {ratio_text(high)}" if low == 0 else f"{ratio_text(low)} – {ratio_text(high)}"
    first, last = int(low) + 1, int(high)
    return count_text(first) if first == last else f"{first:,} – {last:,}"
