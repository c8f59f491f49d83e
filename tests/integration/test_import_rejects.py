"""Rejected rows: kept with reason and row; mended, they import again (退回行)."""

import csv
from pathlib import Path

import geopandas as gpd
import pytest
from openpyxl import Workbook, load_workbook

from gridgis.errors import CrsError, InputError
from gridgis.intake.rejects import RejectWriter
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import case_digest, import_cases, import_file

HEADER = "Ticket,Kind,Channel,Text,Where,Area,X,Y,Handled by,Fixed on the spot,Reported,Closed,Note"
GOOD = "T-1,Litter,app,,=1+1 Quay,South Side,24.933628,60.293058,Works,no,05.03.2024 08:30,,'-x"
ROWS = (
    GOOD,
    "T-2,Liter,app,-5 below,+358 1,South Side,24.93,60.29,Works,no,05.03.2024 08:30,,=A1",
    "T-3,Litter,app,\"two\nlines, 'x'\",@here,,24.93,60.29,,no,05.03.2024 08:30,01.03.2024 08:00,",
    "5.30E+14,Litter,app,,,,,,,no,05.03.2024 08:30,,",
    "T-5,Litter,app,too,many,fields,24.93,60.29,Works,no,05.03.2024 08:30,,,extra",
    "T-6,Litter,app",
    "T-7,Litter,app,nul\0here,,,,,,no,05.03.2024 08:30,,",
    ",,,,,,,,,,,,",
    "",
    "T-8,Litter,app,,,,east,60.29,,no,05.03.2024 08:30,,",
)
EXPECTED = {
    "unknown_category": 1,
    "stage_order": 1,
    "rounded_number": 1,
    "ragged_row": 2,
    "nul_character": 1,
    "not_a_number": 1,
}


@pytest.fixture
def mapping(tmp_path):
    """Return a mapping of these columns without the last one."""
    path = tmp_path / "m.toml"
    path.write_text("""
[columns]
case_no = "Ticket"
subcategory = "Kind"
source = "Channel"
description = "Text"
address_text = "Where"
stated_region = "Area"
x = "X"
y = "Y"
self_handled = "Fixed on the spot"
reported_at = "Reported"
closed_at = "Closed"
[times]
formats = ["%d.%m.%Y %H:%M"]
""")
    return path


@pytest.fixture
def bring(toy, mapping):
    """Return a function that imports a file."""

    def run(path, rejects=None):
        request = ImportRequest(crs="wgs84", mapping=str(mapping), rejects=rejects)
        return import_cases(toy, path, request)

    return run


@pytest.fixture
def source(tmp_path):
    """Return the file with bad rows."""
    path = tmp_path / "cases.csv"
    path.write_text("\n".join((HEADER, *ROWS)) + "\n")
    return path


def read(path):
    """Return header and rows of a rejects file."""
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as handle:
            header, *rows = csv.reader(handle)
    else:
        sheet = load_workbook(path).active
        header, *rows = [[cell.value or "" for cell in row] for row in sheet.iter_rows()]
    return header, rows


def save(path, header, rows):
    """Write a rejects file as a person would save it."""
    if path.suffix == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as handle:
            csv.writer(handle).writerows([header, *rows])
        return
    book = Workbook()
    for row in (header, *rows):
        book.active.append(row)
        for cell in book.active[book.active.max_row]:
            cell.data_type = "s"
    book.save(path)


def test_every_row_is_accepted_or_rejected(bring, source):
    """Accepted and rejected rows add up; blank lines are no rows."""
    result = bring(source, source.with_name("r.csv"))
    assert (result.rows_in, result.accepted) == (8, 1)
    assert result.reject_rules == EXPECTED


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_reject_names_row_column_value_rule_and_remedy(suffix, bring, source):
    """The reason stands before the row as it was."""
    header, rows = read(Path(bring(source, source.with_name(f"r{suffix}")).rejects_file))
    assert header[:5] == [
        "Rejected row", "Rejected column", "Rejected value", "Rejected by", "Remedy",
    ]  # fmt: skip
    assert header[5:18] == HEADER.split(",")
    number, column, value, rule, remedy, *original = rows[0]
    assert (number, column, value, rule) == ("2", "Kind", "Liter", "unknown_category")
    assert "'Liter'; closest: Litter" in remedy
    assert original[0] == "T-2"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_unmended_rejects_are_rejected_again(suffix, bring, source):
    """What nobody mended comes back, ragged rows included, whatever the file is saved as."""
    rejects = source.with_name(f"r{suffix}")
    bring(source, rejects)
    header, rows = read(rejects)
    rows = [row for row in rows if row[3] != "nul_character"]  # a workbook cannot hold them
    good = ["", "", "", "", "", *next(csv.reader([GOOD]))]
    save(rejects, header, [*rows, [*good, *[""] * (len(rows[0]) - len(good))]])
    result = bring(rejects, source.with_name(f"r2{suffix}"))
    assert (result.accepted, result.rejected) == (1, 6)
    assert result.reject_rules["ragged_row"] >= 1


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_mended_rejects_file_imports(suffix, bring, source, toy, tmp_path):
    """Mended rows import from the rejects file, exactly as if they had been right at first."""
    rejects = source.with_name(f"r{suffix}")
    bring(source, rejects)
    header, rows = read(rejects)
    mended = {"T-2": ("Kind", "Litter"), "T-3": ("Closed", ""), "5.30E+14": ("Ticket", "T-4"),
              "T-7": ("Text", "nulhere"), "T-8": ("X", "24.93")}  # fmt: skip
    kept = [row for row in rows if row[3] != "ragged_row"]
    for row in kept:
        column, value = mended[row[5]]
        row[header.index(column)] = value
    save(rejects, header, kept)
    result = bring(rejects, source.with_name("again.csv"))
    assert (result.rejected, result.inserted) == (0, 5)
    found = case_digest(toy)
    right = [line.replace("Liter", "Litter").replace("01.03.2024 08:00", "").replace("\0", "")
             .replace("5.30E+14", "T-4").replace("east", "24.93") for line in ROWS]  # fmt: skip
    path = tmp_path / "right.csv"
    path.write_text("\n".join((HEADER, *right)) + "\n")
    again = bring(path, tmp_path / "right-rejects.csv")
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 6)
    assert case_digest(toy) == found


def test_a_rejects_file_is_not_written_over(bring, source):
    """The default rejects file takes the next free name: one under repair is left alone."""
    first = Path(bring(source).rejects_file)
    kept = first.read_bytes()
    second = Path(bring(source).rejects_file)
    assert (first.name, second.name) == ("cases-rejects.xlsx", "cases-rejects-2.xlsx")
    assert first.read_bytes() == kept


@pytest.mark.parametrize("kind", ["cases", "events"])
@pytest.mark.parametrize("name", ["cases.csv", "link.csv", "hard.csv"])
def test_a_rejects_file_is_never_the_file_itself(name, kind, source, toy):
    """By its own name or another one, the file to import is refused as rejects file, unread."""
    (source.parent / "link.csv").symlink_to(source)
    (source.parent / "hard.csv").hardlink_to(source)
    before = source.read_bytes()
    request = ImportRequest(crs="wgs84", kind=kind, rejects=source.parent / name)
    with pytest.raises(InputError, match="that is the file to import"):
        import_file(toy, source, request)
    assert source.read_bytes() == before


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_full_disk_leaves_the_earlier_rejects_file(suffix, bring, source, monkeypatch):
    """A rejects file is written whole or not at all, and nothing is left beside it."""
    rejects = source.with_name(f"r{suffix}")
    bring(source, rejects)
    before, files = rejects.read_bytes(), sorted(source.parent.iterdir())
    save = getattr(RejectWriter, f"_save_{suffix[1:]}")

    def torn(writer, *path):
        writer._headers = ["half"]
        save(writer, *path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RejectWriter, save.__name__, torn)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        bring(source, rejects)
    assert rejects.read_bytes() == before
    assert sorted(source.parent.iterdir()) == files


def test_no_reject_no_file(bring, tmp_path):
    """Without a reject there is no file."""
    path = tmp_path / "good.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n")
    assert bring(path).rejects_file is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["good.csv", "m.toml"]


def test_nul_characters_anywhere_reject_only_their_row(bring, tmp_path):
    """A NUL in a ragged row or in a region of no profile is shown, and the good rows go in."""
    path = tmp_path / "cases.csv"
    rows = (
        GOOD,
        "T-2,Lit\0ter,app",
        "T-3,Litter,app,,,Nor\0where,,,,no,05.03.2024 08:30,,",
        "T-4,Liter,app,,,Nowhere,,,,no,05.03.2024 08:30,,",
        "T-5,Litter,app,,,Elsewhere,,,,no,05.03.2024 08:30,,",
    )
    path.write_text("\n".join((HEADER, *rows)) + "\n")
    result = bring(path)
    assert (result.rows_in, result.accepted) == (5, 2)
    assert result.reject_rules == {"nul_character": 1, "ragged_row": 1, "unknown_category": 1}
    assert "Nowhere" not in str(result.warnings)
    assert "Elsewhere" in str(result.warnings)


@pytest.mark.parametrize("suffix", [".geojson", ".gpkg", ".shp"])
def test_mended_rejects_of_points_keep_their_points(suffix, toy, mapping, tmp_path):
    """The rejects of a file with geometry bring their points back, under a declared CRS alone."""
    mapping.write_text(mapping.read_text().replace('x = "X"\ny = "Y"\n', ""))
    columns = {"Ticket": ["T-1", "T-2"], "Kind": ["Litter", "Liter"], "Channel": ["app", "app"]}
    columns |= {"Text": ["", ""], "Where": ["", ""], "Area": ["", ""], "Closed": ["", ""]}
    columns |= {"Fixed on the spot": ["no", "no"], "Reported": ["05.03.2024 08:30"] * 2}
    if suffix == ".shp":
        columns = {name[:10]: values for name, values in columns.items()}
    points = gpd.points_from_xy([24.933628, 24.933628], [60.293058, 60.293058])
    path = tmp_path / f"cases{suffix}"
    gpd.GeoDataFrame(columns, geometry=points, crs=4326).to_file(path)
    rejects = tmp_path / "rejects.csv"
    first = import_cases(
        toy, path, ImportRequest(crs="wgs84", mapping=str(mapping), rejects=rejects)
    )
    assert (first.accepted, first.rejected) == (1, 1)
    rejects.write_text(rejects.read_text().replace("Liter", "Litter"))
    with pytest.raises(CrsError, match="no CRS declared"):
        import_cases(toy, rejects, ImportRequest(crs=None, mapping=str(mapping)))
    second = import_cases(toy, rejects, ImportRequest(crs="wgs84", mapping=str(mapping)))
    assert (second.inserted, second.placement) == (1, first.placement)


def test_rejects_are_kept_in_the_database(bring, source, toy):
    """The database keeps the reasons beside the file they belong to."""
    bring(source, source.with_name("r.csv"))
    with toy.engine.begin() as tx:
        rows = tx.exec_driver_sql(
            "SELECT row_no, field, value, rule FROM core.import_reject ORDER BY row_no"
        ).all()
    assert (4, "Ticket", "5.30E+14", "rounded_number") in [tuple(row) for row in rows]
    assert len(rows) == sum(EXPECTED.values())
