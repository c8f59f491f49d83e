"""`gridgis boundaries …`: areas and unit grids (区域与单元网格)."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import pyogrio
import typer

from boundaries.topology import check_topology
from gridgis.cli.layers import REGION_KINDS, load_grid, make_grid, read_layer
from gridgis.cli.output import JsonFlag, say, say_json, say_table
from gridgis.config import Settings
from gridgis.errors import InputError, NotFoundError
from gridgis.intake.profile import QUALITIES
from gridgis.model.profile import Layer
from gridgis.services.context import open_context
from gridgis.services.regions import AreaLayer, Stored, grid_versions, read_areas, store_areas
from gridgis.store.areas import Validity

app = typer.Typer(help="Areas and unit grids (区域与单元网格).", no_args_is_help=True)
KINDS = (*REGION_KINDS, "street", "water", "cell")
EXPORTS = (".geojson", ".gpkg")

KindOption = Annotated[str, typer.Option("--kind", help=f"{', '.join(KINDS)}.")]
StartOption = Annotated[
    str | None,
    typer.Option("--valid-from", help="First day, YYYY-MM-DD; without it, from ever on."),
]


@app.command()
def load(  # noqa: PLR0913 - the options of the command, each by name
    file: Annotated[Path, typer.Argument(help="Any vector file that GDAL reads.")],
    *,
    kind: KindOption,
    crs: Annotated[str, typer.Option(help="wgs84, cgcs2000, gcj02, bd09 or EPSG:n.")],
    encoding: Annotated[str | None, typer.Option(help="Text encoding, such as GBK.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of a file with several.")] = None,
    valid_from: StartOption = None,
    code_field: Annotated[str | None, typer.Option(help="Attribute with the code.")] = None,
    name_field: Annotated[str | None, typer.Option(help="Attribute with the name.")] = None,
    quality: Annotated[str, typer.Option(help=f"{', '.join(QUALITIES)}.")] = "surveyed",
    attribution: Annotated[str, typer.Option(help="Origin and licence, shown on maps.")] = "",
    force: Annotated[bool, typer.Option(help="Store in spite of overlaps.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """
    Load areas or unit grids of any shape, check their topology, place every case again.

    Overlaps, gaps, slivers and bad codes are named. Bad or repeated codes stop the load, overlaps
    do unless --force is given. A layer holds until the day on which the next one begins; loading
    one again that begins on the same day replaces it. Districts and zones without codes are
    recognised by the names and aliases of the city profile.
    """
    _check_kind(kind)
    if quality not in QUALITIES:
        raise InputError(f"quality {quality!r}: expected {', '.join(QUALITIES)}")
    validity = Validity(_day(valid_from))
    context = open_context(Settings())
    profile = context.profile()
    source = attribution or file.name
    described = Layer(kind, file, crs, code_field or "", name_field or "", quality, source)
    frame, report = read_layer(described, profile, encoding=encoding, name=layer, force=force)
    if kind == "cell":
        stored = load_grid(
            context,
            frame,
            name=file.stem,
            validity=validity,
            quality=quality,
            attribution=source,
        )
    else:
        loaded = AreaLayer(kind, frame, quality, source)
        stored = store_areas(context, [loaded], profile=profile, validity=validity)
    if as_json:
        say_json({**_result(kind, stored), "topology": report.to_dict()})
    else:
        _say_stored(kind, stored)


@app.command("make-cells")
def make_cells_command(
    *,
    size_m: Annotated[
        int | None,
        typer.Option(help="Side of a square in metres; default the profile's.", min=10, max=5000),
    ] = None,
    within: Annotated[
        list[str] | None,
        typer.Option(help="KIND:CODE or KIND:CODE@RADIUS_M; repeat. Default the profile's list."),
    ] = None,
    valid_from: StartOption = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Make square unit grids with 15-digit codes inside areas (生成单元网格).

    KIND is district, zone or street; a radius cuts the area to a circle round its seat point.
    Without a list in the profile every district is filled.
    """
    validity = Validity(_day(valid_from))
    context = open_context(Settings())
    profile = context.profile()
    stored = make_grid(
        context,
        profile,
        size_m=size_m or profile.cell_size_m,
        within=tuple(within or profile.cells_within),
        validity=validity,
    )
    if as_json:
        say_json(_result("cell", stored))
    else:
        _say_stored("cell", stored)


@app.command()
def check(*, kind: KindOption, as_json: JsonFlag = False) -> None:
    """Check the topology of today's stored areas."""
    _check_kind(kind)
    context = open_context(Settings())
    frame = read_areas(context, kind)
    report = check_topology(frame, crs=f"EPSG:{context.city.measuring_srid}", kind=kind)
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
    say_table(
        ("version", "kind", "cells", "km²", "from", "to"),
        [
            (
                row["grid_version"],
                row["kind"],
                row["cell_count"],
                f"{float(str(row['area_m2'])) / 1e6:.1f}",
                row["valid_from"],
                row["valid_to"],
            )
            for row in rows
        ],
    )


@app.command()
def export(
    *,
    kind: KindOption,
    out: Annotated[Path, typer.Option(help="Target file: .geojson or .gpkg.")],
) -> None:
    """
    Write today's areas to a file in WGS84 (导出).

    Every feature says how good it is (quality, approximate, synthetic) and where it comes from.
    """
    _check_kind(kind)
    if out.suffix.lower() not in EXPORTS:
        raise InputError(f"{out.name}: expected a file that ends in {' or '.join(EXPORTS)}")
    frame = read_areas(open_context(Settings()), kind)
    if frame.empty:
        raise NotFoundError(f"no {kind} is stored: load one with `gridgis boundaries load`")
    partial = out.with_name(f".partial-{out.name}")
    options = {"COORDINATE_PRECISION": 9} if out.suffix.lower() == ".geojson" else {}
    pyogrio.write_dataframe(frame, partial, layer=kind, **options)
    partial.replace(out)
    say(f"wrote {len(frame):,} areas to {out}")


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise InputError(f"kind {kind!r}: expected {', '.join(KINDS)}")


def _result(kind: str, stored: Stored) -> dict[str, object]:
    return {"kind": kind, "areas": stored.areas, "moved_cases": stored.moved_cases}


def _say_stored(kind: str, stored: Stored) -> None:
    say(f"stored {stored.areas:,} {kind} areas; {stored.moved_cases:,} cases changed place")


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a local day
    except ValueError as error:
        raise InputError(f"date {text!r}: expected YYYY-MM-DD") from error
