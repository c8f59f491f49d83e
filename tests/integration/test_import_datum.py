"""GCJ-02 and WGS84 files of the same cases; a datum that was declared wrongly (坐标系)."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gridgis.cli.layers import load_layers, make_profile_cells
from gridgis.config import Settings
from gridgis.crs import from_wgs84
from gridgis.errors import CrsError
from gridgis.services.context import init_city, open_context
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_cases

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
MOVED = (78.0, -35.3)
"""Degrees by which the toy city moves to China, where GCJ-02 differs from WGS84."""
ROWS = 400


@pytest.fixture(scope="module")
def moved_template(cluster, tmp_path_factory):
    """Return a database with the toy city moved to China."""
    folder = tmp_path_factory.mktemp("moved") / "profile"
    shutil.copytree(TOY / "profile", folder)
    east, north = MOVED
    for path in (folder / "geometry").glob("*.geojson"):
        collection = json.loads(path.read_text())
        for feature in collection["features"]:
            shape = feature["geometry"]
            shape["coordinates"] = shifted(shape["coordinates"], east, north)
        path.write_text(json.dumps(collection))
    streets = pd.read_csv(folder / "streets.csv", dtype={"code": str, "district_code": str})
    streets[["seat_lon", "seat_lat"]] += np.array(MOVED)
    streets.to_csv(folder / "streets.csv", index=False)
    city = (folder / "city.toml").read_text()
    city = city.replace("[24.85, 60.25, 25.1, 60.38]", "[102.8, 24.9, 103.2, 25.2]")
    city = city.replace("EPSG:3067", "EPSG:4543").replace("Europe/Helsinki", "Asia/Shanghai")
    (folder / "city.toml").write_text(city)
    settings = Settings(data_dir=cluster.state_dir)
    context = init_city(settings, str(folder), database="moved_template")
    load_layers(context, context.profile())
    make_profile_cells(context, context.profile())
    context.engine.dispose()
    yield "moved_template"
    cluster.drop("moved_template")


@pytest.fixture
def city(cluster, moved_template):
    """Yield an empty moved city of this test's own."""
    name = cluster.clone(moved_template)
    context = open_context(cluster.settings(name))
    yield context
    context.engine.dispose()
    cluster.drop(name)


def shifted(coordinates, east, north):
    """Move nested coordinates."""
    if isinstance(coordinates[0], (int, float)):
        return [coordinates[0] + east, coordinates[1] + north]
    return [shifted(part, east, north) for part in coordinates]


def cases(city, prefix, crs, *, stated=None):
    """Return random cases inside the cells, in a datum; they may state where they lie."""
    rng = np.random.default_rng(7)
    with city.engine.begin() as tx:
        box = tx.exec_driver_sql(
            "SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b)"
            " FROM (SELECT ST_Extent(geom) AS b FROM core.unit_grid) AS x"
        ).one()
    lon = rng.uniform(box[0], box[2], ROWS)
    lat = rng.uniform(box[1], box[3], ROWS)
    x, y = from_wgs84(lon, lat, crs)
    table = pd.DataFrame({
        "Ticket": [f"{prefix}{n:04d}" for n in range(ROWS)], "Kind": "Litter", "Channel": "app",
        "Area": "", "Cell": "", "X": x, "Y": y, "Reported": "2024-03-05 08:30",
    })  # fmt: skip
    if stated is not None:
        table[stated] = true_places(city, lon, lat)[stated]
    return table


def true_places(city, lon, lat):
    """Return region name and cell of points."""
    names = {"990901": "North", "990902": "South", "990903": "East"}
    found = {"Area": [], "Cell": []}
    with city.engine.begin() as tx:
        for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
            point = {"x": x, "y": y}
            region, cell = tx.exec_driver_sql(
                """
                SELECT (SELECT min(region_code) FROM core.region
                        WHERE kind = 'district' AND ST_Covers(geom, p)),
                    (SELECT min(cell_code) FROM core.unit_grid WHERE ST_Covers(geom, p))
                FROM ST_SetSRID(ST_MakePoint(%(x)s, %(y)s), 4326) AS p""",
                point,
            ).one()
            found["Area"].append(names.get(region, ""))
            found["Cell"].append(cell or "")
    return found


@pytest.fixture
def bring(city, tmp_path):
    """Return a function that imports a table with a declared CRS."""
    mapping = tmp_path / "m.toml"
    mapping.write_text("""
[columns]
case_no = "Ticket"
subcategory = "Kind"
source = "Channel"
stated_region = "Area"
cell_code_stated = "Cell"
x = "X"
y = "Y"
reported_at = "Reported"
""")

    def run(table, crs):
        path = tmp_path / "cases.csv"
        table.to_csv(path, index=False)
        return import_cases(city, path, ImportRequest(crs=crs, mapping=str(mapping)))

    return run


def placed(city):
    """Return cell, street, district and region of every case by its prefix and number."""
    with city.engine.begin() as tx:
        rows = tx.exec_driver_sql(
            "SELECT left(case_no, 1), substr(case_no, 2), cell_code, no_cell_reason, street_code,"
            " district_code, region_code FROM core.case_record"
        ).all()
    found = {}
    for prefix, number, *place in rows:
        found.setdefault(prefix, {})[number] = place
    return found


@pytest.mark.parametrize("crs", ["gcj02", "bd09", "cgcs2000"])
def test_twins_lie_in_the_same_cells(crs, city, bring):
    """A file in another datum and its WGS84 twin place every case in the same cell and region."""
    bring(cases(city, "w", "wgs84"), "wgs84")
    result = bring(cases(city, "t", crs), crs)
    twins = placed(city)
    assert twins["w"] == twins["t"]
    assert len(twins["t"]) == ROWS
    assert result.placement["in_cell"] > ROWS / 4


def test_without_a_declared_crs_nothing_is_imported(city, bring):
    """Without --crs the import is refused, and says why it is never guessed."""
    with pytest.raises(CrsError, match=r"no CRS declared: pass --crs.*It is never guessed"):
        bring(cases(city, "w", "wgs84"), None)
    assert placed(city) == {}


@pytest.mark.parametrize("stated", ["Cell", "Area"])
def test_a_wrong_datum_is_reported(stated, city, bring):
    """GCJ-02 numbers declared as WGS84 contradict the cells, and the regions, that rows state."""
    table = cases(city, "g", "gcj02", stated=stated)
    result = bring(table, "wgs84")
    (warning,) = [entry for entry in result.warnings if entry["code"] == "suspect_datum"]
    assert "looks like GCJ-02 read as WGS84" in warning["message"]
    assert "import the same file again with --crs gcj02" in warning["message"]
    assert result.accepted == ROWS
    again = bring(table, "gcj02")
    assert again.warnings == []
    assert again.updated == ROWS


def test_the_other_way_round_is_reported_too(city, bring):
    """WGS84 numbers declared as GCJ-02 are a suspect datum as well."""
    result = bring(cases(city, "w", "wgs84", stated="Cell"), "gcj02")
    assert ["looks like WGS84 read as GCJ-02" in w["message"] for w in result.warnings] == [True]


@pytest.mark.parametrize("stated", ["Cell", "Area"])
def test_a_right_datum_is_not_suspected(stated, city, bring):
    """Rows that lie where they say raise no warning, in any datum."""
    for crs in ("wgs84", "gcj02", "bd09"):
        assert bring(cases(city, crs[0], crs, stated=stated), crs).warnings == []


def test_the_original_numbers_stay(city, bring):
    """The original numbers and their CRS stay on the row, whatever it is."""
    table = cases(city, "w", "wgs84")
    bring(table, "cgcs2000")
    with city.engine.begin() as tx:
        row = tx.exec_driver_sql(
            "SELECT src_crs, src_x, ST_X(geom) FROM core.case_record WHERE case_no = 'w0000'"
        ).one()
    assert row == ("cgcs2000", repr(float(table["X"][0])), table["X"][0])
