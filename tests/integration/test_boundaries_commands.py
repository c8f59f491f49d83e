"""`gridgis boundaries` as a city office uses it: its own files, with their faults (边界命令)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from sqlalchemy import text

from gridgis.services.context import open_context
from gridgis.services.regions import grid_versions, read_areas
from gridgis.store.engine import begin

GRIDGIS = Path(sys.executable).with_name("gridgis")
TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
WGS84 = ("--crs", "wgs84")


@pytest.fixture
def city(cluster, toy_template):
    """Return a toy city of this test's own and a function that runs the command on it."""
    name = cluster.clone(toy_template)
    settings = cluster.settings(name)
    environment = {key: value for key, value in os.environ.items() if "GRIDGIS" not in key}
    environment["GRIDGIS_DATABASE_URL"] = settings.database_url.get_secret_value()

    def run(*words):
        return subprocess.run(  # noqa: S603 - our own command
            [GRIDGIS, "boundaries", *map(str, words)],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    context = open_context(settings)
    yield context, run
    context.engine.dispose()
    cluster.drop(name)


def districts(context):
    """Return the toy districts."""
    return read_areas(context, "district")[["code", "name", "geometry"]]


def cells():
    """Return the toy city's own cells."""
    return gpd.read_file(TOY / "cells.geojson")


def test_districts_without_codes_are_recognised_by_name(city, tmp_path):
    """A GBK shapefile without `.cpg` and `.prj`, names only: aliases count, in any case."""
    context, run = city
    named = districts(context).assign(名称=["north", "South Side", "EAST"]).drop(columns="code")
    path = tmp_path / "区县.shp"
    named[["名称", "geometry"]].to_file(path, encoding="GBK")
    for suffix in (".cpg", ".prj"):
        path.with_suffix(suffix).unlink()
    done = run("load", path, "--kind", "district", *WGS84, "--quality", "map_derived")
    assert done.returncode == 0, done.stderr
    assert "stored 3 district areas" in done.stdout
    stored = read_areas(context, "district")
    assert stored["code"].tolist() == ["990901", "990902", "990903"]
    assert set(stored["quality"]) == {"map_derived"}


def test_zones_are_recognised_by_name(city, tmp_path):
    """A zone layer has no GB/T 2260 code at all: its name finds its key."""
    context, run = city
    zone = read_areas(context, "zone")[["name", "geometry"]]
    zone.to_file(tmp_path / "zones.gpkg")
    done = run("load", tmp_path / "zones.gpkg", "--kind", "zone", *WGS84)
    assert done.returncode == 0, done.stderr
    assert read_areas(context, "zone")["code"].tolist() == ["9909Z1"]


def test_an_unknown_name_is_named(city, tmp_path):
    """The message quotes the name and tells where an alias belongs; nothing is stored."""
    context, run = city
    frame = districts(context).assign(name=["North", "Atlantis", "East"]).drop(columns="code")
    frame.to_file(tmp_path / "d.gpkg")
    done = run("load", tmp_path / "d.gpkg", "--kind", "district", *WGS84)
    assert done.returncode == 2
    assert "no district called Atlantis" in done.stderr
    assert "regions.csv" in done.stderr
    assert set(read_areas(context, "district")["quality"]) == {"synthetic"}


def test_a_region_that_the_file_lacks_is_noted(city, tmp_path):
    """A layer of two of three districts loads, and says what it lacks."""
    context, run = city
    districts(context).iloc[:2].to_file(tmp_path / "d.gpkg")
    done = run("load", tmp_path / "d.gpkg", "--kind", "district", *WGS84)
    assert done.returncode == 0, done.stderr
    assert "no polygon for 990903 East Bank" in done.stderr


def test_irregular_cells_load_with_a_clean_report(city):
    """The city's own cells: every case moves to them, the report says that they tile."""
    context, run = city
    done = run(
        "load", TOY / "cells.geojson", "--kind", "cell", *WGS84, "--attribution", "survey 2024",
        "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["kind"], result["areas"]) == ("cell", 60)
    assert result["topology"]["ok"]
    (version,) = grid_versions(context)
    assert (version["grid_version"][:-9], version["kind"]) == ("cells", "loaded")
    stored = read_areas(context, "cell")
    assert set(stored["attribution"]) == {"survey 2024"}
    assert not stored["synthetic"].any()
    assert set(stored["quality"]) == {"surveyed"}


def test_faults_of_cells_are_named_and_stop_the_load(city, tmp_path):
    """Overlap, gap, sliver and bad code are each named; nothing is stored."""
    context, run = city
    frame = cells()
    shapes = frame.geometry.to_numpy().copy()
    shapes[0] = shapely.buffer(shapes[0], 0.0001)
    frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))
    frame.loc[1, "code"] = "5.30E+14"
    frame.loc[2, "code"] = "530102001001001"
    frame.loc[3, "code"] = "990901001001000"
    speck = gpd.GeoDataFrame(
        {"code": ["990901001001999"]}, geometry=[shapely.box(24.9, 60.3, 24.90001, 60.30001)],
        crs=4326,
    )  # fmt: skip
    inner = frame.geometry.to_numpy()
    hole = next(
        n for n in range(5, 60)
        if shapely.within(inner[n].buffer(1e-5), shapely.union_all(inner))
    )  # fmt: skip
    faulty = gpd.GeoDataFrame(
        gpd.pd.concat([frame.drop(index=hole), speck], ignore_index=True), crs=4326
    )
    faulty.to_file(tmp_path / "faulty.gpkg")
    done = run("load", tmp_path / "faulty.gpkg", "--kind", "cell", *WGS84)
    assert done.returncode == 2
    for part in (
        f"overlap: {frame['code'].iloc[0]} and ",
        "gap: ",
        "sliver: 990901001001999",
        "5.30E+14",
        "530102 is no district of this city",
        "'990901001001000': a cell code has 15 digits, the last three from 001",
        "nothing was stored",
    ):
        assert part in done.stderr
    assert [row["grid_version"][:-9] for row in grid_versions(context)] == ["square-100"]


def test_overlaps_can_be_forced_but_bad_codes_cannot(city, tmp_path):
    """--force stores cells that overlap; a code that is none is never stored."""
    context, run = city
    frame = cells()
    shapes = frame.geometry.to_numpy().copy()
    shapes[0] = shapely.buffer(shapes[0], 0.0001)
    frame = frame.set_geometry(gpd.GeoSeries(shapes, crs=frame.crs))
    frame.to_file(tmp_path / "overlap.gpkg")
    refused = run("load", tmp_path / "overlap.gpkg", "--kind", "cell", *WGS84)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert (
        run("load", tmp_path / "overlap.gpkg", "--kind", "cell", *WGS84, "--force").returncode == 0
    )
    frame.loc[1, "code"] = "123"
    frame.to_file(tmp_path / "bad.gpkg")
    bad = run("load", tmp_path / "bad.gpkg", "--kind", "cell", *WGS84, "--force")
    assert bad.returncode == 2
    assert "'123'" in bad.stderr
    assert [row["grid_version"][:-9] for row in grid_versions(context)] == ["overlap"]


def test_cells_are_made_inside_named_areas(city):
    """A zone and a street cut to a radius; the version says from when it holds."""
    context, run = city
    done = run(
        "make-cells", "--size-m", "50", "--within", "zone:9909Z1", "--within",
        "street:990902001@200", "--valid-from", "2024-06-01",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [row["grid_version"][:-9] for row in grid_versions(context)] == [
        "square-50@2024-06-01",
        "square-100",
    ]
    made = read_areas(context, "cell")
    zone = read_areas(context, "zone").to_crs(3067).union_all()
    whole = made.to_crs(3067).union_all()
    assert shapely.difference(zone, whole).area < 0.01 * zone.area
    assert whole.area == pytest.approx(zone.area + 3.14159 * 200**2, rel=0.05)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--within", "city:1"), "kind district, zone, street"),
        (("--within", "street:990909999"), "no street 990909999"),
        (("--within", "street:990902001@far"), "whole number of metres"),
        (("--valid-from", "June"), "expected YYYY-MM-DD"),
    ],
)
def test_a_wrong_area_is_quoted(city, words, said):
    """A malformed or unknown area, radius or day is refused in one sentence."""
    _, run = city
    done = run("make-cells", "--size-m", "100", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1 + done.stderr.count("making")


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg"])
def test_exports_carry_crs_quality_and_origin(city, tmp_path, suffix):
    """A street layer goes out with its CRS, the marks and the attribution on every feature."""
    _, run = city
    out = tmp_path / f"streets{suffix}"
    done = run("export", "--kind", "street", "--out", out)
    assert done.returncode == 0, done.stderr
    frame = gpd.read_file(out)
    assert frame.crs.to_epsg() == 4326 or frame.crs.to_string() == "OGC:CRS84"
    assert frame["approximate"].astype(bool).all()
    assert frame["synthetic"].astype(bool).all()
    assert (frame["attribution"] == "invented (tools/build_toy.py)").all()
    assert list(tmp_path.iterdir()) == [out]


def test_exported_cells_come_back_as_they_were(city, tmp_path):
    """Generated cells, written to GeoJSON and loaded again, tile as before and stay synthetic."""
    context, run = city
    before = read_areas(context, "cell")
    assert run("export", "--kind", "cell", "--out", tmp_path / "c.geojson").returncode == 0
    done = run("load", tmp_path / "c.geojson", "--kind", "cell", *WGS84)
    assert done.returncode == 0, done.stderr
    after = read_areas(context, "cell")
    assert after["code"].tolist() == before["code"].tolist()
    assert after["synthetic"].all()
    assert after["area_m2"].to_numpy() == pytest.approx(before["area_m2"].to_numpy(), abs=0.5)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("export", "--kind", "street", "--out", "a.shp"), 2, ".geojson or .gpkg"),
        (("export", "--kind", "planet", "--out", "a.gpkg"), 2, "planet"),
        (("load", "nowhere.gpkg", "--kind", "cell", *WGS84), 2, "no such file"),
        (("load", "nowhere.gpkg", "--kind", "cell"), 2, "--crs"),
        (("check", "--kind", "planet"), 2, "planet"),
    ],
)
def test_wrong_words_are_refused(city, words, status, said):
    """Format, kind, file and a missing CRS are each named."""
    _, run = city
    done = run(*words)
    assert done.returncode == status
    assert said in done.stderr


def test_check_reports_what_is_stored(city):
    """The stored layers of the toy city have no fault."""
    _, run = city
    for kind in ("district", "zone", "street", "water", "cell"):
        done = run("check", "--kind", kind, "--json")
        assert json.loads(done.stdout)["ok"], kind


def test_nothing_to_export_is_not_found(city, tmp_path):
    """A kind that is not loaded ends with 3 and says how to load it."""
    context, run = city
    with begin(context.engine) as tx:
        tx.execute(text("DELETE FROM core.water"))
    done = run("export", "--kind", "water", "--out", tmp_path / "w.gpkg")
    assert done.returncode == 3
    assert "boundaries load" in done.stderr
