"""`gridgis cases find`: cases by place, time and class (案件检索)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.errors import GeometryError, InputError
from gridgis.model.query import CaseFilter, Geometry
from gridgis.services.context import Context, open_context
from gridgis.services.exports import NOTICE, json_parts, nature
from gridgis.services.find import (
    case_filter,
    count_cases,
    csv_parts,
    described,
    find_cases,
    geojson_parts,
    stream_cases,
)

TABLE_ROWS = 20
MAX_TABLE_ROWS = 1000
COLUMNS = ("案件编号", "时间", "小类", "来源", "区域", "地址", "状态", "经度", "纬度")


class Format(StrEnum):
    """What is printed or written."""

    TABLE = "table"
    JSON = "json"
    GEOJSON = "geojson"
    CSV = "csv"


def find(  # noqa: PLR0913 - one option per filter of the contract
    *,
    bbox: Annotated[str | None, typer.Option(help="WEST,SOUTH,EAST,NORTH.")] = None,
    near: Annotated[str | None, typer.Option(help="LON,LAT; needs --radius-m.")] = None,
    radius_m: Annotated[float | None, typer.Option(help="Metres round --near.")] = None,
    within: Annotated[
        Path | None, typer.Option(help="GeoJSON file with a polygon.", exists=True, dir_okay=False)
    ] = None,
    crs: Annotated[
        str, typer.Option(help="CRS of these coordinates: wgs84, cgcs2000, gcj02, bd09, EPSG:n.")
    ] = "wgs84",
    cell: Annotated[str | None, typer.Option(help="15-digit code of a unit grid.")] = None,
    district: Annotated[str | None, typer.Option(help="District or zone, code or name.")] = None,
    street: Annotated[str | None, typer.Option(help="Street, code or name.")] = None,
    month: Annotated[str | None, typer.Option(help="Month as YYYY-MM.")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="First day or moment, local time.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day or moment after the last.")] = None,
    updated_since: Annotated[str | None, typer.Option(help="Changed here since then.")] = None,
    category: Annotated[
        str | None, typer.Option(help="Subcategory: code, prefix (S05) or name (占道经营).")
    ] = None,
    source: Annotated[str | None, typer.Option(help="Source, code or name.")] = None,
    status: Annotated[str | None, typer.Option(help="open, closed, void or suspended.")] = None,
    restricted: Annotated[
        bool, typer.Option("--restricted", help="Restricted classes (受限类) too; keep it local.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many; a table shows 20, a file all.")
    ] = None,
    count: Annotated[bool, typer.Option("--count", help="Print only the number.")] = False,
    shape: Annotated[
        Format, typer.Option("--format", help="A table, or every case as a document.")
    ] = Format.TABLE,
    out: Annotated[Path | None, typer.Option(help="Write here instead of printing.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Find cases; everything given must hold (案件检索).

    Times act on the time a case counts (受理时间, self-handled: 上报时间).
    """
    context = open_context(Settings())
    chosen = case_filter(
        context,
        bbox=bbox,
        near=near,
        radius_m=radius_m,
        crs=crs,
        cell=cell,
        district=district,
        within=read_polygon(within) if within else None,
        street=street,
        month=month,
        start=start,
        end=end,
        updated_since=updated_since,
        category=category,
        source=source,
        status=status,
    )
    chosen = replace(chosen, restricted=restricted)
    wanted = Format.JSON if as_json else shape
    if count:
        _say_count(context, chosen, as_json=wanted is Format.JSON)
    elif wanted is not Format.TABLE:
        _write(context, chosen, wanted, limit=limit, out=out)
    elif out is not None:
        raise InputError("--out writes a document: add --format csv, geojson or json")
    else:
        _say_table(context, chosen, limit=limit or TABLE_ROWS)


def read_polygon(path: Path) -> Geometry:
    """
    Return the polygons of a GeoJSON file as one geometry.

    Raises
    ------
    GeometryError
        If the file holds no polygon.
    """
    try:
        parts = list(_polygons(json.loads(path.read_text(encoding="utf-8-sig"))))
    except (ValueError, AttributeError, TypeError, KeyError) as error:
        raise GeometryError(f"{path.name}: not readable as GeoJSON") from error
    if not parts:
        raise GeometryError(f"{path.name}: holds no Polygon or MultiPolygon")
    return {"type": "MultiPolygon", "coordinates": parts}


def _polygons(value: dict[str, object]) -> Iterator[object]:
    """Yield the coordinates of every polygon of a geometry, feature or collection."""
    kind = value["type"]
    if kind in {"FeatureCollection", "GeometryCollection"}:
        for part in value["features" if kind == "FeatureCollection" else "geometries"]:  # type: ignore[attr-defined]
            yield from _polygons(part)
    elif kind == "Feature":
        yield from _polygons(value["geometry"])  # type: ignore[arg-type]
    elif kind == "Polygon":
        yield value["coordinates"]
    elif kind == "MultiPolygon":
        yield from value["coordinates"]  # type: ignore[misc]


def _say_count(context: Context, chosen: CaseFilter, *, as_json: bool) -> None:
    total = count_cases(context, chosen)
    if as_json:
        say_json({**_nature(context), "filters": described(chosen), "total": total})
        return
    say(f"{total}")
    if context.city.synthetic:
        note(NOTICE)


def _say_table(context: Context, chosen: CaseFilter, *, limit: int) -> None:
    page = find_cases(context, chosen, limit=min(limit, MAX_TABLE_ROWS))
    if context.city.synthetic:
        say(NOTICE)
    say(f"{page.total:,} 件案件 / cases")
    if not page.rows:
        return
    say_table(
        COLUMNS,
        [
            (
                row["case_no"],
                str(row["listed_at"])[:16].replace("T", " "),
                row["subcategory_name"] or row["subcategory_code"],
                row["source_name"] or row["source"],
                row["region_name"] or row["region_method"],
                row["address_text"],
                row["status"],
                _degrees(row["lon"]),
                _degrees(row["lat"]),
            )
            for row in page.rows
        ],
    )
    more = page.total - len(page.rows)
    if more:
        say(f"… {more:,} more: raise --limit, or write all with --format csv --out FILE")


def _write(
    context: Context, chosen: CaseFilter, wanted: Format, *, limit: int | None, out: Path | None
) -> None:
    total = count_cases(context, chosen)
    written = total if limit is None else min(total, limit)
    head = {
        **_nature(context),
        "crs": "wgs84",
        "filters": described(chosen),
        "total": total,
        "returned": written,
    }
    if wanted is Format.CSV:
        parts = csv_parts(context, chosen, limit=limit)
    elif wanted is Format.GEOJSON:
        parts = geojson_parts(context, chosen, head, limit=limit)
    else:
        parts = json_parts(stream_cases(context, chosen, limit=limit), head)
    if out is None:
        for part in parts:
            sys.stdout.buffer.write(part)
        sys.stdout.flush()
        return
    with _whole(out) as handle:
        handle.writelines(parts)
    note(f"wrote {written:,} of {total:,} cases to {out}")


@contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file under another name first, so that a half-written one is never there."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as handle:
            yield handle
        part.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        part.unlink(missing_ok=True)


def _nature(context: Context) -> dict[str, object]:
    return nature(synthetic=bool(context.city.synthetic))


def _degrees(value: object) -> str | None:
    return None if value is None else f"{value:.6f}"
