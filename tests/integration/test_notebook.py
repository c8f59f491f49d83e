"""`gridgis.open`: frames of a city in a notebook, by the filters of the API."""

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import gridgis
from gridgis.errors import CodeError, InputError
from gridgis.services import find


@pytest.fixture(scope="module")
def city(loaded):
    """Yield the toy city as a notebook opens it."""
    url = loaded.engine.url.render_as_string(hide_password=False)
    with gridgis.open(url) as opened:
        yield opened


def test_cases_are_a_frame_in_wgs84(city, loaded):
    """All cases of a filter, unlocated ones with no geometry, times in the city's zone."""
    frame = city.cases(category="Litter", month="2024-03")
    total = find.count_cases(loaded, find.case_filter(loaded, category="S0101", month="2024-03"))
    assert isinstance(frame, gpd.GeoDataFrame)
    assert frame.crs.to_epsg() == 4326
    assert len(frame) == frame.attrs["total"] == total == 99
    assert frame.attrs["filters"]["category"] == "S0101"
    assert frame.attrs["synthetic"] is True
    assert str(frame["reported_at"].dtype).endswith("Europe/Helsinki]")
    assert set(frame["subcategory_name"]) == {"Litter"}


def test_unlocated_cases_have_no_geometry(city):
    """No case is dropped for lack of a point."""
    frame = city.cases()
    assert len(frame) == 277
    assert int(frame.geometry.isna().sum()) == 13
    assert not frame.geometry.dropna().is_empty.any()


def test_empty_answer_has_its_columns(city):
    """A filter without cases gives an empty frame of the same shape."""
    frame = city.cases(month="2031-01")
    assert len(frame) == 0
    assert list(frame.columns) == list(city.cases(limit=1).columns)
    assert frame.crs.to_epsg() == 4326


def test_shapely_polygons_are_filters(city):
    """A polygon drawn in the notebook filters by itself."""
    area = shapely.box(24.94, 60.295, 24.96, 60.30)
    frame = city.cases(within=area)
    assert len(frame) == len(city.cases(bbox="24.94,60.295,24.96,60.30")) > 5
    assert frame.within(area).all()


def test_density_of_nothing_has_its_columns(city):
    """A filter without a case in any cell gives an empty frame, not an error."""
    frame = city.density(level="cell", month="2024-03", category="B0101", source="other")
    assert len(frame) == 0
    assert {"code", "numerator", "value", "geometry"} <= set(frame.columns)


@pytest.mark.parametrize("level", ["cell", "street", "district", "admin", "city"])
def test_density_has_shapes_and_says_its_run(city, level):
    """Each place has its area; numerators and the rest sum to the total of the run."""
    frame = city.density(level=level, month="2024-03")
    rest = sum(row["cases"] for row in frame.attrs["rest"])
    assert frame["numerator"].sum() + rest == frame.attrs["total"] == 271
    assert frame.attrs["run"]["month"] == "2024-03"
    assert frame.geometry.notna().all()
    assert frame.crs.to_epsg() == 4326
    measured = frame.to_crs(3067).area / 1e6
    land = 0.9 if level != "cell" else 0.999  # water is no land
    assert (frame["denominator"] >= measured * land).all()
    assert (frame["denominator"] <= measured * 1.001).all()


def test_areas_are_frames(city):
    """Cells, streets and regions of today."""
    assert len(city.cells()) == 645
    assert len(city.streets()) == 6
    assert set(city.districts()["code"]) == {"990901", "990902", "990903", "9909Z1"}
    assert "合成数据" in city.districts().attrs["notice"]


def test_frames_survive_pandas(city):
    """`attrs` hold plain values: a frame can be copied, merged and written."""
    frame = city.density(level="district")
    assert pd.concat([frame, frame])["numerator"].sum() == 2 * frame["numerator"].sum()
    assert frame.copy().attrs == frame.attrs


def test_explore_draws_an_offline_map(city):
    """A map for the notebook; a wrong layer names the right ones."""
    drawn = city.explore("districts", month="2024-03")
    assert drawn._repr_html_().startswith("<iframe srcdoc=")
    with pytest.raises(InputError, match="districts, streets"):
        city.explore("cells")


def test_wrong_filters_are_named(city):
    """The errors are those of the API."""
    with pytest.raises(CodeError, match="did you mean"):
        city.cases(category="Liter")


def test_module_has_nothing_else():
    """Opening is lazy: the package itself loads nothing heavy."""
    with pytest.raises(AttributeError, match="no attribute 'nope'"):
        gridgis.nope  # noqa: B018 - the access is the test
