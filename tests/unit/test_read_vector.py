"""Boundary files as offices hand them over (边界读取)."""

import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import CRS
from shapely import box

from boundaries.read import read_vector
from gridgis.crs import from_wgs84
from gridgis.errors import CrsError, GeometryError, SchemaError

SHAPES = [box(102.70, 25.00, 102.71, 25.01), box(102.71, 25.00, 102.72, 25.01)]


def districts(crs=4326, **columns):
    """Return two neighbouring areas."""
    columns = columns or {"code": ["530102", "530103"], "name": ["五华区", "盘龙区"]}
    return gpd.GeoDataFrame(columns, geometry=SHAPES, crs=4326).to_crs(crs)


@pytest.fixture
def shapefile(tmp_path):
    """Write a GBK shapefile without `.cpg` and `.prj` and return its path."""
    path = tmp_path / "区县.shp"
    frame = districts(编码=["530102", "530103"], 名称=["五华区", "盘龙区"])
    frame.to_file(path, encoding="GBK")
    path.with_suffix(".cpg").unlink()
    path.with_suffix(".prj").unlink()
    return path


def test_shapefile_in_gbk_without_cpg_and_prj(shapefile):
    """Chinese attribute names and values come out right, without any option."""
    frame = read_vector(shapefile, crs="wgs84")
    assert frame["name"].tolist() == ["五华区", "盘龙区"]
    assert frame["code"].tolist() == ["530102", "530103"]
    assert frame.crs.to_epsg() == 4326


def test_zipped_shapefile_in_gbk(shapefile, tmp_path):
    """The same inside a zip archive, as it is sent by mail."""
    archive = tmp_path / "区县.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for suffix in (".shp", ".shx", ".dbf"):
            target.write(shapefile.with_suffix(suffix), f"区县{suffix}")
    assert read_vector(archive, crs="wgs84")["name"].tolist() == ["五华区", "盘龙区"]


def test_a_wrong_encoding_is_named(shapefile):
    """A forced encoding that cannot be right ends in a readable error."""
    with pytest.raises(SchemaError, match="--encoding"):
        read_vector(shapefile, crs="wgs84", encoding="utf-8")


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".fgb"])
def test_other_formats_of_gdal(tmp_path, suffix):
    """GeoJSON, GeoPackage and FlatGeobuf give the same frame."""
    path = tmp_path / f"a{suffix}"
    districts().to_file(path)
    frame = read_vector(path, crs="wgs84")
    assert sorted(zip(frame["code"], frame["name"], strict=True)) == [
        ("530102", "五华区"),
        ("530103", "盘龙区"),
    ]


def test_numbers_become_codes_without_a_decimal_point(tmp_path):
    """A code column of floats, as shapefiles have it, is read as digits."""
    path = tmp_path / "a.gpkg"
    districts(adcode=[530102.0, 530103.0]).to_file(path)
    assert read_vector(path, crs="wgs84")["code"].tolist() == ["530102", "530103"]


def test_named_fields_win(tmp_path):
    """--code-field and --name-field choose among attributes that look alike."""
    path = tmp_path / "a.gpkg"
    districts(code=["1", "2"], 国标=["530102", "530103"], 简称=["五华", "盘龙"]).to_file(path)
    frame = read_vector(path, crs="wgs84", code_field="国标", name_field="简称")
    assert frame[["code", "name"]].to_numpy().tolist() == [["530102", "五华"], ["530103", "盘龙"]]


def test_a_missing_field_lists_those_there_are(tmp_path):
    """The message names the attributes of the file."""
    path = tmp_path / "a.gpkg"
    districts().to_file(path)
    with pytest.raises(SchemaError, match=r"no attribute 'kod'; it has code, name"):
        read_vector(path, crs="wgs84", code_field="kod")


def test_a_file_without_code_and_name_says_which_options_help(tmp_path):
    """Attributes that nobody knows lead to the two options."""
    path = tmp_path / "a.gpkg"
    districts(foo=[1, 2]).to_file(path)
    with pytest.raises(SchemaError, match=r"--code-field and --name-field; it has foo"):
        read_vector(path, crs="wgs84")


def test_gcj02_may_stand_over_a_file_that_says_wgs84(tmp_path):
    """No file can state GCJ-02; shared vertices are shifted alike, so that borders stay shared."""
    path = tmp_path / "a.gpkg"
    shifted = districts()
    shifted.geometry = shapely.transform(
        shifted.geometry.to_numpy(),
        lambda xy: np.column_stack(from_wgs84(xy[:, 0], xy[:, 1], "gcj02")),
    )
    shifted.to_file(path)
    frame = read_vector(path, crs="gcj02")
    assert shapely.hausdorff_distance(frame.geometry.to_numpy(), SHAPES).max() < 1e-10
    assert shapely.coverage_is_valid(frame.geometry.to_numpy())


@pytest.mark.parametrize(
    ("word", "srid"), [("wgs84", 4326), ("cgcs2000", 4490), ("EPSG:4543", 4543)]
)
def test_the_projection_file_of_esri_is_understood(tmp_path, word, srid):
    """A `.prj` that names no EPSG number is the declared system all the same."""
    path = tmp_path / "a.shp"
    districts(srid).to_file(path)
    path.with_suffix(".prj").write_text(CRS(srid).to_wkt("WKT1_ESRI"))
    frame = read_vector(path, crs=word)
    assert shapely.hausdorff_distance(frame.geometry.to_numpy(), SHAPES).max() < 1e-9


@pytest.mark.parametrize("word", ["gcj02", "wgs84", "EPSG:4544"])
def test_a_crs_that_contradicts_the_file_is_refused(tmp_path, word):
    """Metres of one zone are neither degrees nor those of the next zone; both are quoted."""
    path = tmp_path / "a.gpkg"
    districts(4543).to_file(path)
    with pytest.raises(CrsError, match=f"the file says EPSG:4543, --crs says {word}"):
        read_vector(path, crs=word)


def test_features_without_area_are_all_named(tmp_path):
    """A point, an empty and a self-crossing polygon are listed in one message, with the remedy."""
    path = tmp_path / "a.gpkg"
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    shapes = [shapely.Point(0, 0), None, bow, box(0, 0, 1, 1)]
    gpd.GeoDataFrame({"name": ["甲", "乙", "丙", "丁"]}, geometry=shapes, crs=4326).to_file(path)
    with pytest.raises(GeometryError) as caught:
        read_vector(path, crs="wgs84")
    message = str(caught.value)
    for part in ("3 feature(s)", "1 (甲): a Point", "2 (乙): no geometry", "3 (丙): Self-inter"):
        assert part in message
    assert "Fix geometries" in message


def test_a_ring_that_touches_itself_is_mended_and_named(tmp_path):
    """A hole drawn as part of the outer ring keeps its area; the frame says what was mended."""
    path = tmp_path / "a.gpkg"
    ring = [(0, 0), (4, 0), (4, 4), (2, 4), (3, 2), (1, 2), (2, 4), (0, 4)]
    shape = shapely.Polygon(ring)
    assert not shape.is_valid
    gpd.GeoDataFrame({"name": ["甲"]}, geometry=[shape], crs=4326).to_file(path)
    frame = read_vector(path, crs="wgs84")
    assert frame.geometry.iloc[0].is_valid
    assert frame.geometry.iloc[0].area == 14
    assert frame.attrs["mended"] == ["feature 1 (甲): Ring Self-intersection[2 4]"]


def test_heights_are_dropped(tmp_path):
    """A layer with z values is read as plane areas."""
    path = tmp_path / "a.gpkg"
    frame = districts()
    frame.geometry = shapely.force_3d(frame.geometry.to_numpy(), 1890.0)
    frame.to_file(path)
    assert not read_vector(path, crs="wgs84").has_z.any()


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.geojson", b"", "not readable as a vector file"),
        ("a.txt", b"hello", "not readable as a vector file"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[]}', "no feature"),
        ("a.csv", b"code,name\n1,a\n", "no geometry"),
    ],
)
def test_unusable_files_say_why(tmp_path, name, content, message):
    """An empty file, a text, a layer without features and a mere table are told apart."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SchemaError, match=message):
        read_vector(tmp_path / name, crs="wgs84")


def test_a_missing_file_is_named(tmp_path):
    """The path is quoted."""
    with pytest.raises(SchemaError, match=r"nowhere\.shp: no such file"):
        read_vector(tmp_path / "nowhere.shp", crs="wgs84")
