"""Overlaps, gaps, slivers and bad codes of a layer, each named (拓扑检查)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from gridgis.codes import check_cell, check_division, check_region
from gridgis.errors import CodeError

if TYPE_CHECKING:
    from collections.abc import Collection, Sized

    from numpy.typing import NDArray

    Shapes = NDArray[np.object_]

OVERLAP_M2 = 1.0
GAP_M2 = 1.0
LISTED = 20
SLIVER_M2 = {"cell": 100.0, "street": 10_000.0, "district": 100_000.0, "zone": 10_000.0,
             "water": 0.0}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TopologyReport:
    """What is wrong with a layer; `ok` tells whether it may be stored (拓扑报告)."""

    areas: int
    overlaps: list[tuple[str, str, float]] = field(default_factory=list)
    """Two features and the square metres they share."""
    gaps: list[tuple[float, float, float]] = field(default_factory=list)
    """Longitude, latitude and square metres of holes between features."""
    slivers: list[tuple[str, float]] = field(default_factory=list)
    bad_codes: list[str] = field(default_factory=list)
    duplicate_codes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Overlaps and bad or repeated codes forbid storing; gaps and slivers only warn."""
        return not (self.overlaps or self.bad_codes or self.duplicate_codes)

    def to_dict(self) -> dict[str, object]:
        """Return the report as plain values."""
        return {
            "ok": self.ok, "areas": self.areas,
            "overlaps": [{"first": a, "second": b, "area_m2": m} for a, b, m in self.overlaps],
            "gaps": [{"lon": x, "lat": y, "area_m2": m} for x, y, m in self.gaps],
            "slivers": [{"code": code, "area_m2": m} for code, m in self.slivers],
            "bad_codes": self.bad_codes, "duplicate_codes": self.duplicate_codes,
        }  # fmt: skip

    def text(self) -> str:
        """Return the report for a person; long lists are cut and counted."""
        found: dict[str, Sized] = {
            "overlaps": self.overlaps,
            "gaps": self.gaps,
            "slivers": self.slivers,
            "bad codes": self.bad_codes,
            "repeated codes": self.duplicate_codes,
        }
        counts = ", ".join(f"{len(entries):,} {label}" for label, entries in found.items())
        lines = [f"{self.areas:,} areas: {counts}"]
        lines += _listed("overlap", [f"{a} and {b} share {m:,.1f} m²" for a, b, m in self.overlaps])
        lines += _listed("gap", [f"{m:,.1f} m² at {x:.6f}, {y:.6f}" for x, y, m in self.gaps])
        lines += _listed("sliver", [f"{code}: {m:,.1f} m²" for code, m in self.slivers])
        lines += _listed("bad code", self.bad_codes)
        lines += _listed("repeated code", self.duplicate_codes)
        return "\n".join(lines)


def check_topology(
    areas: gpd.GeoDataFrame, *, crs: str, kind: str, districts: Collection[str] = ()
) -> TopologyReport:
    """
    Check a layer of areas that should tile or at least not overlap (拓扑检查).

    Parameters
    ----------
    areas : GeoDataFrame
        `code name` and polygons, any CRS.
    crs : str
        Measuring CRS: areas are square metres in it.
    kind : str
        `district zone street water cell`: decides which codes are right and what is a sliver.
    districts : collection of str, optional
        The city's district codes: a street or cell whose code starts with another is bad.
    """
    planar = areas.to_crs(crs)
    shapes = planar.geometry.to_numpy()
    codes = planar["code"].to_numpy().astype(str)
    names = np.where(codes == "", planar["name"].to_numpy().astype(str), codes)
    sizes = shapely.area(shapes)
    small = sizes < SLIVER_M2[kind]
    unique, counts = np.unique(codes, return_counts=True)
    return TopologyReport(
        areas=len(planar),
        overlaps=[] if kind == "water" else _overlaps(shapes, names),
        gaps=[] if kind in {"water", "zone"} else _gaps(shapes, crs),
        slivers=[(str(n), float(s)) for n, s in zip(names[small], sizes[small], strict=True)],
        bad_codes=[] if kind == "water" else _bad_codes(codes, kind, districts),
        duplicate_codes=[] if kind == "water" else [str(c) for c in unique[counts > 1] if c],
    )


def _overlaps(shapes: Shapes, names: NDArray[np.str_]) -> list[tuple[str, str, float]]:
    tree = shapely.STRtree(shapes)
    first, second = tree.query(shapes, predicate="intersects")
    first, second = first[first < second], second[first < second]
    touching = shapely.touches(shapes[first], shapes[second])
    first, second = first[~touching], second[~touching]
    shared = shapely.area(shapely.intersection(shapes[first], shapes[second]))
    order = np.argsort(-shared, kind="stable")
    return [(str(names[first[i]]), str(names[second[i]]), float(shared[i]))
            for i in order if shared[i] > OVERLAP_M2]  # fmt: skip


def _gaps(shapes: Shapes, crs: str) -> list[tuple[float, float, float]]:
    """Return the holes of the union: places that the layer surrounds but does not cover."""
    parts = shapely.get_parts(shapely.union_all(shapes))
    holes = np.array([shapely.Polygon(ring) for part in parts for ring in part.interiors])
    holes = holes[shapely.area(holes) > GAP_M2]
    points = gpd.GeoSeries(shapely.point_on_surface(holes), crs=crs).to_crs(4326)
    found = zip(points.x, points.y, shapely.area(holes), strict=True)
    return sorted(((float(x), float(y), float(m)) for x, y, m in found), key=lambda gap: -gap[2])


def _bad_codes(codes: NDArray[np.str_], kind: str, districts: Collection[str]) -> list[str]:
    bad = []
    for code in codes.tolist():
        try:
            _check_code(code, kind)
        except CodeError as error:
            bad.append(error.message)
            continue
        if districts and kind in {"street", "cell"} and code[:6] not in districts:
            bad.append(f"code {code!r}: {code[:6]} is no district of this city")
    return bad


def _check_code(code: str, kind: str) -> None:
    if kind == "cell":
        check_cell(code)
    elif kind == "street":
        check_division(code, digits=9)
    else:
        check_region(code)


def _listed(label: str, entries: list[str]) -> list[str]:
    lines = [f"  {label}: {entry}" for entry in entries[:LISTED]]
    if len(entries) > LISTED:
        lines.append(f"  … and {len(entries) - LISTED:,} more")
    return lines
