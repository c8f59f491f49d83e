"""
Placement of a million points in PostGIS against geopandas.sjoin of the same points and cells.

Ours is the product's own placement (`gridgis.store.placement.place_cells`) on points that lie in
its work table, as geopandas starts from frames in memory: sorting, indexing, statistics and the
lowest code on a border are part of it. Once over irregular cells, by their geometry, and once over
uncut squares, by their key. Points and cells are random with a fixed seed, 60 % of the points in
clusters.
"""

from __future__ import annotations

import sys
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely
from common import Spent, measure, median_ratio, report, throw_away_cluster
from sqlalchemy import text

from gridgis.config import Settings
from gridgis.services.context import Context, init_city
from gridgis.services.regions import store_grid
from gridgis.store.areas import GridFacts, Validity
from gridgis.store.placement import open_placing, place_cells
from gridgis.store.rows import copy_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.store.cluster import Cluster
    from gridgis.store.engine import Connection

    Floats = NDArray[np.float64]

PAIRS = 7
POINTS = 1_000_000
CLUSTERED = 0.6
CLUSTERS = 2000
SIDE = 224
SIZE_M = 100
JITTER_M = 35.0
CORNER = np.array([560_000.0, 2_760_000.0])
GATE = {"irregular": 4.0, "regular": 0.5}


def main() -> int:
    """Run the pairs; exit 1 if a gate is missed."""
    rng = np.random.default_rng(20241101)
    points = _points(rng)
    grids = {"irregular": _mesh(rng, JITTER_M), "regular": _mesh(rng, 0.0)}
    pairs: dict[str, list[tuple[Spent, Spent]]] = {}
    with throw_away_cluster() as cluster:
        context = init_city(Settings(data_dir=cluster.state_dir), "kunming", database="bench")
        for kind, shapes in grids.items():
            cells = _frame(shapes, kind, context.city.measuring_srid)
            size_m = SIZE_M if kind == "regular" else None
            facts = GridFacts(kind, "generated" if size_m else "loaded", size_m, (), "", Validity())
            store_grid(context, cells, facts=facts)
            pairs[kind] = _pairs(cluster, context, cells, points)
        context.engine.dispose()
    ratios = {f"{kind}_over_sjoin": median_ratio(rows) for kind, rows in pairs.items()}
    held = report(
        "placement",
        question="CPU of placing points in cells in PostGIS over that of geopandas.sjoin",
        sizes={"points": POINTS, "cells": SIDE * SIDE, "pairs": PAIRS},
        ratios=ratios,
        gates={
            f"{kind}_over_sjoin <= {gate}": ratios[f"{kind}_over_sjoin"] <= gate
            for kind, gate in GATE.items()
        },
        pairs={f"{kind}: placement, sjoin": rows for kind, rows in pairs.items()},
    )
    return 0 if held else 1


def _pairs(
    cluster: Cluster, context: Context, cells: gpd.GeoDataFrame, points: Floats
) -> list[tuple[Spent, Spent]]:
    """Check that both give the same cells, then let them alternate."""
    left = gpd.GeoDataFrame(geometry=shapely.points(points), crs=cells.crs)
    join = partial(gpd.sjoin, left, cells[["cell_code", "geometry"]], predicate="intersects")
    found: list[tuple[Spent, Spent]] = []
    with context.engine.connect() as session:
        _store_points(session, points)
        for number in range(PAIRS):
            peer = measure(None, join)
            _fill(session)
            own = measure(cluster, partial(_place, session))
            if number == 0:
                _require_equal(session, join())
            session.rollback()
            found.append((own, peer))
        session.execute(text("DROP TABLE given_point"))
        session.commit()
    return found


def _place(session: Connection) -> None:
    """Place every point and read every verdict, as the next step of the product does."""
    place_cells(session, POINTS)
    placed = session.scalar(text("SELECT count(cell_code) FROM point_cell"))
    if placed != POINTS:
        sys.exit(f"{placed:,} of {POINTS:,} points were placed")


def _store_points(session: Connection, points: Floats) -> None:
    """Keep the points in the session, so that every pair starts from the same table."""
    session.execute(text("CREATE TEMP TABLE given_point (n integer, x float8, y float8)"))
    rows = ((n, x, y) for n, (x, y) in enumerate(points.tolist()))
    copy_rows(session, "given_point", ("n", "x", "y"), rows)
    session.commit()


def _fill(session: Connection) -> None:
    """Open a placement of the points, all reported on one day."""
    open_placing(session)
    session.execute(
        text(
            "INSERT INTO to_place (case_no, on_date, radius_m, cross_area, x_m, y_m, grid_version, "
            "grid_no, size_m) SELECT CAST(n AS text), :day, 0.1, false, x, y, grid_version, "
            "grid_no, size_m FROM given_point, placing_grid"
        ),
        {"day": date(2024, 11, 1)},
    )


def _require_equal(session: Connection, joined: gpd.GeoDataFrame) -> None:
    """Stop unless both placed the same points in the same cells, the lowest code on a border."""
    own = dict(
        session.execute(
            text(
                "SELECT CAST(case_no AS integer), cell_code FROM point_cell "
                "JOIN to_place USING (place_id)"
            )
        ).all()
    )
    peer = joined["cell_code"].groupby(level=0).min().to_dict()
    if own != peer:
        sys.exit(f"the answers differ: {len(own):,} placed here, {len(peer):,} by geopandas")


def _points(rng: np.random.Generator) -> Floats:
    """Return points, most of them in clusters of 150 m, all inside the cells."""
    extent = SIDE * SIZE_M
    clustered = int(POINTS * CLUSTERED)
    centres = rng.uniform(0, extent, (CLUSTERS, 2))
    near = centres[rng.integers(0, CLUSTERS, clustered)] + rng.normal(0, 150, (clustered, 2))
    spread = rng.uniform(0, extent, (POINTS - clustered, 2))
    points = np.concatenate([near % extent, spread])
    return CORNER + points[rng.permutation(POINTS)]


def _mesh(rng: np.random.Generator, jitter_m: float) -> NDArray[np.object_]:
    """Return quadrangles that share their corners; without jitter they are squares."""
    lines = np.arange(SIDE + 1) * float(SIZE_M)
    corners = np.stack(np.meshgrid(lines, lines), axis=-1)
    corners[1:-1, 1:-1] += rng.uniform(-jitter_m, jitter_m, (SIDE - 1, SIDE - 1, 2))
    corners += CORNER
    rings = np.stack(
        [corners[:-1, :-1], corners[:-1, 1:], corners[1:, 1:], corners[1:, :-1]], axis=2
    )
    quadrangles: NDArray[np.object_] = shapely.polygons(rings.reshape(-1, 4, 2))
    return quadrangles


def _frame(shapes: NDArray[np.object_], kind: str, srid: int) -> gpd.GeoDataFrame:
    """Return cells as the store takes them."""
    west, south = np.rint(shapely.bounds(shapes).T[:2] / SIZE_M).astype(np.int64)
    square = kind == "regular"
    return gpd.GeoDataFrame(
        {
            "cell_code": [
                f"530102001{600 + n // 999}{n % 999 + 1:03d}" for n in range(len(shapes))
            ],
            "area_m2": shapely.area(shapes),
            "ix": west if square else None,
            "iy": south if square else None,
            "whole": square,
            "district_code": "530102",
            "street_code": "530102001",
            "synthetic": True,
        },
        geometry=shapes,
        crs=srid,
    )


if __name__ == "__main__":
    sys.exit(main())
