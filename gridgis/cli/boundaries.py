"""`gridgis boundaries …`: areas and unit grids (区域与单元网格)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from boundaries.read import read_vector
from boundaries.topology import check_topology
from gridgis.cli.layers import grid_version, make_grid
from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.errors import InputError, TopologyError
from gridgis.services.context import open_context
from gridgis.services.regions import (
    AreaLayer,
    grid_versions,
    read_areas,
    store_areas,
    store_grid,
)
from gridgis.store.areas import GridFacts, Validity

app = typer.Typer(help="Areas and unit grids (区域与单元网格).", no_args_is_help=True)
AREA_KINDS = ("district", "zone", "street", "water")
Start = Annotated[
    str | None, typer.Option("--valid-from", help="First day of validity, YYYY-MM-DD.")
]


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="Any vector file that GDAL reads.")],
    *,
    kind: Annotated[str, typer.Option(help="district, zone, street, water or cell.")],
    crs: Annotated[str, typer.Option(help="wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")],
    encoding: Annotated[str | None, typer.Option(help="Text encoding, such as GBK.")] = None,
    valid_from: Start = None,
    code_field: Annotated[str | None, typer.Option(help="Attribute with the code.")] = None,
    name_field: Annotated[str | None, typer.Option(help="Attribute with the name.")] = None,
    quality: Annotated[
        str, typer.Option(help="surveyed, map_derived, approximate or synthetic.")
    ] = "surveyed",
    attribution: Annotated[str, typer.Option(help="Origin and licence, shown on maps.")] = "",
    force: Annotated[
        bool, typer.Option(help="Store in spite of overlaps, gaps and slivers.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """
    Load areas or irregular unit grids, check their topology, place every case again.

    Faults (overlaps, gaps, slivers, bad codes) are named; overlaps and bad codes stop the load
    unless --force is given.
    """
    if kind not in (*AREA_KINDS, "cell"):
        raise InputError(f"kind {kind!r}: expected {', '.join(AREA_KINDS)} or cell")
    context = open_context(Settings())
    profile = context.profile()
    names = {
        name: region.code
        for region in profile.regions
        for name in (region.name, region.name_en, *region.aliases)
    }
    frame = read_vector(file, crs=crs, encoding=encoding, code_field=code_field,
                        name_field=name_field)  # fmt: skip
    if code_field is None and kind in {"district", "zone"}:
        frame = _codes_by_name(frame, names)
    report = check_topology(frame, crs=profile.measuring_crs, kind=kind)
    note(report.text())
    if not report.ok and not force:
        raise TopologyError(
            f"{file.name}: the topology has faults, listed above; nothing was stored. Mend the "
            "file, or store it as it is with --force",
            report=report.to_dict(),
        )  # fmt: skip
    validity = Validity(_day(valid_from))
    if kind == "cell":
        facts = GridFacts(grid_version(file.stem, validity.start), "loaded", None, (),
                          attribution or file.name, validity)  # fmt: skip
        stored = store_grid(context, _cells(frame, profile.measuring_crs), facts=facts)
    else:
        layer = AreaLayer(kind, frame, quality, attribution or file.name)
        stored = store_areas(context, [layer], profile=profile, validity=validity)
    result = {"kind": kind, "areas": stored.areas, "moved_cases": stored.moved_cases,
              "topology": report.to_dict()}  # fmt: skip
    if as_json:
        say_json(result)
    else:
        say(f"stored {stored.areas:,} {kind} areas; {stored.moved_cases:,} cases changed place")


@app.command("make-cells")
def make_cells_command(
    *,
    size_m: Annotated[int, typer.Option(help="Side of a square in metres.", min=10, max=5000)],
    within: Annotated[
        list[str] | None,
        typer.Option(help="KIND:CODE or KIND:CODE@RADIUS_M; repeat. Default: every district."),
    ] = None,
    valid_from: Start = None,
) -> None:
    """Make square unit grids with 15-digit codes inside areas (生成单元网格)."""
    context = open_context(Settings())
    stored = make_grid(context, context.profile(), size_m=size_m, within=tuple(within or ()),
                       validity=Validity(_day(valid_from)))  # fmt: skip
    say(f"stored {stored.areas:,} cells; {stored.moved_cases:,} cases changed place")


@app.command()
def check(
    *,
    kind: Annotated[str, typer.Option(help="district, zone or street.")] = "district",
    as_json: JsonFlag = False,
) -> None:
    """Check the topology of stored areas."""
    context = open_context(Settings())
    report = check_topology(
        read_areas(context, kind), crs=f"EPSG:{context.city.measuring_srid}", kind=kind
    )
    if as_json:
        say_json(report.to_dict())
    else:
        say(report.text())


@app.command("grids")
def list_grids(*, as_json: JsonFlag = False) -> None:
    """List the versions of the unit grid."""
    rows = grid_versions(open_context(Settings()))
    if as_json:
        say_json(rows)
        return
    say_table(("version", "kind", "cells", "km²", "from", "to"),
              [(row["grid_version"], row["kind"], row["cell_count"],
                f"{float(str(row['area_m2'])) / 1e6:.1f}", str(row["valid_from"]),
                str(row["valid_to"])) for row in rows])  # fmt: skip


@app.command()
def export(
    *,
    kind: Annotated[str, typer.Option(help="district, zone, street, water or cell.")],
    out: Annotated[Path, typer.Option(help="Target file: .geojson or .gpkg.")],
) -> None:
    """Write stored areas to a file, with quality and attribution (导出)."""
    frame = export_areas(open_context(Settings()), kind)
    frame.to_file(out, engine="pyogrio")
    say(f"wrote {len(frame):,} areas to {out}")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a local day
    except ValueError as error:
        raise InputError(f"date {text!r}: expected YYYY-MM-DD") from error
