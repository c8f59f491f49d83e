"""What is written out imports again and says the same (台账导出与再导入)."""

from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from gridgis.errors import InputError, LimitExceeded, NotFoundError
from gridgis.services import handout
from gridgis.services.context import open_context
from gridgis.services.handout import hand_out, save_table
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file
from gridgis.store.engine import begin
from gridgis.store.ledger import ledger_digest

RECORDS = {
    "events": "Case number,Accepted,Filed,Dispatched,Disposed,Checked,Closed,Due,Check result\n"
    "{0},2024-03-05 09:00,2024-03-05 09:10,2024-03-05 10:00,2024-03-07 08:00,2024-03-07 09:00,"
    "2024-03-07 10:00,2024-03-08 10:00,pass\n"
    "{1},2024-03-05 09:00:00.25,2024-03-05 09:10,,,,,,\n",
    "event-log": "Case number,Stage,Time,Due,Check result\n"
    "{0},returned,2024-03-05 11:00,,\n{0},dispatched,2024-03-05 12:00,,\n"
    "{0},disposed,2024-03-06 08:00,,\n{0},checked,2024-03-06 09:00,,substandard\n"
    "{1},extended,2024-03-05 13:00,2024-03-09 10:00,\n",
    "tasks": "Task number,Case number,Dispatch due,Dispatched,Rework,After a hand-back\n"
    "K-1,{0},2024-03-05 11:00,2024-03-05 10:00,no,yes\nK-2,{1},2024-03-05 11:00,,no,no\n",
    "complaints": "Complaint number,Case number,Source,Complained,Response due,Responded,"
    "Stated region\nC-1,{0},phone,2024-03-05 08:00,2024-03-06 08:00,,North Side\n"
    "C-2,,app,2024-03-05 08:00,,,=1+1\n",
    "callbacks": "Complaint number,Called,Disposed,Satisfied\nC-1,2024-03-07 08:00,yes,\n",
    "whistles": "Whistle number,Level,Stated region,Blown,Title\n"
    "W-1,street,North Side,2024-03-05 08:00,@Manhole\n",
    "checks": "Case number,Checked,Result,Problem\n{0},2024-03-05 08:00,substandard,dirty\n",
}
KINDS = ("cases", "events", "tasks", "complaints", "callbacks", "whistles", "checks")


SAID = """
SELECT case_no, subcategory_code, source, description, address_text, stated_region, region_code,
    cell_code, no_cell_reason, street_code, ST_AsText(geom, 9) AS point, self_handled, is_key,
    reported_at, accepted_at, filed_at, dispatched_at, due_at, disposed_at, checked_at,
    check_result, closed_at, voided_at, suspended_at, status
FROM core.case_record ORDER BY case_no
"""


@pytest.fixture(scope="module")
def full(cluster, loaded_template, tmp_path_factory):
    """Return the loaded toy city with records of every kind."""
    folder = tmp_path_factory.mktemp("records")
    name = cluster.clone(loaded_template)
    context = open_context(cluster.settings(name))
    with begin(context.engine) as tx:
        cases = list(
            tx.scalars(
                text("""
            SELECT case_no FROM core.case_record
            WHERE NOT self_handled AND reported_at < '2024-03-05' AND voided_at IS NULL
            ORDER BY case_no LIMIT 2""")
            )
        )
    for mapping, content in RECORDS.items():
        path = folder / f"{mapping}.csv"
        path.write_text(content.format(*cases))
        kind = "events" if mapping == "event-log" else mapping
        request = ImportRequest(kind=kind, mapping=mapping, synthetic=True)
        assert import_file(context, path, request).rejected == 0
    yield context
    context.engine.dispose()
    cluster.drop(name)


def said(context):
    """Return all that the cases of a city say, and a hash over its records."""
    with begin(context.engine) as tx:
        return [tuple(row) for row in tx.execute(text(SAID))], ledger_digest(tx)


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_what_is_written_imports_again(suffix, full, toy, tmp_path):
    """An empty city that imports the files by the standard mapping holds the same."""
    for kind in KINDS:
        for path, rows in hand_out(full, kind, tmp_path / f"{kind}{suffix}"):
            request = ImportRequest(kind=kind, mapping="standard", synthetic=True)
            result = import_file(toy, path, request)
            assert (result.rows_in, result.rejected) == (rows, 0)
    assert said(toy) == said(full)


def test_a_full_workbook_goes_on_in_the_next(full, tmp_path, monkeypatch):
    """No row is lost at the border of a sheet, and each part has the header."""
    monkeypatch.setattr(handout, "XLSX_ROWS", 100)
    files = hand_out(full, "cases", tmp_path / "cases.xlsx")
    assert [path.name for path, _ in files] == ["cases.xlsx", "cases-2.xlsx", "cases-3.xlsx"]
    assert [rows for _, rows in files] == [100, 100, 77]
    second = load_workbook(files[1][0]).active
    assert second.cell(1, 1).value == "Case number"


def test_only_a_month_is_written(full, tmp_path):
    """A month holds the cases that count in it; one without any is an error."""
    ((_, rows),) = hand_out(full, "cases", tmp_path / "march.csv", month="2024-03")
    assert rows == 271
    with pytest.raises(NotFoundError, match="there are no cases of 2031-01"):
        hand_out(full, "cases", tmp_path / "none.csv", month="2031-01")
    assert not (tmp_path / "none.csv").exists()


def test_a_text_that_no_workbook_holds(tmp_path):
    """Control characters are left out; a text that is too long is refused, not cut."""
    zone = ZoneInfo("Europe/Helsinki")
    path = tmp_path / "a.xlsx"
    assert save_table(path, ["a"], [["x\x01y"]], zone=zone, synthetic=False) == 1
    assert load_workbook(path).active.cell(2, 1).value == "xy"
    with pytest.raises(LimitExceeded, match=r"name a \.csv file"):
        save_table(path, ["a"], [["x" * 40_000]], zone=zone, synthetic=False)


def test_other_files_and_kinds_are_refused(full, tmp_path):
    """What cannot be written is said before anything is."""
    with pytest.raises(InputError, match="expected a file that ends in"):
        hand_out(full, "cases", tmp_path / "cases.json")
    with pytest.raises(InputError, match="kind 'case'"):
        hand_out(full, "case", tmp_path / "cases.csv")
