"""Geometry files into the database: what `city init` and `boundaries …` share (图层装载)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd

from boundaries.cells import loaded_cells, make_cells
from boundaries.read import read_vector
from boundaries.topology import TopologyReport, check_topology
from boundaries.within import area_within
from gridgis.cli.output import note
from gridgis.errors import CodeError, GeometryError, TopologyError
from gridgis.intake.profile import check_measuring_crs
from gridgis.services.regions import AreaLayer, Stored, read_areas, store_areas, store_grid
from gridgis.store.areas import GridFacts, Validity

if TYPE_CHECKING:
    from gridgis.model.profile import CityProfile, Layer
    from gridgis.services.context import Context

ALWAYS = Validity()
REGION_KINDS = ("district", "zone")


def read_layer(
    layer: Layer,
    profile: CityProfile,
    *,
    encoding: str | None = None,
    name: str | None = None,
    force: bool = False,
) -> tuple[gpd.GeoDataFrame, TopologyReport]:
    """
    Read a geometry file, check its codes and topology, and refuse what must not be stored.

    Parameters
    ----------
    name : str, optional
        Layer of a file with several.
    force : bool
        Accept overlaps; bad or repeated codes are never accepted.

    Raises
    ------
    CodeError
        If a district or zone has neither a code nor a name that the profile knows.
    CrsError
        If the measuring CRS does not fit the districts.
    TopologyError
        If areas overlap, or codes are bad or repeated.
    """
    frame = _read(layer, encoding=encoding, name=name)
    for reason in frame.attrs["mended"]:
        note(f"mended without changing its area: {reason}")
    if layer.kind in REGION_KINDS:
        frame = _with_codes(frame, profile, layer.kind, layer.path.name)
    if layer.kind == "district":
        check_measuring_crs(frame, profile.measuring_crs)
    districts = {region.code for region in profile.districts}
    report = check_topology(frame, crs=profile.measuring_crs, kind=layer.kind, districts=districts)
    note(report.text())
    _refuse_faults(report, layer.path.name, force=force)
    return frame, report


def check_profile_crs(profile: CityProfile) -> None:
    """Refuse a measuring CRS that does not fit the districts; a database would keep it for good."""
    for layer in profile.layers:
        if layer.kind == "district":
            check_measuring_crs(_read(layer), profile.measuring_crs)


def load_layers(context: Context, profile: CityProfile) -> Stored:
    """
    Load every area layer of a profile, and the regions that have none.

    A region without a polygon still counts the cases that name it.
    """
    loaded = []
    for layer in profile.layers:
        if layer.kind != "cell":
            note(f"reading {layer.kind} layer {layer.path.name} …")
            frame, _ = read_layer(layer, profile)
            loaded.append(AreaLayer(layer.kind, frame, layer.quality, layer.source))
    present = {layer.kind for layer in loaded}
    loaded += [
        AreaLayer(kind, _empty(), "none", "") for kind in REGION_KINDS if kind not in present
    ]
    stored = store_areas(context, loaded, profile=profile, validity=ALWAYS)
    note(f"stored {stored.areas} areas")
    return stored


def make_profile_cells(context: Context, profile: CityProfile) -> Stored:
    """Load the unit grids of a profile, or make those that its `city.toml` lists."""
    for layer in profile.layers:
        if layer.kind == "cell":
            note(f"reading cell layer {layer.path.name} …")
            frame, _ = read_layer(layer, profile)
            return load_grid(
                context,
                frame,
                name=layer.path.stem,
                validity=ALWAYS,
                quality=layer.quality,
                attribution=layer.source,
            )
    return make_grid(
        context, profile, size_m=profile.cell_size_m, within=profile.cells_within, validity=ALWAYS
    )


def load_grid(
    context: Context,
    areas: gpd.GeoDataFrame,
    *,
    name: str,
    validity: Validity,
    quality: str,
    attribution: str,
) -> Stored:
    """Store cells of any shape as a new version of the unit grid."""
    cells = loaded_cells(areas, crs=f"EPSG:{context.city.measuring_srid}")
    facts = GridFacts(
        version=grid_version(name, validity.start),
        kind="loaded",
        size_m=None,
        within=(),
        attribution=attribution,
        validity=validity,
        quality=quality,
    )
    return store_grid(context, cells, facts=facts)


def make_grid(
    context: Context,
    profile: CityProfile,
    *,
    size_m: int,
    within: tuple[str, ...],
    validity: Validity,
) -> Stored:
    """Make square cells inside the given areas and store them as a new version."""
    note(f"making {size_m} m cells …")
    kinds = ("district", "zone", "street", "water")
    areas = {kind: read_areas(context, kind, day=validity.start) for kind in kinds}
    if areas["district"].empty:
        raise GeometryError(
            "no district with a polygon is loaded: load them with `gridgis boundaries load FILE "
            "--kind district --crs …`"
        )
    streets, water = (areas[kind] if len(areas[kind]) else None for kind in ("street", "water"))
    area = None
    if within:
        regions = gpd.GeoDataFrame(pd.concat([areas["district"], areas["zone"]]))
        area = area_within(
            within,
            regions=regions,
            streets=areas["street"],
            crs=profile.measuring_crs,
            seats={street.code: street.seat for street in profile.streets if street.seat},
            water=water,
        )
    cells = make_cells(
        areas["district"],
        size_m=size_m,
        crs=profile.measuring_crs,
        streets=streets,
        water=water,
        within=area,
    )
    facts = GridFacts(
        version=grid_version(f"square-{size_m}", validity.start),
        kind="generated",
        size_m=size_m,
        within=within,
        attribution="generated by gridgis",
        validity=validity,
    )
    stored = store_grid(context, cells, facts=facts)
    note(f"stored {stored.areas:,} cells, {cells['area_m2'].sum() / 1e6:,.1f} km²")
    return stored


def grid_version(name: str, start: date | None) -> str:
    """Return the name of a grid version: what it is and from when it holds."""
    return f"{name}@{start.isoformat()}" if start else name


def _read(
    layer: Layer, *, encoding: str | None = None, name: str | None = None
) -> gpd.GeoDataFrame:
    return read_vector(
        layer.path,
        crs=layer.crs,
        encoding=encoding,
        layer=name,
        code_field=layer.code_field or None,
        name_field=layer.name_field or None,
    )


def _with_codes(
    frame: gpd.GeoDataFrame, profile: CityProfile, kind: str, file: str
) -> gpd.GeoDataFrame:
    """Give districts and zones without a code that of their name in the profile."""
    known = {
        name.casefold(): region.code
        for region in profile.regions
        if region.kind == kind
        for name in (region.name, region.name_en, *region.aliases)
    }
    codes = [
        code or known.get(name.casefold(), "")
        for code, name in zip(frame["code"], frame["name"], strict=True)
    ]
    unknown = [name for code, name in zip(codes, frame["name"], strict=True) if not code]
    if unknown:
        raise CodeError(
            f"{file}: no code, and the city profile has no {kind} called {', '.join(unknown)}: add "
            "an alias in the profile's regions.csv, or give --code-field (code_field in city.toml)",
            unknown=unknown,
        )
    absent = {r.code: r.name for r in profile.regions if r.kind == kind and r.code not in codes}
    if absent:
        listed = ", ".join(f"{code} {name}" for code, name in absent.items())
        note(f"no polygon for {listed}: cases count there only if they name it")
    return frame.assign(code=codes)


def _refuse_faults(report: TopologyReport, file: str, *, force: bool) -> None:
    if report.ok or (force and not (report.bad_codes or report.duplicate_codes)):
        return
    raise TopologyError(
        f"{file}: the topology has faults, listed above; nothing was stored. Mend the file"
        + (", or keep the overlaps with `boundaries load --force`" if report.overlaps else ""),
        report=report.to_dict(),
    )


def _empty() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": [], "name": []}, geometry=[], crs=4326)
