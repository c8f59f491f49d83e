"""Regions, streets, water and unit grids (区域、街道、水面、单元网格)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, text

from gridgis.store.engine import query
from gridgis.store.rows import copy_rows


@dataclass(frozen=True, slots=True)
class Validity:
    """Half-open dates of validity; None is open (有效期)."""

    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class GridFacts:
    """What is recorded about one version of the unit grid (单元网格版本)."""

    version: str
    kind: str
    size_m: int | None
    within: tuple[str, ...]
    attribution: str
    validity: Validity


def replace_regions(
    tx: Connection, rows: Iterable[Mapping[str, object]], *, kind: str, validity: Validity
) -> int:
    """
    Replace the regions of one kind from a date on (更新区域).

    Parameters
    ----------
    rows : iterable of mappings
        `region_code name name_en group_code position priority geom_quality attribution wkb`;
        `wkb` is a WGS84 (multi)polygon or None.
    kind : str
        `district` or `zone`.
    validity : Validity
        Regions of this kind valid before the start end there; later ones are replaced.
    """
    return _replace(tx, "region", list(rows), kind=kind, validity=validity)


def replace_streets(
    tx: Connection, rows: Iterable[Mapping[str, object]], *, validity: Validity
) -> int:
    """Replace the streets from a date on; columns as for regions, with `street_code`."""
    return _replace(tx, "street", list(rows), kind=None, validity=validity)


def replace_water(tx: Connection, rows: Iterable[Mapping[str, object]]) -> int:
    """Replace the water mask: `name attribution wkb`."""
    tx.execute(text("DELETE FROM core.water"))
    found = list(rows)
    if found:
        tx.execute(query("areas", "insert_water"), found)
    return len(found)


def settle_areas(tx: Connection) -> None:
    """Derive what follows from the areas: managed part, land area, label, host district."""
    for name in ("settle_regions", "settle_region_land", "settle_streets", "settle_hosts"):
        tx.execute(query("areas", name))


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

    Notes
    -----
    A grid that starts on the same day replaces the earlier one; one that starts later ends it.
    """
    tx.execute(query("areas", "stage_cells"))
    count = copy_rows(
        tx, "staged_cell",
        ("cell_code", "wkb", "area_m2", "ix", "iy", "whole", "district_code", "street_code",
         "synthetic"),
        cells,
    )  # fmt: skip
    values = {
        "grid_version": facts.version, "kind": facts.kind, "size_m": facts.size_m,
        "within": list(facts.within), "attribution": facts.attribution,
        "valid_from": facts.validity.start, "valid_to": facts.validity.end,
    }  # fmt: skip
    for name in ("drop_replaced_grids", "end_earlier_grids", "insert_grid", "insert_cells"):
        tx.execute(query("areas", name), values)
    for size_m in (500, 1000):
        tx.execute(query("areas", "insert_blocks"), {**values, "block_m": size_m})
    tx.execute(text("ANALYZE core.unit_grid"))
    return count


def place_cells_in_regions(tx: Connection) -> None:
    """Give every cell the management region of its representative point."""
    tx.execute(query("areas", "place_cells_in_regions"))


def _replace(
    tx: Connection,
    table: str,
    rows: list[Mapping[str, object]],
    *,
    kind: str | None,
    validity: Validity,
) -> int:
    values = {"kind": kind, "valid_from": validity.start, "valid_to": validity.end}
    tx.execute(query("areas", f"drop_replaced_{table}s"), values)
    tx.execute(query("areas", f"end_earlier_{table}s"), values)
    if rows:
        tx.execute(query("areas", f"insert_{table}"), [{**row, **values} for row in rows])
    return len(rows)


def read_areas(tx: Connection, kind: str) -> list[tuple[str, str, bytes]]:
    """Return `(code, name, WGS84 WKB)` of today's areas: district, zone, street or water."""
    return [
        (str(row.code), str(row.name), bytes(row.wkb))
        for row in tx.execute(query("areas", "read_areas"), {"kind": kind})
    ]


def grid_versions(tx: Connection) -> list[dict[str, object]]:
    """Return the versions of the unit grid, newest first."""
    return [dict(row._mapping) for row in tx.execute(query("areas", "grid_versions"))]
