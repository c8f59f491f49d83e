"""Profile folders: what is read, and every fault at once (城市配置)."""

from datetime import date

import geopandas as gpd
import pytest
from shapely import box

from gridgis.errors import CrsError, ProfileInvalid
from gridgis.intake.profile import check_measuring_crs, load_profile, shipped_profiles

CITY = """
[city]
code = "990200"
slug = "smalltown"
name = "Smalltown"
name_en = "Smalltown"
language = "en"
time_zone = "Europe/Berlin"
measuring_crs = "EPSG:25833"
extent = [13.0, 52.0, 14.0, 53.0]

[cells]
size_m = 50
within = ["district:990201", "street:990201001@500"]

[[groups]]
code = "all"
name = "All"

[[sources]]
code = "wechat"
name = "App"
aliases = ["web"]

[[layers]]
kind = "district"
file = "districts.geojson"
crs = "epsg 4326"
quality = "synthetic"
"""
REGIONS = """code,name,name_en,kind,group,priority,aliases,stat_code,hosts,valid_from,valid_to
990201,North,,district,all,,N|Nord,,,2020-01-01,
9902Z1,Harbour,,zone,,30,,123,990201001,,
"""
STREETS = """code,name,district_code,aliases,seat_lon,seat_lat
990201001,Quay,990201,,13.5,52.5
990201002,Hill,990201,,,
"""
CATALOGUE = """code,name,parent_code,parent_name,kind,aliases
S0101,Litter,S01,Dirt,event,rubbish|trash
B0201,Lamp,,,component,
"""


@pytest.fixture
def folder(tmp_path):
    """Return a whole small profile folder."""
    files = {
        "city.toml": CITY, "regions.csv": REGIONS, "streets.csv": STREETS,
        "catalogue.csv": CATALOGUE, "districts.geojson": "{}",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def change(folder, name, old, new):
    """Replace a text in a file of the profile that must hold it."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def faults(folder):
    """Return the faults that the profile is refused for."""
    with pytest.raises(ProfileInvalid) as caught:
        load_profile(folder)
    return caught.value.context["faults"]


def test_load_profile_reads_every_table(folder):
    """City, groups, regions, streets, catalogue, sources and layers arrive typed."""
    profile = load_profile(folder)
    assert (profile.code, profile.measuring_srid, profile.cell_size_m) == ("990200", 25833, 50)
    north, harbour = profile.regions
    assert (north.priority, north.aliases, north.valid_from) == (
        10, ("N", "Nord"), date(2020, 1, 1),
    )  # fmt: skip
    assert (harbour.kind, harbour.priority, harbour.hosts) == ("zone", 30, ("990201001",))
    assert [street.seat for street in profile.streets] == [(13.5, 52.5), None]
    assert [category.parent_code for category in profile.categories] == ["S01", "B02"]
    assert profile.sources[0].aliases == ("web",)
    assert (profile.layers[0].crs, profile.layers[0].quality) == ("wgs84", "synthetic")
    assert profile.districts == (north,)


def test_a_profile_needs_neither_streets_nor_layers(folder):
    """A city may begin with regions and a catalogue, and load its geometry later."""
    (folder / "streets.csv").unlink()
    change(folder, "regions.csv", "990201001", "")
    change(folder, "city.toml", CITY[CITY.index("[[layers]]") :], "")
    change(folder, "city.toml", ', "street:990201001@500"', "")
    profile = load_profile(folder)
    assert (profile.streets, profile.layers) == ((), ())


def test_version_follows_content_and_nothing_else(folder):
    """The version changes with any byte of a file, and not with hidden or cached files."""
    before = load_profile(folder).version
    (folder / ".DS_Store").write_bytes(b"x")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert load_profile(folder).version == before
    change(folder, "catalogue.csv", "Lamp", "Lamps")
    assert load_profile(folder).version != before


def test_all_faults_are_reported_at_once(folder):
    """Faults in three files come in one error, each with file, row, value, rule and remedy."""
    change(folder, "city.toml", "Europe/Berlin", "Europe/Nowhere")
    change(folder, "regions.csv", "9902Z1", "99Z1")
    change(folder, "catalogue.csv", "component", "thing")
    assert faults(folder) == [
        (
            "city.toml [city]: 'Europe/Nowhere': unknown time_zone; use an IANA name such as "
            "Europe/Paris"
        ),
        (
            "regions.csv row 3: '99Z1': code is malformed; expected 6 digits (district), "
            "or 4 digits, a letter and a digit (zone)"
        ),
        "catalogue.csv row 3: 'thing': unknown kind; expected one of: component, event",
    ]


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("city.toml", '"990200"', "990200", ("[city] code", "not a text")),
        ("city.toml", '"990200"', '"99020"', ("code is malformed",)),
        ("city.toml", "EPSG:25833", "EPSG:4258", ("measuring_crs is in degrees",)),
        ("city.toml", "EPSG:25833", "EPSG:1", ("unknown CRS",)),
        ("city.toml", "[13.0, 52.0, 14.0, 53.0]", "[14.0, 52.0, 13.0, 53.0]", ("extent",)),
        ("city.toml", "[13.0, 52.0, 14.0, 53.0]", '["a", 1, 2, 3]', ("extent",)),
        ("city.toml", "size_m = 50", "size_m = 5", ("size_m is out of range",)),
        ("city.toml", "district:990201", "quarter:990201", ("within", "malformed")),
        ("city.toml", "district:990201", "district:990209", ("no such district",)),
        ("city.toml", "street:990201001", "street:990201002", ("no seat point",)),
        ("city.toml", 'code = "wechat"', 'code = "telex"', ("telex", "hotline_12345")),
        ("city.toml", "districts.geojson", "gone.geojson", ("file not found",)),
        ("city.toml", "districts.geojson", "../x.geojson", ("outside the profile folder",)),
        ("city.toml", '"epsg 4326"', '"beijing"', ("unknown CRS",)),
        ("city.toml", "slug =", "slogan = 'x'\nslug =", ("slogan", "unknown key")),
        ("city.toml", "[city]", "[city", ("not readable as TOML",)),
        ("city.toml", '["web"]', '"web"', ("not a list of texts",)),
        ("city.toml", 'code = "all"\n', "", ("[[groups]] 1", "missing: code")),
        ("regions.csv", "North", "", ("row 2", "empty: name")),
        ("regions.csv", "Harbour", "nord", ("row 3", "the name also means 990201")),
        ("regions.csv", "9902Z1", "990201", ("region code twice",)),
        ("regions.csv", ",all,", ",none,", ("unknown group",)),
        ("regions.csv", ",30,", ",high,", ("'high'", "not a whole number")),
        ("regions.csv", "2020-01-01", "01.01.2020", ("not a date YYYY-MM-DD",)),
        ("regions.csv", "2020-01-01,", "2020-01-01,2019-01-01", ("not after valid_from",)),
        ("regions.csv", "990201001", "990201009", ("no such street",)),
        ("regions.csv", "aliases", "alias", ("unknown columns",)),
        ("regions.csv", "kind", "art", ("columns missing: kind",)),
        ("regions.csv", "N|Nord", "N,Nord,x,x,x,x", ("more values than columns",)),
        ("streets.csv", "13.5,52.5", "52.5,13.5", ("outside the extent",)),
        ("streets.csv", "13.5,52.5", "13.5,", ("half a seat point",)),
        ("streets.csv", "13.5,52.5", "13.5,x", ("not a number",)),
        ("streets.csv", "990201002,Hill,990201", "990203002,Hill,990203", ("no such district",)),
        ("streets.csv", "Hill,990201", "Hill,990209", ("does not begin with it",)),
        ("catalogue.csv", "B0201,Lamp", "B0201,TRASH", ("the name also means S0101",)),
        ("catalogue.csv", "S0101", "S101", ("code is malformed",)),
        ("catalogue.csv", "S0101,Litter,S01", "S0101,Litter,S02", ("parent_code",)),
    ],
)  # fmt: skip
def test_a_fault_is_named(folder, name, old, new, words):
    """Each fault names its file and says what is wrong with which value."""
    change(folder, name, old, new)
    found = "\n".join(fault for fault in faults(folder) if fault.startswith(name))
    for word in words:
        assert word in found


def test_a_file_that_is_not_utf8_is_named(folder):
    """A table saved by a spreadsheet in GBK is refused by name."""
    (folder / "regions.csv").write_bytes(REGIONS.replace("North", "北区").encode("gb18030"))
    assert any("regions.csv" in fault and "save the file as UTF-8" in fault
               for fault in faults(folder))  # fmt: skip


def test_a_mapping_is_checked_with_the_profile(folder):
    """A mapping that names no field of a case is a fault of the profile."""
    (folder / "mappings").mkdir()
    (folder / "mappings" / "cases.toml").write_text('[columns]\nnumber = "No"\n')
    assert any("mappings/cases.toml" in fault and "'number'" in fault for fault in faults(folder))


def test_an_empty_folder_is_refused(tmp_path):
    """A folder without city.toml is no profile."""
    assert faults(tmp_path) == [f"city.toml: {str(tmp_path)!r}: file missing; a profile needs it"]


@pytest.mark.parametrize("name", sorted(shipped_profiles()))
def test_shipped_profiles_have_no_fault(name):
    """Every profile in the package loads."""
    assert load_profile(shipped_profiles()[name]).slug == name


def square(lon, lat):
    """Return a district of 0.2 degrees as a frame."""
    return gpd.GeoDataFrame(geometry=[box(lon, lat, lon + 0.2, lat + 0.2)], crs=4326)


def test_measuring_crs_of_the_place_is_accepted():
    """A zone made for the place keeps areas within 0.2 percent."""
    assert check_measuring_crs(square(13.4, 52.4), "EPSG:25833") < 0.002


@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:25829", "EPSG:26986"])
def test_measuring_crs_of_elsewhere_is_refused(crs):
    """Web Mercator, a zone far away and another continent's system are refused by area."""
    with pytest.raises(CrsError, match=r"allowed 0\.002"):
        check_measuring_crs(square(13.4, 52.4), crs)
