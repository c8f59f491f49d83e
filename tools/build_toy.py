"""
Build the toy city of the tests: geometry, unit grids, cases and what they must add up to.

    python tools/build_toy.py --out tests/data/toy

One seed makes everything. A mesh of irregular unit grids is drawn first; streets, districts and
the zone are unions of them, so that all layers share every vertex. `expected.json` is counted by
geopandas here, independently of the database.
"""

from __future__ import annotations

import argparse
import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gridgis.intake.profile import load_profile

SEED = 20240331
PLANE = "EPSG:3067"
WEST, SOUTH, WIDE, HIGH = 385_000.0, 6_685_000.0, 4_000.0, 2_400.0
COLUMNS, ROWS = 20, 9
MONTH = datetime(2024, 3, 1)  # noqa: DTZ001 - local times, as an export has them
DAYS = 31
KINDS = ("Street lamp", "Road sign", "Litter", "Graffiti", "Illegal parking", "Noise at night")
KIND_SHARES = (0.1, 0.05, 0.35, 0.1, 0.3, 0.1)
CHANNELS = ("City inspector", "Area warden", "Phone line", "app")
CHANNEL_SHARES = (0.3, 0.5, 0.1, 0.1)
HEADERS = (
    "Ticket", "Kind", "Channel", "Text", "Where", "Area", "X", "Y", "Handled by",
    "Fixed on the spot", "Reported", "Taken in", "Sent", "Deadline", "Fixed", "Closed",
)  # fmt: skip
CODES = {
    "Street lamp": "B0101", "Road sign": "B0201", "Litter": "S0101", "Graffiti": "S0102",
    "Illegal parking": "S0501", "Noise at night": "S0502",
}  # fmt: skip
GOOD_ROWS = 280


def main() -> None:
    """Write the toy city."""
    parser = argparse.ArgumentParser(description=str(__doc__).strip().splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    out: Path = parser.parse_args().out
    rng = np.random.default_rng(SEED)
    geometry = out / "profile" / "geometry"
    geometry.mkdir(parents=True, exist_ok=True)

    mesh = make_mesh(rng)
    streets = dissolved(mesh, "street", STREETS)
    districts = dissolved(mesh, "district", DISTRICTS)
    zones = dissolved(mesh[mesh["street"] == "990903001"].assign(zone="9909Z1"), "zone", ZONES)
    water = gpd.GeoDataFrame({"code": ["W1"], "name": ["Mill Pond"]}, geometry=[lake()], crs=PLANE)
    water["geometry"] = shapely.transform(water.to_crs(4326).geometry.to_numpy(), rounded)
    water = water.set_crs(4326, allow_override=True)
    cells = name_cells(mesh[mesh["district"] == "990901"])
    layers = {"districts": districts, "streets": streets, "zones": zones, "water": water}
    for name, frame in layers.items():
        write_geojson(frame, geometry / f"{name}.geojson")
    write_geojson(cells, out / "cells.geojson")
    write_streets(streets, out / "profile" / "streets.csv")

    cases = make_cases(rng, layers)
    cases[list(HEADERS)].to_csv(out / "cases.csv", index=False, lineterminator="\n")
    in_metres(cases)[list(HEADERS)].to_csv(
        out / "cases_epsg3067.csv", index=False, lineterminator="\n"
    )
    load_profile(out / "profile")
    expected = count(cases, cells)
    (out / "expected.json").write_text(json.dumps(expected, indent=1) + "\n", encoding="utf-8")
    print(f"{len(cells)} unit grids, {len(cases)} rows, {sum(expected['rejected'].values())} bad")


STREETS = {
    "990901001": "Mill Street", "990901002": "Hill Street", "990902001": "Church Street",
    "990902002": "Park Street", "990903001": "Quay Street", "990903002": "Garden Street",
}  # fmt: skip
DISTRICTS = {"990901": "North Side", "990902": "South Side", "990903": "East Bank"}
ZONES = {"9909Z1": "Harbour"}


def make_mesh(rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Return irregular areas that tile the city, with the street and district of each."""
    step_x, step_y = WIDE / COLUMNS, HIGH / ROWS
    column, row = (part.ravel() for part in np.meshgrid(np.arange(COLUMNS), np.arange(ROWS)))
    x = WEST + (column + 0.5 + rng.uniform(-0.35, 0.35, column.size)) * step_x
    y = SOUTH + (row + 0.5 + rng.uniform(-0.35, 0.35, row.size)) * step_y
    points = shapely.points(x, y)
    border = outline()
    edges = shapely.voronoi_polygons(shapely.multipoints(points), extend_to=border, only_edges=True)
    noded = shapely.union(shapely.boundary(border), edges)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(noded)))
    inside = shapely.point_on_surface(faces)
    faces, inside = (part[shapely.covers(border, inside)] for part in (faces, inside))
    owner = shapely.STRtree(points).nearest(inside)
    shapes = [shapely.union_all(faces[owner == seat]) for seat in range(column.size)]
    mesh = gpd.GeoDataFrame({"column": column, "row": row}, geometry=shapes, crs=PLANE)
    mesh["street"] = [street_of(c, r) for c, r in zip(column, row, strict=True)]
    mesh["district"] = mesh["street"].str[:6]
    mesh["geometry"] = shapely.transform(mesh.to_crs(4326).geometry.to_numpy(), rounded)
    mesh = mesh.set_crs(4326, allow_override=True)
    if not shapely.coverage_is_valid(mesh.geometry.to_numpy()):
        raise SystemExit("the mesh is no coverage")
    return mesh


def street_of(column: int, row: int) -> str:
    """Return the street of a mesh position: east, else north and south."""
    if column >= 15:  # noqa: PLR2004 - the eastern quarter
        return "990903001" if row <= 4 else "990903002"  # noqa: PLR2004
    side = "990901" if row >= 5 else "990902"  # noqa: PLR2004
    return f"{side}001" if column <= 7 else f"{side}002"  # noqa: PLR2004


def outline() -> shapely.Polygon:
    """Return the border of the city in metres: a rectangle without two corners."""
    east, north = WEST + WIDE, SOUTH + HIGH
    return shapely.Polygon([
        (WEST, SOUTH + 130), (WEST + 90, SOUTH), (east, SOUTH), (east, north - 110),
        (east - 70, north), (WEST, north),
    ])  # fmt: skip


def lake() -> shapely.Polygon:
    """Return a pond in the south."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    x = WEST + 1900 + 260 * np.cos(angle)
    y = SOUTH + 600 + 150 * np.sin(angle) + 20 * np.cos(3 * angle)
    return shapely.Polygon(np.column_stack([x, y]))


def rounded(xy: np.ndarray) -> np.ndarray:
    """Round degrees to 7 decimals; equal vertices stay equal."""
    return np.round(xy, 7)


def dissolved(mesh: gpd.GeoDataFrame, by: str, names: dict[str, str]) -> gpd.GeoDataFrame:
    """Return the unions of mesh areas, with every vertex kept."""
    rows = [
        {"code": code, "name": name,
         "geometry": shapely.coverage_union_all(mesh.geometry.to_numpy()[mesh[by] == code])}
        for code, name in names.items()
    ]  # fmt: skip
    return gpd.GeoDataFrame(rows, crs=4326)


def name_cells(mesh: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return the unit grids of one district with 15-digit codes, west to east, north to south."""
    cells = mesh.sort_values(["street", "row", "column"], ascending=[True, False, True])
    number = cells.groupby("street").cumcount() + 1
    cells["code"] = [f"{s}001{n:03d}" for s, n in zip(cells["street"], number, strict=True)]
    cells["name"] = [f"Block {code[6:9]}-{code[12:]}" for code in cells["code"]]
    return cells[["code", "name", "geometry"]].reset_index(drop=True)


def write_streets(streets: gpd.GeoDataFrame, path: Path) -> None:
    """Write streets.csv; the seat is a point inside the street area."""
    inside = shapely.point_on_surface(streets.geometry.to_numpy())
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(("code", "name", "district_code", "seat_lon", "seat_lat"))
        for code, name, seat in zip(streets["code"], streets["name"], inside, strict=True):
            writer.writerow((code, name, code[:6], f"{seat.x:.6f}", f"{seat.y:.6f}"))


def make_cases(rng: np.random.Generator, layers: dict[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """Return an export with defects, and in `_…` columns what is wrong on purpose."""
    cases = good_cases(rng, layers)
    used = {0, 1}  # the two rows on the border of the month stay as they are

    def pick(number: int) -> list[int]:
        free = [i for i in cases.index if i not in used and not cases.loc[i, "_self"]]
        chosen = sorted(int(i) for i in rng.choice(free, number, replace=False))
        used.update(chosen)
        return chosen

    cases.loc[pick(8), ["X", "Y"]] = ""
    lost = pick(3)
    cases.loc[lost, ["X", "Y", "Area"]] = ""
    for index in pick(5):
        for axis in ("X", "Y"):
            cases.loc[index, axis] = f"{float(cases.loc[index, axis]):.2f}"
        cases.loc[index, "Area"] = {**DISTRICTS, **ZONES}[cases.loc[index, "_region"]]
        cases.loc[index, "_coarse"] = True
    cases.loc[pick(4), "Area"] = "North Side / South Side"
    cases.loc[pick(5), ["Taken in", "Sent", "Deadline", "Fixed", "Closed"]] = ""
    far = pick(2)
    cases.loc[far, ["X", "Y"]] = ["21.500000", "61.500000"]
    cases.loc[pick(2), "_reject"] = "unknown_category"
    cases.loc[cases["_reject"] == "unknown_category", "Kind"] = "Lost umbrella"
    early = pick(1)
    cases.loc[early, "Closed"] = "01.01.2024 08:00"
    cases.loc[early, "_reject"] = "stage_order"
    same, other = pick(2)
    twins = cases.loc[[same, other]].copy()
    twins["_reject"] = ["duplicate_row", "duplicate_case_no"]
    twins.loc[other, "Text"] = "entered a second time"
    return pd.concat([cases, twins], ignore_index=True)


def good_cases(rng: np.random.Generator, layers: dict[str, gpd.GeoDataFrame]) -> pd.DataFrame:
    """Return rows without defects: clustered points on land, a day first time of March 2024."""
    points = land_points(rng, layers, GOOD_ROWS)
    regions = region_of(points, layers)
    names = {**DISTRICTS, **ZONES}
    rows = []
    for number, (point, region) in enumerate(zip(points, regions, strict=True), start=1):
        hours = int(rng.integers(0, DAYS * 24))
        reported = MONTH + timedelta(hours=hours, minutes=int(rng.integers(0, 60)))
        if reported.date().day == DAYS and reported.hour == 3:  # noqa: PLR2004
            reported += timedelta(hours=1)  # this hour does not exist: the clocks go forward
        self_handled = number % 14 == 0
        closed = reported + timedelta(hours=int(rng.integers(20, 200)))
        open_still = rng.random() < 0.1  # noqa: PLR2004
        rows.append({
            "Ticket": f"TV-2024-{number:05d}",
            "Kind": str(rng.choice(KINDS, p=KIND_SHARES)),
            "Channel": str(rng.choice(CHANNELS[:2] if self_handled else CHANNELS,
                                      p=None if self_handled else CHANNEL_SHARES)),
            "Text": "", "Where": f"{int(rng.integers(1, 90))} Quay Street",
            "Area": names[region] if rng.random() < 0.9 else "",  # noqa: PLR2004
            "X": f"{point.x:.6f}", "Y": f"{point.y:.6f}", "Handled by": "Works",
            "Fixed on the spot": "yes" if self_handled else "no",
            "Reported": moment(reported),
            "Taken in": "" if self_handled else moment(reported + timedelta(minutes=10)),
            "Sent": "" if self_handled else moment(reported + timedelta(hours=2)),
            "Deadline": "" if self_handled else moment(reported + timedelta(days=5)),
            "Fixed": "" if self_handled or open_still else moment(closed - timedelta(hours=1)),
            "Closed": "" if self_handled or open_still else moment(closed),
            "_self": self_handled, "_reject": "", "_coarse": False, "_region": region,
        })  # fmt: skip
    cases = pd.DataFrame(rows)
    cases.loc[[0, 1], ["Reported", "Taken in"]] = [
        ["31.03.2024 23:55", "01.04.2024 00:00"],  # accepted in April: not of March
        ["29.02.2024 23:55", "01.03.2024 00:00"],  # accepted in March
    ]
    cases.loc[[0, 1], ["Sent", "Deadline", "Fixed", "Closed"]] = ""
    return cases


def land_points(
    rng: np.random.Generator, layers: dict[str, gpd.GeoDataFrame], number: int
) -> np.ndarray:
    """Return points on land to 6 decimals: half of them in five clusters."""
    city = shapely.union_all(layers["districts"].to_crs(PLANE).geometry.to_numpy())
    land = city.difference(layers["water"].to_crs(PLANE).geometry.iloc[0]).buffer(-2)
    centres = rng.uniform(
        (WEST + 400, SOUTH + 400), (WEST + WIDE - 400, SOUTH + HIGH - 400), (5, 2)
    )
    found: list[shapely.Point] = []
    while len(found) < number:
        if rng.random() < 0.5:  # noqa: PLR2004
            x, y = rng.normal(centres[rng.integers(5)], 120)
        else:
            x, y = rng.uniform((WEST, SOUTH), (WEST + WIDE, SOUTH + HIGH))
        if land.contains(shapely.Point(x, y)):
            found.append(shapely.Point(x, y))
    points = gpd.GeoSeries(found, crs=PLANE).to_crs(4326).to_numpy()
    return np.asarray(shapely.transform(points, lambda xy: np.round(xy, 6)))


def region_of(points: np.ndarray, layers: dict[str, gpd.GeoDataFrame]) -> list[str]:
    """Return the management region of points: the zone, else the district."""
    regions = pd.concat([layers["zones"], layers["districts"]], ignore_index=True)
    shapes = regions.geometry.to_numpy()
    hits = shapely.intersects(shapes[:, None], points[None, :])
    return [str(code) for code in regions["code"].to_numpy()[hits.argmax(axis=0)]]


def in_metres(cases: pd.DataFrame) -> pd.DataFrame:
    """Return the same rows with coordinates in the measuring CRS, to centimetres."""
    twin = cases.copy()
    has = (twin["X"] != "") & ~twin["_coarse"]
    lonlat = gpd.points_from_xy(twin.loc[has, "X"].astype(float), twin.loc[has, "Y"].astype(float))
    points = gpd.GeoSeries(lonlat, crs=4326).to_crs(PLANE)
    twin.loc[has, "X"] = [f"{x:.2f}" for x in points.x]
    twin.loc[has, "Y"] = [f"{y:.2f}" for y in points.y]
    twin.loc[twin["_coarse"], ["X", "Y"]] = ""
    return twin


def moment(value: datetime) -> str:
    """Return a time as the toy city writes it."""
    return value.strftime("%d.%m.%Y %H:%M")


def count(cases: pd.DataFrame, cells: gpd.GeoDataFrame) -> dict[str, object]:
    """Return what an import of `cases.csv` and the density of March 2024 must add up to."""
    kept = cases[cases["_reject"] == ""]
    counted = kept[[in_march(row) for _, row in kept.iterrows()]]
    crossing = counted["Area"].str.contains("/")
    pointless = (counted["X"] == "") | (counted["X"] == "21.500000")
    unlocated = pointless & (counted["Area"] == "")
    stated = counted["Area"].map({name: code for code, name in {**DISTRICTS, **ZONES}.items()})
    region = counted["_region"].where(~pointless, stated)
    region = region.mask(unlocated, "unlocated").mask(crossing, "cross_area")
    fine = counted[~pointless & ~counted["_coarse"]]
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(fine["X"].astype(float), fine["Y"].astype(float)), crs=4326
    )
    inside = gpd.sjoin(points, cells[["code", "geometry"]], predicate="intersects")
    if inside.index.duplicated().any():
        raise SystemExit("a point lies on a border: choose another seed")
    return {
        "rows_in": len(cases),
        "accepted": len(kept),
        "rejected": tally(cases.loc[cases["_reject"] != "", "_reject"]),
        "month": "2024-03",
        "counted": len(counted),
        "by_region": tally(region),
        "by_category": tally(counted["Kind"].map(CODES)),
        "no_point": int(pointless.sum()),
        "coarse": int(counted["_coarse"].sum()),
        "by_cell": tally(inside["code"]),
    }


def in_march(row: pd.Series) -> bool:
    """Tell whether a row counts in March 2024: accepted then, or self-handled and reported then."""
    text = row["Reported"] if row["_self"] else row["Taken in"]
    return bool(text) and text[3:10] == "03.2024"


def tally(values: pd.Series) -> dict[str, int]:
    """Return how often each value occurs, by value."""
    return {str(key): int(number) for key, number in values.value_counts().sort_index().items()}


def write_geojson(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write GeoJSON in WGS84."""
    frame.to_file(path, driver="GeoJSON", COORDINATE_PRECISION=7, engine="pyogrio")


if __name__ == "__main__":
    main()
