"""Files that cannot be imported: one readable paragraph, exit 2, nothing stored (拒绝导入)."""

import gzip
import json
import shutil
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from openpyxl import Workbook

from gridgis.cli.app import app, main
from gridgis.store.migrate import WRITER_ROLE

DATA = Path(__file__).resolve().parents[1] / "data"
HEADER = (DATA / "toy" / "cases.csv").read_text().splitlines()[0]
GOOD = "T-{n},Litter,app,,1 Quay,South Side,{x},{y},Works,no,05.03.2024 08:30,,,,,"


def lines(count=3, x="24.933628", y="60.293058"):
    """Return the text of a file of good rows."""
    return "\n".join([HEADER, *(GOOD.format(n=n, x=x, y=y) for n in range(count))]) + "\n"


def text(content):
    """Return a builder of a csv file."""
    data = content if isinstance(content, bytes) else content.encode()
    return lambda folder: written(folder / "cases.csv", data)


def written(path, data):
    """Write bytes."""
    path.write_bytes(data)
    return path


def damaged_xlsx(folder):
    """Return a truncated workbook."""
    book = Workbook()
    for row in lines(200).splitlines():
        book.active.append(row.split(","))
    book.save(folder / "whole.xlsx")
    whole = (folder / "whole.xlsx").read_bytes()
    return written(folder / "cases.xlsx", whole[: len(whole) // 2])


def protected_xlsx(folder):
    """Return an encrypted workbook."""
    return Path(shutil.copy(DATA / "office" / "protected.xlsx", folder))


def other_crs(folder):
    """Return points in a CRS that is not the one declared."""
    columns = {name: ["x"] for name in HEADER.split(",") if name not in {"X", "Y"}}
    frame = gpd.GeoDataFrame(columns, geometry=[shapely.Point(385776, 6685838)], crs=3067)
    frame.to_file(folder / "cases.gpkg")
    return folder / "cases.gpkg"


def polygons(folder):
    """Return a file of areas instead of cases."""
    path = folder / "cases.geojson"
    columns = {name: ["x"] for name in HEADER.split(",") if name not in {"X", "Y"}}
    gpd.GeoDataFrame(columns, geometry=[shapely.box(24, 60, 25, 61)], crs=4326).to_file(path)
    return path


WGS84 = ("--crs", "wgs84")
CASES = {
    "no crs": (text(lines()), (), "no CRS declared: pass --crs wgs84"),
    "unknown crs": (text(lines()), ("--crs", "mercator"), "'mercator'"),
    "wrong column": (text(lines().replace("Ticket", "Tikcet")), WGS84, "closest: 'Tikcet'"),
    "0 bytes": (text(b""), WGS84, "the file is empty"),
    "header only": (text(HEADER + "\n"), WGS84, "the file is empty: it has a header"),
    "blank rows": (text(HEADER + "\n" + "," * 15 + "\n\n"), WGS84, "the file is empty"),
    "all rejected": (
        text(lines().replace("Litter", "Liter")), WGS84,
        "all 3 rows were rejected (unknown_category 3); nothing was stored. First: row 1, Kind",
    ),
    "numbers of another crs": (
        text(lines(40, "385776.04", "6685838.44")), WGS84, "none of 40 points lies in",
    ),
    "axes exchanged": (
        text(lines(40, "60.293058", "24.933628")), WGS84, "x and y look exchanged",
    ),
    "crs of the file": (other_crs, WGS84, "declare the CRS the numbers are really in"),
    "no points": (polygons, WGS84, "all 1 rows were rejected"),
    "open quote": (text(lines() + '"T-9,Litter\nT-8,Litter\n'), WGS84, "line 5: a quotation mark"),
    "broken gzip": (
        lambda folder: written(folder / "cases.csv.gz", gzip.compress(lines(99).encode())[:300]),
        WGS84, "damaged gzip file",
    ),
    "damaged xlsx": (damaged_xlsx, WGS84, "not readable as a workbook"),
    "protected xlsx": (protected_xlsx, WGS84, "protected by a password"),
    "nul bytes only": (text(b"\0" * 4096), WGS84, "does not fit the mapping"),
    "picture": (text(b"\x89PNG\r\n" + bytes(range(256)) * 9), WGS84, "line 1 is not UTF-8 text"),
    "format": (lambda folder: written(folder / "a.pdf", b"%PDF"), WGS84, "unknown format"),
    "missing file": (lambda folder: folder / "absent.csv", WGS84, "no such file"),
    "missing mapping": (text(lines()), (*WGS84, "--mapping", "absent"), "neither a file, nor"),
    "missing sheet": (
        lambda folder: Path(shutil.copy(DATA / "office" / "cases.xls", folder)),
        (*WGS84, "--sheet", "案件"), "no sheet '案件'; it has Cases",
    ),
    "rejects of another kind": (
        text(lines()), (*WGS84, "--rejects", "r.docx"), "use .xlsx or .csv",
    ),
    "rejects in no folder": (
        text(lines() + "x,y,z\n"), (*WGS84, "--rejects", "/proc/none/r.csv"), "cannot be written",
    ),
    "unknown kind": (text(lines()), (*WGS84, "--kind", "task"), "expected cases, events, tasks"),
}  # fmt: skip


@pytest.fixture
def run(toy, cluster, monkeypatch, capsys):
    """Return a function that runs the command in this process."""
    database = toy.engine.url.database
    url = cluster.cluster.url(database, role=WRITER_ROLE)
    monkeypatch.setenv("GRIDGIS_DATABASE_URL", url)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["gridgis", *map(str, words)])
        try:
            main()
        except SystemExit as end:
            return end.code, capsys.readouterr()
        return 0, capsys.readouterr()

    return call


def contents(toy):
    """Return the number of cases, files and rejects, and the nature of the database."""
    with toy.engine.begin() as tx:
        counts = tx.exec_driver_sql("""
            SELECT (SELECT count(*) FROM core.case_record), (SELECT count(*) FROM core.import_file),
                (SELECT count(*) FROM core.import_reject), (SELECT synthetic FROM core.city)""")
        return tuple(counts.one())


@pytest.mark.parametrize("name", CASES)
def test_a_bad_file_is_refused_whole(name, run, toy, tmp_path):
    """One paragraph that names the fault, exit 2, and the database is as it was."""
    build, options, named = CASES[name]
    status, output = run("cases", "import", build(tmp_path), *options)
    assert status == 2
    error = output.err[output.err.index("gridgis: ") :]
    assert named in error
    assert "Traceback" not in output.err
    assert contents(toy) == (0, 0, 0, None)
    assert not list(tmp_path.glob("*rejects*"))


def test_an_error_is_json_on_demand(run, tmp_path):
    """With --json the same error is one JSON object with a stable code."""
    path = text(lines().replace("Ticket", "Number"))(tmp_path)
    status, output = run("cases", "import", path, *WGS84, "--json")
    assert status == 2
    error = json.loads(output.err.splitlines()[-1])
    assert error["code"] == "schema_error"
    assert error["context"]["headers"][0] == "Number"


def test_points_outside_the_city_stay_without_a_cell(run, toy, tmp_path):
    """A few points elsewhere are no reason to refuse: the rows are kept, with the reason."""
    there = GOOD.format(n="far", x="102.71", y="25.04") + "\n" + GOOD.format(n=0, x="0", y="0")
    path = text(lines(1).replace("T-0", "T-1") + there + "\n")(tmp_path)
    status, output = run("cases", "import", path, *WGS84, "--json")
    assert status == 0
    (result,) = json.loads(output.out)
    assert (result["accepted"], result["rejected"]) == (3, 0)
    with toy.engine.begin() as tx:
        rows = tx.exec_driver_sql(
            "SELECT case_no, point_issue, no_cell_reason, src_x FROM core.case_record ORDER BY 1"
        ).all()
    assert [tuple(row) for row in rows] == [
        ("T-0", "zero", "no_point", "0"), ("T-1", None, None, "24.933628"),
        ("T-far", "outside_extent", "no_point", "102.71"),
    ]  # fmt: skip


def test_the_text_says_what_became_of_the_rows(run, tmp_path):
    """Without --json the outcome is told in lines: counts, rules and the rejects file."""
    path = text(lines() + lines(1).splitlines()[1].replace("Litter", "Liter") + "\n")(tmp_path)
    status, output = run("cases", "import", path, *WGS84)
    assert status == 0
    assert "4 rows = 3 accepted + 1 rejected; 3 new, 0 changed, 0 unchanged" in output.out
    assert "unknown_category 1" in output.out
    assert "cases-rejects.xlsx" in output.out


def test_json_is_a_flag_of_the_command(run, tmp_path, capsys):
    """Whatever the process was started with, --json leaves nothing but one document on stdout."""
    assert run("--version")[0] == 0
    app(["cases", "import", str(text(lines())(tmp_path)), *WGS84, "--json"], standalone_mode=False)
    (result,) = json.loads(capsys.readouterr().out)
    assert result["accepted"] == 3


def test_real_rows_are_refused_among_synthetic_ones(run, tmp_path):
    """A database marked synthetic takes no real row, and says what to do."""
    path = text(lines())(tmp_path)
    assert run("cases", "import", path, *WGS84, "--synthetic")[0] == 0
    status, output = run("cases", "import", path, *WGS84)
    assert status == 4
    assert "real and synthetic data never mix" in output.err


def test_a_draft_mapping_is_written_and_imports(run, toy, tmp_path):
    """`mapping suggest` drafts a file; completed, it imports the rows it was made from."""
    cases = DATA / "toy" / "cases.csv"
    draft = tmp_path / "m.toml"
    status, output = run("cases", "mapping", "suggest", cases, "--out", draft)
    assert (status, output.err) == (0, "")
    assert run("cases", "import", cases, *WGS84, "--mapping", draft,
               "--rejects", tmp_path / "r.csv")[0] == 0  # fmt: skip
    assert contents(toy)[0] == 242  # without the value that only the city's mapping knows
