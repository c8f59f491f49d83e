"""The invented second city of the tests is whole and adds up (示例城市)."""

import json
from collections import Counter
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from gridgis.intake.mapping import load_mapping
from gridgis.intake.profile import check_measuring_crs, load_profile
from gridgis.intake.read_cases import CaseFile

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"


@pytest.fixture(scope="module")
def profile():
    """Return the toy profile."""
    return load_profile(TOY / "profile")


@pytest.fixture(scope="module")
def layers(profile):
    """Return the geometry of the toy profile by kind."""
    return {layer.kind: gpd.read_file(layer.path) for layer in profile.layers}


@pytest.fixture(scope="module")
def expected():
    """Return what the toy cases must add up to."""
    return json.loads((TOY / "expected.json").read_text(encoding="utf-8"))


def read(profile, name, crs):
    """Return accepted rows and the rules of the rejects of a toy file."""
    mapping = load_mapping(profile.mappings["cases"])
    file = CaseFile(TOY / name, mapping=mapping, profile=profile, crs=crs)
    batches = list(file.batches())
    rows = [row for batch in batches for row in batch.rows.to_pylist()]
    return rows, Counter(reject.rule for batch in batches for reject in batch.rejects)


def test_toy_differs_from_the_first_city(profile):
    """Another CRS, time zone, language and code prefix: nothing may be taken for granted."""
    assert (profile.measuring_crs, profile.time_zone, profile.language, profile.code[:2]) == (
        "EPSG:3067", "Europe/Helsinki", "en", "99",
    )  # fmt: skip


def test_toy_layers_tile(profile, layers):
    """Districts and streets are coverages with one union; the zone is its host street."""
    districts, streets = layers["district"], layers["street"]
    for frame in (districts, streets):
        assert shapely.coverage_is_valid(frame.geometry.to_numpy())
    union = shapely.coverage_union_all(districts.geometry.to_numpy())
    assert shapely.equals(union, shapely.coverage_union_all(streets.geometry.to_numpy()))
    host = streets.set_index("code").geometry["990903001"]
    assert shapely.equals(layers["zone"].geometry.iloc[0], host)
    assert check_measuring_crs(districts, profile.measuring_crs) < 0.002


def test_toy_cells_tile_one_district(layers):
    """60 irregular unit grids with codes of their street fill the first district exactly."""
    cells = gpd.read_file(TOY / "cells.geojson")
    shapes = cells.geometry.to_numpy()
    assert len(cells) == 60
    assert cells["code"].is_unique
    assert cells["code"].str.fullmatch(r"99090100[12]001[0-9]{3}").all()
    assert shapely.coverage_is_valid(shapes)
    district = layers["district"].set_index("code").geometry["990901"]
    assert shapely.equals(shapely.coverage_union_all(shapes), district)


def test_toy_cases_are_accepted_and_rejected_as_planned(profile, expected):
    """In = accepted + rejected, each defect under its rule."""
    rows, rules = read(profile, "cases.csv", "wgs84")
    assert rules == expected["rejected"]
    assert len(rows) == expected["accepted"]
    assert len(rows) + rules.total() == expected["rows_in"]
    issues = Counter(row["point_issue"] for row in rows)
    assert issues == {None: len(rows) - 13, "missing": 11, "outside_extent": 2}
    assert sum(row["cross_area"] for row in rows) == expected["by_region"]["cross_area"]
    assert sum((row["locate_radius_m"] or 0) > 500 for row in rows) == expected["coarse"]


def test_toy_twin_in_metres_holds_the_same_points(profile):
    """The file in the measuring CRS gives the same WGS84 points within 10 cm."""
    lonlat, _ = read(profile, "cases.csv", "wgs84")
    metres, _ = read(profile, "cases_epsg3067.csv", "EPSG:3067")
    twins = {row["case_no"]: row for row in metres}
    compared = 0
    for row in lonlat:
        twin = twins[row["case_no"]]
        if row["lon"] is not None and twin["lon"] is not None:
            assert abs(row["lon"] - twin["lon"]) < 1e-6
            assert abs(row["lat"] - twin["lat"]) < 1e-6
            compared += 1
    assert compared > 250


def test_toy_expectation_adds_up(expected):
    """The counted cases are the sum over regions and over categories."""
    assert sum(expected["by_region"].values()) == expected["counted"]
    assert sum(expected["by_category"].values()) == expected["counted"]
    assert sum(expected["by_cell"].values()) <= expected["by_region"]["990901"] + 4
