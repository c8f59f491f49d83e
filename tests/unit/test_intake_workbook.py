"""Workbooks: xlsx, xls, HTML and text saved as .xls (电子表格)."""

from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from gridgis.errors import SchemaError
from gridgis.intake.reader import open_table

OFFICE = Path(__file__).resolve().parents[1] / "data" / "office"


def rows_of(path, **options):
    """Return the headers and all rows of a table."""
    table = open_table(path, **options)
    rows = [
        tuple(row.values())
        for chunk in table.chunks(table.headers)
        for row in chunk.table.to_pylist()
    ]
    return table.headers, rows


def saved(path, *rows, merged=()):
    """Write an xlsx of one sheet."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for area in merged:
        book.active.merge_cells(area)
    book.save(path)
    return path


def test_cells_become_texts(tmp_path):
    """Whole numbers have no decimal point, dates are ISO, flags are words, empty is empty."""
    path = saved(
        tmp_path / "a.xlsx",
        ["a", "b", "c", "d", "e", "f"],
        [530102001001001, 102.7183, datetime(2024, 11, 5, 8, 30), date(2024, 11, 5), True, None],  # noqa: DTZ001
    )
    expected = ("530102001001001", "102.7183", "2024-11-05 08:30:00", "2024-11-05", "true", "")
    assert rows_of(path)[1] == [expected]


def test_numbers_beyond_fifteen_digits_stay_scientific(tmp_path):
    """A number of which Excel has lost digits is seen to be one."""
    path = saved(tmp_path / "a.xlsx", ["a"], [1234567890123456], [5.3e20])
    assert rows_of(path)[1] == [("1.23456789012346E+15",), ("5.30000000000000E+20",)]


def test_title_and_merged_header_of_xlsx(tmp_path):
    """A merged title is skipped and a header merged over two rows read by its lower cells."""
    path = saved(
        tmp_path / "a.xlsx",
        ["案件一览表", None, None],
        ["编号", "坐标", None],
        [None, "经度", "纬度"],
        ["A1", 102.7, 25.01],
        merged=("A1:C1", "A2:A3", "B2:C2"),
    )
    headers, rows = rows_of(path, wanted=["编号", "经度", "纬度"])
    assert headers == ("编号", "经度", "纬度")
    assert rows == [("A1", "102.7", "25.01")]


def test_real_xls_with_merged_header_and_dates():
    """A BIFF8 workbook is read like an xlsx; a date cell is a date, a serial day a number."""
    headers, rows = rows_of(OFFICE / "cases.xls")
    assert headers[:3] == ("Ticket", "Kind", "Channel")
    assert [row[-1] for row in rows] == [
        "05.03.2024 08:30", "2024-03-05 08:30:00", "06.03.2024 10:00",
    ]  # fmt: skip


def test_html_saved_as_xls(tmp_path):
    """An HTML page called .xls gives its largest table; merged cells keep their places."""
    page = (
        "<html><meta charset='gb2312'><table><tr><td>菜单</table><table>"
        "<tr><th rowspan=2>编号</th><th colspan=2>坐标</th><th rowspan=2>地址</th></tr>"
        "<tr><th>经度</th><th>纬度</th></tr>"
        "<tr><td>A1</td><td>102.7</td><td>25.01</td><td>北京路<br>1 号</td></tr></table></html>"
    )
    path = tmp_path / "a.xls"
    path.write_bytes(page.encode("gb18030"))
    headers, rows = rows_of(path, wanted=["编号", "经度", "纬度", "地址"], language="zh-CN")
    assert headers == ("编号", "经度", "纬度", "地址")
    assert rows == [("A1", "102.7", "25.01", "北京路1 号")]


def test_text_saved_as_xls(tmp_path):
    """Tab-separated text called .xls is read as text."""
    path = tmp_path / "a.xls"
    path.write_bytes("编号\t地址\nA1\t北京路\n".encode("utf-16"))
    assert rows_of(path) == (("编号", "地址"), [("A1", "北京路")])


def test_a_page_without_a_table_is_refused(tmp_path):
    """An HTML page called .xls that holds no table says so."""
    path = tmp_path / "a.xls"
    path.write_text("<html><body>Please sign in</body></html>")
    with pytest.raises(SchemaError, match="HTML page without a table"):
        open_table(path)


def test_protected_workbooks_are_named(tmp_path):
    """Encrypted xlsx and password-protected xls say that they are protected."""
    with pytest.raises(SchemaError, match="protected by a password"):
        open_table(OFFICE / "protected.xlsx")
    xls = tmp_path / "a.xls"
    interface_header, file_pass = b"\xe1\x00\x02\x00\xb0\x04", b"\x2f\x00\x02\x00\x01\x00"
    xls.write_bytes((OFFICE / "cases.xls").read_bytes().replace(interface_header, file_pass))
    with pytest.raises(SchemaError, match="protected by a password"):
        open_table(xls)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("name", ["cases.xls", "whole.xlsx"])
def test_damaged_workbooks_are_refused(name, kept, tmp_path):
    """A truncated workbook is a readable error, also where the reader itself gives up."""
    whole = OFFICE / name
    if name == "whole.xlsx":
        whole = saved(tmp_path / name, ["a"], *([n] for n in range(500)))
    content = whole.read_bytes()
    path = tmp_path / f"cut-{name}"
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(SchemaError, match=r"not readable as a workbook|is empty"):
        open_table(path)


def test_a_sheet_is_chosen_by_name(tmp_path):
    """`sheet` picks one; a name that is not there lists those that are."""
    book = Workbook()
    book.active.append(["a"])
    book.active.append(["1"])
    other = book.create_sheet("案件")
    other.append(["b"])
    other.append(["2"])
    book.save(tmp_path / "a.xlsx")
    assert rows_of(tmp_path / "a.xlsx", sheet="案件") == (("b",), [("2",)])
    with pytest.raises(SchemaError, match=r"no sheet 'x'; it has Sheet, 案件"):
        open_table(tmp_path / "a.xlsx", sheet="x")


def test_an_empty_sheet_is_refused(tmp_path):
    """A workbook without a single cell says that it is empty."""
    Workbook().save(tmp_path / "a.xlsx")
    with pytest.raises(SchemaError, match="the file is empty"):
        open_table(tmp_path / "a.xlsx")
