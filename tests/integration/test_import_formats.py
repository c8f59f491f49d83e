"""The same cases in every format give the same content, also a second time (导入格式)."""

import gzip
import warnings
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from openpyxl import Workbook

from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import case_digest, import_cases

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
TIMES = ["Reported", "Taken in", "Sent", "Deadline", "Fixed", "Closed"]


@pytest.fixture(scope="module")
def table():
    """Return the toy cases as texts, coordinates as the shortest numbers."""
    cases = pd.read_csv(TOY / "cases.csv", dtype=str, keep_default_na=False)
    for axis in ("X", "Y"):
        cases[axis] = [repr(float(text)) if text else "" for text in cases[axis]]
    return cases


def bring(context, path, **options):
    """Import a file as synthetic WGS84 rows."""
    options = {"crs": "wgs84", "synthetic": True} | options
    rejects = path.with_name(f"{path.name}-rejects.csv")
    return import_cases(context, path, ImportRequest(rejects=rejects, **options))


def points(table):
    """Return the cases as points without the columns X and Y."""
    x, y = (pd.to_numeric(table[axis]) for axis in ("X", "Y"))
    place = gpd.GeoSeries(gpd.points_from_xy(x, y), crs=4326)
    place[x.isna()] = None
    return gpd.GeoDataFrame(table.drop(columns=["X", "Y"]), geometry=place)


def write_csv(table, path):
    """Write UTF-8 with semicolons."""
    table.to_csv(path, sep=";", index=False)


def write_gb18030(table, path):
    """Write GB18030 with CRLF."""
    table.to_csv(path, index=False, encoding="gb18030", lineterminator="\r\n")


def write_gzip(table, path):
    """Write a gzipped csv."""
    path.write_bytes(gzip.compress(table.to_csv(index=False).encode()))


def write_xlsx(table, path):
    """Write a title, a header over two rows, numbers as numbers and times as dates."""
    book = Workbook()
    sheet = book.active
    sheet.append(["Cases of March"])
    sheet.append([*table.columns[:6], "Place", "", *table.columns[8:]])
    sheet.append([""] * 6 + ["X", "Y"])
    for row in table.to_dict("records"):
        cells = dict(row)
        for name in TIMES:
            given = pd.to_datetime(cells[name], format="%d.%m.%Y %H:%M", errors="coerce")
            cells[name] = None if pd.isna(given) else given.to_pydatetime()
        for axis in ("X", "Y"):
            cells[axis] = float(cells[axis]) if cells[axis] else None
        sheet.append([value if value != "" else None for value in cells.values()])
        sheet.append([])  # blank rows between cases are no rows
    book.save(path)


def write_serial(table, path):
    """Write times as Excel serial days and texts in full width."""
    wide = str.maketrans({chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F)})
    changed = table.copy()
    for name in TIMES:
        given = pd.to_datetime(table[name], format="%d.%m.%Y %H:%M", errors="coerce")
        days = (given - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
        changed[name] = ["" if np.isnan(day) else repr(day) for day in days]
    for name in ("Ticket", "X", "Y", "Channel"):
        changed[name] = [text.translate(wide) for text in table[name]]
    changed.to_csv(path, index=False)


def write_html(table, path):
    """Write an HTML page as some platforms do for .xls."""
    path.write_text(f"<html><body><h1>Cases</h1>{table.to_html(index=False)}</body></html>")


def write_vector(table, path):
    """Write points with attributes; a shapefile cuts its headers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        points(table).to_file(path)


def write_parquet(table, path):
    """Write texts."""
    table.to_parquet(path)


def write_geoparquet(table, path):
    """Write points."""
    points(table).to_parquet(path)


FORMATS = {
    "a.csv": write_csv,
    "gb18030.csv": write_gb18030,
    "a.csv.gz": write_gzip,
    "a.xlsx": write_xlsx,
    "serial.csv": write_serial,
    "a.xls": write_html,
    "a.geojson": write_vector,
    "a.gpkg": write_vector,
    "a.shp": write_vector,
    "a.parquet": write_parquet,
    "geo.parquet": write_geoparquet,
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_holds_the_same_cases(name, toy, table, tmp_path):
    """After a csv, the same rows in another format change nothing: all are known already."""
    plain = tmp_path / "plain.csv"
    table.to_csv(plain, index=False)
    first = bring(toy, plain)
    digest = case_digest(toy)
    FORMATS[name](table, tmp_path / name)
    again = bring(toy, tmp_path / name)
    assert (again.rows_in, again.accepted) == (first.rows_in, first.accepted) == (282, 277)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 277)
    assert case_digest(toy) == digest


def test_another_order_gives_the_same_content(toy, table, tmp_path):
    """The content does not depend on the order of rows, nor on the number of files."""
    accepted = table.drop_duplicates("Ticket")
    accepted.to_csv(tmp_path / "all.csv", index=False)
    bring(toy, tmp_path / "all.csv")
    digest = case_digest(toy)
    halves = accepted.sample(frac=1, random_state=1)
    with toy.engine.begin() as tx:
        tx.exec_driver_sql("DELETE FROM core.case_record")
    for number, rows in enumerate((halves[:100], halves[100:])):
        rows.to_csv(tmp_path / f"{number}.csv", index=False)
        bring(toy, tmp_path / f"{number}.csv")
    assert case_digest(toy) == digest


def test_a_changed_row_is_an_update(toy, table, tmp_path):
    """Only the row that says something else changes; it is placed again."""
    table = table.drop_duplicates("Ticket")
    table.to_csv(tmp_path / "a.csv", index=False)
    bring(toy, tmp_path / "a.csv")
    changed = table.copy()
    changed.loc[0, ["X", "Y"]] = ["24.9616", "60.2947"]
    changed.to_csv(tmp_path / "b.csv", index=False)
    result = bring(toy, tmp_path / "b.csv")
    assert (result.inserted, result.updated) == (0, 1)
    assert result.unchanged == result.accepted - 1


def test_a_dry_run_stores_nothing(toy, table, tmp_path):
    """A dry run says what would happen, writes the rejects and leaves the database as it was."""
    table.to_csv(tmp_path / "a.csv", index=False)
    empty = case_digest(toy)
    result = bring(toy, tmp_path / "a.csv", dry_run=True)
    assert (result.accepted, result.rejected, result.inserted) == (277, 5, 277)
    assert Path(result.rejects_file).exists()
    assert case_digest(toy) == empty
    with toy.engine.begin() as tx:
        assert tx.exec_driver_sql("SELECT count(*) FROM core.import_file").scalar() == 0
        assert tx.exec_driver_sql("SELECT synthetic FROM core.city").scalar() is None


def test_progress_counts_rows_of_the_total(toy, table, tmp_path):
    """The bar hears the rows read of all rows of the file, and the steps after it."""
    table.to_csv(tmp_path / "a.csv", index=False)
    heard = []
    import_cases(
        toy,
        tmp_path / "a.csv",
        ImportRequest(crs="wgs84", rejects=tmp_path / "r.csv"),
        progress=lambda step, rows, total: heard.append((step, rows, total)),
    )
    assert heard == [
        ("checking", 0, 0), ("reading", 282, 282), ("placing", 282, 282), ("storing", 282, 282),
    ]  # fmt: skip
