"""`gridgis cases open` and `cases lateness`: what a person types and reads (待办命令)."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from openpyxl import load_workbook

from gridgis.services import open_work as work

GRIDGIS = Path(sys.executable).with_name("gridgis")
AT = "2024-03-20T12:00"


@pytest.fixture
def gridgis(loaded):
    """Return how a test types a command at the toy city; it must end with the status given."""
    environment = {key: value for key, value in os.environ.items() if "GRIDGIS" not in key}
    url = loaded.engine.url.render_as_string(hide_password=False)
    environment |= {"GRIDGIS_DATABASE_URL": url, "COLUMNS": "240"}

    def run(*words, status=0):
        done = subprocess.run(  # noqa: S603 - our own command
            [GRIDGIS, "cases", *words], env=environment, capture_output=True, check=False
        )
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == status, done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def page(loaded):
    """Return the whole list at the moment of these tests."""
    return work.open_work(loaded, work.work_filter(loaded), at=AT, limit=1000)


def test_a_table_says_moment_counts_and_what_is_left(gridgis, page):
    """The answer begins with the moment, the reach of the data and the sums in their units."""
    text = gridgis("open", "--at", AT).stdout
    assert "合成数据" in text
    assert "at 2024-03-20 12:00，数据截至 / data as of 2024-0" in text
    counts = {row["state"]: row["items"] for row in page["counts"]}
    whole = sum(counts.values())
    assert f"待结案 / to close: {whole:,} 案件 / cases = 超期 {counts['overdue']}" in text
    assert f"… {whole - 20:,} more" in text
    assert text.count("TV-2024-") == 20
    assert page["items"][0]["case_no"] in text


def test_filters_and_limit_narrow_the_table(gridgis, page):
    """Each option is the filter of that name."""
    late = [item["case_no"] for item in page["items"] if item["state"] == "overdue"]
    text = gridgis("open", "--at", AT, "--state", "overdue", "--limit", "1000").stdout
    assert text.count("TV-2024-") == len(late)
    north = [i for i in page["items"] if i["region_key"] == "990901"]
    found = json.loads(gridgis("open", "--at", AT, "--district", "north", "--json").stdout)
    assert [item["case_no"] for item in found["items"]] == [item["case_no"] for item in north]
    assert found["filters"] == {"district": "990901"}
    stuck = json.loads(gridgis("open", "--at", AT, "--stuck", "--json").stdout)
    calm = json.loads(gridgis("open", "--at", AT, "--not-stuck", "--json").stdout)
    assert stuck["total"] + calm["total"] == page["total"]


def test_json_holds_every_item(gridgis, page):
    """A document has all, or as many as asked for."""
    found = json.loads(gridgis("open", "--at", AT, "--json").stdout)
    assert found["items"] == page["items"]
    assert found["total"] == page["total"]
    few = json.loads(gridgis("open", "--at", AT, "--json", "--limit", "3").stdout)
    assert few["items"] == page["items"][:3]


@pytest.mark.parametrize("by", ["lateness", "region"])
def test_sums_as_table_and_as_json(gridgis, by):
    """Both say the same groups."""
    found = json.loads(gridgis("open", "--by", by, "--at", AT, "--json").stdout)
    text = gridgis("open", "--by", by, "--at", AT).stdout
    for row in found["stages"][1]["rows"]:
        assert row["name"] in text
        assert f"{row['numerator']:,}/{row['denominator']:,}" in text


def test_files_are_written(gridgis, page, tmp_path):
    """Workbook, CSV and GeoJSON hold every item; other endings are named."""
    for suffix in ("xlsx", "csv", "geojson"):
        done = gridgis("open", "--at", AT, "--out", str(tmp_path / f"a.{suffix}"))
        assert f"wrote {page['total']:,} items" in done.stderr
    sheet = load_workbook(tmp_path / "a.xlsx")["Open work"]
    assert len(list(sheet.iter_rows())) == page["total"] + 1
    rows = list(csv.DictReader((tmp_path / "a.csv").read_text("utf-8-sig").splitlines()))
    assert [row["case_no"] for row in rows] == [item["case_no"] for item in page["items"]]
    done = gridgis("open", "--out", str(tmp_path / "a.pdf"), status=2)
    assert "ends in .xlsx, .csv, .geojson" in done.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--stage", "close"), "stage 'close'"),
        (("--by", "person"), "by 'person'"),
        (("--at", "noon"), "at 'noon'"),
    ],
)
def test_wrong_values_are_named(gridgis, words, named):
    """A person reads which value is wrong and what there is."""
    assert named in gridgis("open", *words, status=2).stderr


def test_report_lateness_as_table_and_as_json(gridgis):
    """The toy city has no time of discovery: every case is counted, none is measured."""
    found = json.loads(gridgis("lateness", "--month", "2024-03", "--json").stdout)
    assert (found["total"]["cases"], found["total"]["known"]) == (271, 0)
    assert sum(row["cases"] for row in found["by_source"]) == 271
    assert sum(row["cases"] for row in found["by_region"]) == 271
    text = gridgis("lateness", "--month", "2024-03").stdout
    assert "271 案件 / cases，0 件两时间齐全 (0.00%)" in text
    assert "North Side" in text
    assert "YYYY-MM" in gridgis("lateness", "--month", "March", status=2).stderr
