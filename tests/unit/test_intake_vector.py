"""Vector files and parquet: points, encodings, the CRS that a file states (矢量文件)."""

import warnings

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from pyproj import CRS

from gridgis.crs import require_declared
from gridgis.errors import CrsError, SchemaError
from gridgis.intake.mapping import parse_mapping, resolve_columns
from gridgis.intake.reader import open_table
from gridgis.model.ledger import required_fields

POINTS = [shapely.Point(102.7123456, 25.0103), shapely.Point(102.5, 25), None]


@pytest.fixture
def frame():
    """Return three cases, one without a point."""
    columns = {"案件编号": ["甲1", "乙2", "丙3"], "小类": ["暴露垃圾"] * 3}
    return gpd.GeoDataFrame(columns, geometry=POINTS, crs=4326)


def first_rows(path, **options):
    """Return the table and its rows."""
    table = open_table(path, **options)
    chunks = list(table.chunks(table.headers))
    return table, [row for chunk in chunks for row in chunk.table.to_pylist()], chunks[0]


def written(frame, path, **options):
    """Write a frame in the format of the path."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # GDAL on names it shortens
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_file(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.shp", "a.parquet"])
def test_points_become_two_columns(name, frame, tmp_path):
    """Every format gives the same texts, and the shortest numbers of the points."""
    options = {"encoding": "gb18030"} if name == "a.shp" else {}
    table, rows, _ = first_rows(written(frame, tmp_path / name, **options))
    assert [row["案件编号"] for row in rows] == ["甲1", "乙2", "丙3"]
    found = [(row["geometry_x"], row["geometry_y"]) for row in rows]
    assert found == [("102.7123456", "25.0103"), ("102.5", "25"), ("", "")]
    assert table.has_geometry
    require_declared(table.crs, "gcj02", file=name)


def test_shapefile_in_gbk_without_cpg_and_prj(frame, tmp_path):
    """The bytes of the table tell its encoding; a file that states no CRS is taken as declared."""
    path = written(frame, tmp_path / "a.shp", encoding="gb18030")
    path.with_suffix(".cpg").unlink()
    path.with_suffix(".prj").unlink()
    table, rows, _ = first_rows(path)
    assert [row["小类"] for row in rows] == ["暴露垃圾"] * 3
    assert table.crs is None


def test_shapefile_in_utf8_without_cpg(frame, tmp_path):
    """Headers and texts cut inside a character are read up to it, and still fit a mapping."""
    frame["小类"] = "暴露垃圾和沿街晾挂" * 20
    path = written(frame, tmp_path / "a.shp", encoding="utf-8")
    path.with_suffix(".cpg").unlink()
    table, rows, _ = first_rows(path)
    assert table.headers[:2] == ("案件编", "小类")
    assert rows[0]["小类"] == ("暴露垃圾和沿街晾挂" * 20)[: 254 // 3]
    columns = dict.fromkeys(required_fields("cases"), "小类") | {"case_no": "案件编号"}
    mapping = parse_mapping({"columns": columns}, name="m")
    assert resolve_columns(mapping, table)["case_no"] == "案件编"


def test_geometry_that_is_no_point_is_named(frame, tmp_path):
    """A line or polygon is reported with its row; one point in a multipoint is a point."""
    frame.geometry = [
        shapely.MultiPoint([[102.7, 25.0]]),
        shapely.box(102, 25, 103, 26),
        shapely.MultiPoint([[102, 25], [103, 25]]),
    ]
    _, rows, chunk = first_rows(written(frame, tmp_path / "a.geojson"))
    assert (rows[0]["geometry_x"], rows[0]["geometry_y"]) == ("102.7", "25")
    assert chunk.bad_points == {2: "Polygon", 3: "MultiPoint"}


def test_typed_columns_become_texts(tmp_path):
    """Numbers, times and flags of a parquet file are texts by the rules of every format."""
    pd.DataFrame(
        {
            "code": [530102001001001.0, None],
            "at": pd.to_datetime(["2024-11-05 08:30", None]),
            "flag": [True, None],
            "long": [1234567890123456.0, 0.5],
            "kind": pd.Categorical(["a", None]),
            "raw": [b"x", b"y"],
        }
    ).to_parquet(tmp_path / "a.parquet")
    table, rows, _ = first_rows(tmp_path / "a.parquet")
    assert table.headers == ("code", "at", "flag", "long", "kind")
    assert rows[0]["code"] == "530102001001001"
    assert rows[0]["at"].startswith("2024-11-05 08:30:00")
    assert rows[0]["flag"] == "true"
    assert [row["long"] for row in rows] == ["1.234567890123456e+15", "0.5"]
    assert set(rows[1].values()) == {"", "0.5"}


def test_a_layer_is_chosen_where_there_are_several(frame, tmp_path):
    """A GeoPackage with two layers needs a name, and lists what it has."""
    path = tmp_path / "a.gpkg"
    frame.to_file(path, layer="one")
    frame.iloc[:1].to_file(path, layer="two", mode="a")
    with pytest.raises(SchemaError, match=r"several layers; name one with --sheet: one, two"):
        open_table(path)
    assert len(first_rows(path, sheet="two")[1]) == 1


@pytest.mark.parametrize("name", ["a.geojson", "a.gpkg", "a.parquet", "a.shp"])
def test_damaged_files_are_refused(name, frame, tmp_path):
    """A truncated file is a readable error."""
    path = written(frame, tmp_path / name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    with pytest.raises(SchemaError, match="not readable"):
        first_rows(path)


def test_empty_layers_are_refused(frame, tmp_path):
    """A file without a feature says that it is empty."""
    for name in ("a.geojson", "a.parquet"):
        with pytest.raises(SchemaError, match="the file is empty"):
            open_table(written(frame.iloc[:0], tmp_path / name))


@pytest.mark.parametrize(
    ("stated", "declared", "fits"),
    [
        ("EPSG:4326", "wgs84", True),
        ("EPSG:4490", "wgs84", True),
        ("EPSG:4326", "bd09", True),
        ("OGC:CRS84", "gcj02", True),
        ("EPSG:4543", "EPSG:4543", True),
        ("EPSG:4543", "gcj02", False),
        ("EPSG:4543", "EPSG:4544", False),
        ("EPSG:4326", "EPSG:4543", False),
        ("EPSG:3857", "wgs84", False),
    ],
)
def test_a_stated_crs_must_agree(stated, declared, fits):
    """Only GCJ-02 and BD-09 may stand over WGS84 or CGCS2000; else both words must agree."""
    if fits:
        require_declared(CRS(stated), declared, file="a.gpkg")
        return
    with pytest.raises(CrsError, match="declare the CRS the numbers are really in"):
        require_declared(CRS(stated), declared, file="a.gpkg")
