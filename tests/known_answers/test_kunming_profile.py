"""The shipped city profile: exact layers, the report's regions, the list of unit grids."""

import tomllib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from boundaries.cells import make_cells
from boundaries.within import area_within
from gridgis.intake.mapping import load_mapping
from gridgis.intake.profile import check_measuring_crs, load_profile, shipped_profiles
from gridgis.model.case import CASE_FIELDS

SHARED = Path(__file__).resolve().parents[3] / "shared"
GROUPS = {
    "main": ["五华区", "盘龙区", "官渡区", "西山区", "呈贡区"],
    "zones": ["经开区", "高新区", "度假区"],
    "others": [
        "东川区", "晋宁区", "安宁市", "富民县", "宜良县", "石林县", "嵩明县", "禄劝县", "寻甸县",
        "滇中新区（直管区）", "阳宗海",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def profile():
    """Return the shipped profile."""
    return load_profile(shipped_profiles()["kunming"])


@pytest.fixture(scope="module")
def layers(profile):
    """Return the geometry of the profile by kind, in WGS84."""
    return {layer.kind: gpd.read_file(layer.path) for layer in profile.layers}


def planar(frame, profile):
    """Return the polygons of a layer in the measuring CRS."""
    return frame.to_crs(profile.measuring_crs).geometry.to_numpy()


@pytest.fixture(scope="module")
def cell_area(profile, layers):
    """Return the area that `[cells].within` lists, without the water."""
    return area_within(
        profile.cells_within, regions=layers["district"], streets=layers["street"],
        seats={street.code: street.seat for street in profile.streets if street.seat},
        crs=profile.measuring_crs, water=layers["water"],
    )  # fmt: skip


def test_groups_are_those_of_the_report(profile):
    """Five main districts, three zones and eleven others, in the report's order."""
    found = {group.code: [r.name for r in profile.regions if r.group == group.code]
             for group in profile.groups}  # fmt: skip
    assert found == GROUPS


def test_zones_have_keys_that_no_district_has(profile):
    """A zone's key holds a letter, outranks its host district and names its host streets."""
    zones = [region for region in profile.regions if region.kind == "zone"]
    assert [zone.code for zone in zones] == [f"5301Z{n}" for n in range(1, 6)]
    assert all(zone.priority == 20 and zone.hosts for zone in zones)
    assert {region.priority for region in profile.districts} == {10}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("五华", "530102"), ("经开", "5301Z1"), ("昆明经开区", "5301Z1"),
        ("昆明经济技术开发区", "5301Z1"), ("禄劝彝族苗族自治县", "530128"),
        ("滇中新区", "5301Z4"), ("昆明阳宗海风景名胜区", "5301Z5"),
    ],
)  # fmt: skip
def test_regions_answer_to_common_names(profile, name, code):
    """The short, the official and the everyday name mean one region."""
    assert [r.code for r in profile.regions if name in (r.name, *r.aliases)] == [code]


def test_districts_tile_the_city_exactly(profile, layers):
    """14 polygons without overlap: the sum of areas is the area of the union, 21,021.747 km2."""
    shapes = planar(layers["district"], profile)
    assert len(shapes) == 14
    assert shapely.coverage_is_valid(shapes)
    total = shapely.area(shapes).sum()
    assert total == pytest.approx(shapely.union_all(shapes).area, rel=1e-12)
    assert total / 1e6 == pytest.approx(21021.747, abs=0.001)


def test_streets_tile_every_district_exactly(layers):
    """The street areas of a district are a coverage whose union is the district, to the vertex."""
    streets = layers["street"]
    shapes = streets.geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    owner = streets["code"].str[:6].to_numpy()
    for code, district in layers["district"].set_index("code").geometry.items():
        assert shapely.equals(shapely.coverage_union_all(shapes[owner == code]), district), code


def test_streets_and_zones_say_that_they_are_approximate(profile, layers):
    """Composed areas carry the mark in the file and in the profile."""
    assert layers["street"]["approximate"].all()
    assert layers["zone"]["approximate"].all()
    quality = {layer.kind: layer.quality for layer in profile.layers}
    assert quality == {"district": "map_derived", "street": "approximate",
                       "zone": "approximate", "water": "map_derived"}  # fmt: skip


def test_a_street_area_is_nearest_to_its_own_seat(profile, layers):
    """Every seat lies in its own street area; a district without seats keeps one area 000."""
    areas = layers["street"].set_index("code").geometry
    seats = {street.code: street.seat for street in profile.streets if street.seat}
    assert len(seats) == 108
    for code, seat in seats.items():
        assert areas[code].contains(shapely.Point(seat)), code
    assert set(areas.index) - set(seats) == {"530115000"}
    assert set(areas.index) <= {street.code for street in profile.streets}


def test_zones_are_the_union_of_their_hosts(profile, layers):
    """A zone covers exactly the street areas that regions.csv names."""
    areas = layers["street"].set_index("code").geometry
    zones = layers["zone"].set_index("code").geometry
    for region in profile.regions:
        if region.kind == "zone":
            union = shapely.coverage_union_all(areas[list(region.hosts)].to_numpy())
            assert shapely.equals(zones[region.code], union), region.code


def test_measuring_crs_fits_the_city(profile, layers):
    """The worst district area is off by 0.0005, far below 0.002; Web Mercator is refused."""
    worst = check_measuring_crs(layers["district"], profile.measuring_crs)
    assert worst == pytest.approx(0.000511, abs=1e-5)


def test_extent_holds_the_city_with_a_margin(profile, layers):
    """The plausible extent is the bounding box and about 0.05 degrees around it."""
    margin = np.array(layers["district"].total_bounds) - np.array(profile.extent)
    assert (np.abs(margin) > 0.04).all()
    assert (np.abs(margin) < 0.06).all()


def test_lakes_lie_in_the_city(profile, layers):
    """滇池 covers 316.4 km2, 阳宗海 26.6."""
    areas = shapely.area(planar(layers["water"], profile)) / 1e6
    assert dict(zip(layers["water"]["name"], areas.round(1), strict=True)) == {
        "滇池": 316.4, "阳宗海": 26.6,
    }  # fmt: skip


def test_cells_hold_the_land_round_every_zone_seat(profile, layers, cell_area):
    """The land within 2 km of the seat of each street area that hosts a zone is in the list."""
    water = shapely.union_all(planar(layers["water"], profile))
    city = shapely.union_all(planar(layers["district"], profile))
    seats = {street.code: street.seat for street in profile.streets}
    hosts = [host for region in profile.regions for host in region.hosts]
    assert len(hosts) == 8
    points = gpd.GeoSeries([shapely.Point(seats[host]) for host in hosts], crs=4326)
    for host, point in zip(hosts, points.to_crs(profile.measuring_crs), strict=True):
        land = shapely.intersection(point.buffer(2000, quad_segs=64), city).difference(water)
        assert land.difference(cell_area).area < 1, host


def test_cells_hold_the_repeat_points_of_the_demo(profile, cell_area):
    """The vending points that the report names lie inside the unit grids."""
    demo = tomllib.loads((profile.folder / "demo.toml").read_text(encoding="utf-8"))
    places = demo["repeat_points"]
    assert len(places) == 3
    points = gpd.GeoSeries([shapely.Point(p["lon"], p["lat"]) for p in places], crs=4326)
    assert shapely.contains(cell_area, points.to_crs(profile.measuring_crs).to_numpy()).all()
    assert cell_area.contains(shapely.Point(*_metres(102.739797, 24.973258, profile)))


def test_cells_are_at_most_seventy_thousand(profile, layers, cell_area):
    """The listed land makes 55,000 to 65,000 cells of 100 m that tile it exactly."""
    cells = make_cells(
        layers["district"], size_m=profile.cell_size_m, crs=profile.measuring_crs,
        streets=layers["street"], water=layers["water"], within=cell_area,
    )  # fmt: skip
    assert 55_000 <= len(cells) <= 65_000
    assert cells["area_m2"].sum() == pytest.approx(cell_area.area, rel=1e-8)


def test_mapping_expects_the_chinese_labels(profile):
    """A mapped field is expected under its Chinese label, as the city's export names it."""
    mapping = load_mapping(profile.mappings["cases"])
    labels = {field.name: (field.label_zh,) for field in CASE_FIELDS}
    assert mapping.columns == {name: labels[name] for name in mapping.columns}
    assert {"case_no", "subcategory", "stated_region", "x", "y", "closed_at"} <= set(
        mapping.columns
    )


def test_catalogue_is_the_sample_of_both_kinds(profile):
    """127 subcategories with codes as B0101 and S0591, each under a named big class."""
    assert len(profile.categories) == 127
    by_code = {category.code: category for category in profile.categories}
    assert (by_code["S0591"].name, by_code["S0591"].parent_name) == ("占道经营", "街面秩序")
    assert {c.kind for c in profile.categories if c.code[0] == "B"} == {"component"}
    assert {c.kind for c in profile.categories if c.code[0] == "S"} == {"event"}


def test_shipped_data_states_origin_and_licence(profile):
    """SOURCE.md names every file with geometry or codes; licence texts lie beside it."""
    text = (profile.folder / "SOURCE.md").read_text(encoding="utf-8")
    names = [layer.path.name for layer in profile.layers]
    for name in (*names, "streets.csv", "regions.csv", "catalogue.csv", "CC BY 4.0", "LGPL"):
        assert name in text
    licences = {path.name for path in (profile.folder / "licences").iterdir()}
    assert licences == {"LGPL-3.0.txt", "GPL-3.0.txt", "MIT.txt"}


@pytest.mark.skipif(not SHARED.exists(), reason="the shared reference data is not here")
def test_districts_meet_the_reference_conversion(layers):
    """Every vertex is within 1 cm of an independent conversion of the same source."""
    reference = next((SHARED / "data" / "kunming").glob("kunming_districts_*.geojson"))
    expected = gpd.read_file(reference).set_index("code").geometry
    for code, shape in layers["district"].set_index("code").geometry.items():
        assert shapely.hausdorff_distance(shape, expected[code]) < 1e-7, code


def _metres(lon, lat, profile):
    point = gpd.GeoSeries([shapely.Point(lon, lat)], crs=4326).to_crs(profile.measuring_crs)
    return point.iloc[0].coords[0]
