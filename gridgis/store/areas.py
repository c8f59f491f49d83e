"""
Regions, streets, water and unit grids (区域、街道、水面、单元网格).

A layer of one kind, and a unit grid, begins on a day and holds until the next one begins. Storing
one again that begins on the same day replaces it; the others stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from gridgis.errors import GeometryError
from gridgis.store.engine import query, refresh_statistics
from gridgis.store.rows import copy_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy import Connection

BLOCK_SIZES_M = (500, 1000)
_READ = {
    "district": "read_regions",
    "zone": "read_regions",
    "street": "read_streets",
    "water": "read_water",
    "cell": "read_cells",
}


@dataclass(frozen=True, slots=True)
class Validity:
    """The first day of a layer; None is always (生效日期)."""

    start: date | None = None

    @property
    def first_day(self) -> str:
        """The day as the database writes it."""
        return self.start.isoformat() if self.start else "-infinity"


@dataclass(frozen=True, slots=True)
class GridFacts:
    """What is recorded about one version of the unit grid (单元网格版本)."""

    version: str
    kind: str
    """`generated` or `loaded`."""
    size_m: int | None
    within: tuple[str, ...]
    attribution: str
    validity: Validity
    quality: str = "synthetic"


def replace_regions(
    tx: Connection, rows: Iterable[Mapping[str, object]], *, kind: str, validity: Validity
) -> int:
    """
    Store the regions of one kind from a day on (更新区域).

    Parameters
    ----------
    rows : iterable of mappings
        `region_code name name_en group_code position priority geom_quality attribution wkb
        own_from own_to`; `wkb` is a WGS84 (multi)polygon or None, `own_from` and `own_to` are
        the days of the region itself (`infinity` is open).
    kind : str
        `district` or `zone`.
    """
    return _replace(tx, "region", rows, {"kind": kind, "start": validity.first_day})


def replace_streets(
    tx: Connection, rows: Iterable[Mapping[str, object]], *, validity: Validity
) -> int:
    """Store the streets from a day on: `street_code name district_code geom_quality … wkb`."""
    return _replace(tx, "street", rows, {"start": validity.first_day})


def replace_water(tx: Connection, rows: Iterable[Mapping[str, object]]) -> int:
    """Replace the water mask, which has no versions: `name attribution wkb`."""
    tx.execute(text("DELETE FROM core.water"))
    found = list(rows)
    if found:
        tx.execute(query("areas", "insert_water"), found)
    return len(found)


def settle_areas(tx: Connection) -> None:
    """
    Derive what follows from the areas: managed part, land area, label, host district.

    The rows of regions are cut at the days on which another kind changes over or under them, anew
    each time: so they do not depend on the order in which layers came.
    """
    for name in (
        "join_regions",
        "cut_regions",
        "settle_regions",
        "settle_region_land",
        "settle_streets",
        "settle_hosts",
    ):
        tx.execute(query("areas", name))
    refresh_statistics(tx, "core.region", "core.street")


def insert_grid(
    tx: Connection,
    facts: GridFacts,
    cells: Iterable[Sequence[object]],
) -> int:
    """
    Store one version of the unit grid and return its number of cells (存入单元网格).

    Parameters
    ----------
    cells : iterable of rows
        `(cell_code, wkb_m, area_m2, ix, iy, whole, district_code, street_code, synthetic)` with
        the geometry in the measuring CRS.

    Raises
    ------
    GeometryError
        If there is no cell.
    """
    tx.execute(query("areas", "stage_cells"))
    count = copy_rows(
        tx,
        "staged_cell",
        (
            "cell_code",
            "wkb",
            "area_m2",
            "ix",
            "iy",
            "whole",
            "district_code",
            "street_code",
            "synthetic",
        ),
        cells,
    )
    if count == 0:
        raise GeometryError("a unit grid needs at least one cell")
    values = {
        "grid_version": facts.version,
        "kind": facts.kind,
        "size_m": facts.size_m,
        "within": list(facts.within),
        "geom_quality": facts.quality,
        "attribution": facts.attribution,
        "start": facts.validity.first_day,
    }
    for name in ("drop_replaced_grid", "end_earlier_grid", "insert_grid", "insert_cells"):
        tx.execute(query("areas", name), values)
    for size_m in BLOCK_SIZES_M:
        tx.execute(query("areas", "insert_blocks"), {**values, "block_m": size_m})
    refresh_statistics(tx, "core.unit_grid", "core.grid_block")
    return count


def place_cells_in_regions(tx: Connection) -> None:
    """Give every cell the management region of its representative point."""
    tx.execute(query("areas", "place_cells_in_regions"))


def read_areas(tx: Connection, kind: str, day: date | None) -> list[dict[str, object]]:
    """
    Return the areas of one kind that hold on a day; None is the city's today.

    `code name kind quality attribution valid_from valid_to wkb` (WGS84); cells have `grid_version
    district_code street_code region_code area_m2 synthetic` besides.
    """
    values = {"kind": kind, "day": day or tx.scalar(query("areas", "today"))}
    return [dict(row) for row in tx.execute(query("areas", _READ[kind]), values).mappings()]


def grid_versions(tx: Connection) -> list[dict[str, object]]:
    """Return the versions of the unit grid, newest first."""
    return [dict(row) for row in tx.execute(query("areas", "grid_versions")).mappings()]


def _replace(
    tx: Connection, table: str, rows: Iterable[Mapping[str, object]], layer: Mapping[str, object]
) -> int:
    tx.execute(query("areas", f"drop_{table}_layer"), layer)
    tx.execute(query("areas", f"end_{table}_layer"), layer)
    found = [{**row, **layer} for row in rows]
    if found:
        tx.execute(query("areas", f"insert_{table}"), found)
    return len(found)
