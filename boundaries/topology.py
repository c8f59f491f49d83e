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
        lines = [f"{self.areas:,} areas: {len(self.overlaps)} overlaps, {len(self.gaps)} gaps, "
                 f"{len(self.slivers)} slivers, {len(self.bad_codes)} bad codes, "
                 f"{len(self.duplicate_codes)} repeated codes"]  # fmt: skip
        lines += _listed("overlap", [f"{a} and {b} share {m:,.1f} m²" for a, b, m in self.overlaps])
        lines += _listed("gap", [f"{m:,.1f} m² at {x:.6f}, {y:.6f}" for x, y, m in self.gaps])
        lines += _listed("sliver", [f"{code}: {m:,.1f} m²" for code, m in self.slivers])
        lines += _listed("bad code", self.bad_codes)
        lines += _listed("repeated code", self.duplicate_codes)
        return "\n".join(lines)


def check_topology(areas: gpd.GeoDataFrame, *, crs: str, kind: str) -> TopologyReport:
    """
    Check a layer of areas that should tile or at least not overlap (拓扑检查).

    Parameters
    ----------
    areas : GeoDataFrame
        `code` and polygons, any CRS.
    crs : str
        Measuring CRS: areas are square metres in it.
    kind : str
        `district zone street water cell`: decides which codes are right and what is a sliver.
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
        bad_codes=[] if kind == "water" else _bad_codes(codes, kind),
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
    """Holes of the union: places that the layer surrounds but does not cover."""
    holes = [
        shapely.Polygon(ring)
        for part in shapely.get_parts(shapely.union_all(shapes))
        for ring in part.interiors
    ]
    holes = [hole for hole in holes if hole.area > GAP_M2]
    points = gpd.GeoSeries([hole.representative_point() for hole in holes], crs=crs).to_crs(4326)
    found = [(p.x, p.y, h.area) for p, h in zip(points, holes, strict=True)]
    return sorted(found, key=lambda gap: -gap[2])


def _bad_codes(codes: NDArray[np.str_], kind: str) -> list[str]:
    bad = []
    for code in codes:
        try:
            if kind == "cell":
                check_cell(code)
            elif kind == "street":
                check_division(code, digits=9)
            else:
                check_region(code)
        except CodeError as error:
            bad.append(error.message)
    return bad


def _listed(label: str, entries: list[str]) -> list[str]:
    lines = [f"  {label}: {entry}" for entry in entries[:LISTED]]
    if len(entries) > LISTED:
        lines.append(f"  … and {len(entries) - LISTED:,} more")
    return lines
