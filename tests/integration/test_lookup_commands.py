"""`gridgis cases find`, `meta`, `locate`, `analyse density`: what a person types and reads."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gridgis.services import find

GRIDGIS = Path(sys.executable).with_name("gridgis")
EAST = [[[24.97, 60.285], [25.0, 60.285], [25.0, 60.31], [24.97, 60.31], [24.97, 60.285]]]


@pytest.fixture
def gridgis(loaded):
    """Return how a test types a command at the toy city; it must end with the status given."""
    environment = {key: value for key, value in os.environ.items() if "GRIDGIS" not in key}
    url = loaded.engine.url.render_as_string(hide_password=False)
    environment |= {"GRIDGIS_DATABASE_URL": url, "COLUMNS": "200"}

    def run(*words, status=0):
        done = subprocess.run(  # noqa: S603 - our own command
            [GRIDGIS, *words], env=environment, capture_output=True, check=False
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == status, done.stderr
        return done

    return run


def test_count_is_one_number(gridgis):
    """The person's job: how many cases of a class in a month."""
    result = gridgis("cases", "find", "--category", "Litter", "--month", "2024-03", "--count")
    assert result.stdout == "99\n"
    assert "合成数据" in result.stderr


def test_table_says_total_and_what_is_left(gridgis):
    """First rows, the total, and how to get the others."""
    text = gridgis("cases", "find", "--district", "north", "--month", "2024-03").stdout
    assert "合成数据" in text
    assert "130 件案件" in text
    assert "… 110 more" in text
    assert text.count("TV-2024-") == 20
    assert "North Side" in text


@pytest.mark.parametrize(
    "words",
    [
        ("--near", "24.945,60.297", "--radius-m", "400"),
        ("--bbox", "24.94,60.295,24.96,60.30"),
        ("--street", "Mill Street", "--source", "phone", "--status", "closed"),
        ("--from", "2024-03-05", "--to", "2024-03-09"),
        ("--category", "S05"),
        ("--bbox", "387000,6685000,389000,6687000", "--crs", "EPSG:3067"),
    ],
)
def test_filters_mean_what_the_services_mean(gridgis, loaded, words):
    """Each option is the filter of that name."""
    names = {"from": "start", "to": "end"}
    pairs = zip(words[::2], words[1::2], strict=True)
    asked = {name.strip("-").replace("-", "_"): value for name, value in pairs}
    asked = {names.get(name, name): value for name, value in asked.items()}
    if "radius_m" in asked:
        asked["radius_m"] = float(asked["radius_m"])
    expected = find.count_cases(loaded, find.case_filter(loaded, **asked))
    assert 0 < expected < 277
    assert gridgis("cases", "find", *words, "--count").stdout == f"{expected}\n"


@pytest.mark.parametrize("shape", [
    {"type": "Polygon", "coordinates": EAST},
    {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": EAST}},
    {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {}, "geometry": {"type": "Polygon", "coordinates": EAST}},
    ]},
])  # fmt: skip
def test_within_reads_any_geojson(gridgis, loaded, tmp_path, shape):
    """A geometry, a feature or a collection."""
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps(shape), encoding="utf-8")
    expected = find.count_cases(loaded, find.case_filter(loaded, bbox="24.97,60.285,25.0,60.31"))
    assert gridgis("cases", "find", "--within", str(path), "--count").stdout == f"{expected}\n"


def test_formats_hold_every_case(gridgis, tmp_path):
    """Without a limit a file has all of them; csv for the office starts with the mark."""
    out = tmp_path / "cases.csv"
    result = gridgis("cases", "find", "--format", "csv", "--out", str(out))
    assert "wrote 277 of 277 cases" in result.stderr
    assert out.read_bytes().startswith(b"\xef\xbb\xbfcase_no,")
    assert [path.name for path in tmp_path.iterdir()] == ["cases.csv"]
    rows = list(csv.DictReader(io.StringIO(out.read_text("utf-8-sig"))))
    assert len(rows) == 277
    collection = json.loads(gridgis("cases", "find", "--format", "geojson").stdout)
    assert [f["id"] for f in collection["features"]] == [row["case_no"] for row in rows]
    document = json.loads(gridgis("cases", "find", "--json", "--limit", "5").stdout)
    assert [case["case_no"] for case in document["cases"]] == [r["case_no"] for r in rows[:5]]
    assert (document["total"], document["returned"], document["synthetic"]) == (277, 5, True)


def test_out_needs_a_format_and_a_folder(gridgis, tmp_path):
    """A table is for the screen; a folder that is not there is named."""
    words = ("cases", "find", "--out", str(tmp_path / "no" / "x.csv"))
    assert "--format" in gridgis(*words, status=2).stderr
    assert "cannot be written" in gridgis(*words, "--format", "csv", status=2).stderr


def test_misspelt_name_lists_candidates(gridgis):
    """A person who misspells a class reads which ones there are."""
    done = gridgis("cases", "find", "--category", "parkng", "--count", status=2)
    assert "S0501 Illegal parking" in done.stderr


@pytest.mark.parametrize("name", [
    "categories", "sources", "regions", "streets", "statuses", "months", "runs",
])  # fmt: skip
def test_meta_lists_codes(gridgis, name):
    """Each list as a table and as JSON with the same rows."""
    rows = json.loads(gridgis("meta", name, "--json").stdout)
    text = gridgis("meta", name).stdout
    assert rows
    for row in rows:
        assert str(row.get("code", row.get("run"))) in text


def test_locate_names_cell_and_areas(gridgis):
    """The areas over a point, with approximate borders marked; outside is an error."""
    text = gridgis("locate", "--lonlat", "24.983397,60.292433", "--crs", "wgs84").stdout
    assert "9909Z1 Harbour（近似边界）" in text
    done = gridgis("locate", "--lonlat", "24.983397,60.9", "--crs", "wgs84", status=2)
    assert "no region of the city" in done.stderr


def test_density_prints_sums_and_shares(gridgis):
    """The total, its parts, and each region with its share of the group."""
    text = gridgis("analyse", "density", "--month", "2024-03").stdout
    assert "271 cases = " in text
    for share in ("57.02%", "42.98%", "45.45%", "54.55%"):
        assert share in text  # 130 and 98 of 228, 15 and 18 of 33
    assert "跨区" in text
    assert "未定位" in text


def test_density_json_reconciles(gridgis):
    """Cells and reasons, regions and the rest: both sum to the total; filters narrow both."""
    for words, total in (((), 271), (("--category", "Litter"), 99), (("--source", "app"), None)):
        found = json.loads(
            gridgis("analyse", "density", "--month", "2024-03", "--json", *words).stdout
        )
        assert sum(found["cells"].values()) == found["total"]
        regions = sum(row["numerator"] for row in found["districts"])
        assert regions + sum(row["cases"] for row in found["rest"]) == found["total"]
        assert total in {None, found["total"]}
        assert set(found["cells"]) == {"in_cells", "no_point", "too_coarse", "outside_cells"}


@pytest.mark.parametrize("level", ["street", "cell"])
def test_density_has_levels(gridgis, level):
    """Streets and cells in full, with the cases that have none."""
    words = ("--month", "2024-03", "--level", level, "--json")
    found = json.loads(gridgis("analyse", "density", *words).stdout)
    assert found["level"] == level
    assert sum(row["numerator"] for row in found["rows"]) == 271
    assert gridgis("analyse", "density", *words[:-1]).stdout.count("\n") > 5
