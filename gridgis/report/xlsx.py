"""
The report as a workbook: a sheet per table, then every figure with its parts (电子表格).

Numbers are numbers as the report prints them, everything else is text: nothing is a formula.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.header_footer import HeaderFooter, HeaderFooterItem
from openpyxl.worksheet.properties import PageSetupProperties

from gridgis.model.figures import plain
from gridgis.report.archive import members, zipped
from gridgis.report.arrangement import tables
from gridgis.report.plain import clean, form_words, is_number, issue_line, made_at, text_width

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from openpyxl.cell import Cell as SheetCell
    from openpyxl.worksheet.worksheet import Worksheet

    from gridgis.model.figures import Figure
    from gridgis.model.report import Cell, ReportModel, Section, Table
    from gridgis.report.plain import FormWords

CHARACTERS = 32_767
"""What a cell holds."""
LONGEST_NAME = 31
EXACT_DIGITS = 15
"""A spreadsheet keeps so many digits of a number; a longer one is a code."""
FORMULA = "=+-@\t\r＝＋－＠"
NARROWEST, WIDEST = 6, 60
FIGURE_COLUMNS = (
    "key", "label", "numerator", "denominator", "value", "unit", "text", "definition"
)  # fmt: skip
_FORBIDDEN_NAME = re.compile(r"[\[\]:*?/\\'\t\n]")
_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}_)")
"""What a spreadsheet would read as the number of a character."""
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
_HEAD = PatternFill("solid", fgColor="E9EEF0")
_NOTICE = Font(bold=True, color="A3130A")
_THIN = Side(style="thin", color="595959")
_FRAME = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)


@dataclass(frozen=True, slots=True)
class Printed:
    """A number and the format in which it reads as the report prints it."""

    number: float
    look: str
    text: str

    def __str__(self) -> str:
        """Return the number as it is printed."""
        return self.text


def report_xlsx(model: ReportModel) -> bytes:
    """Return the report as a workbook (电子表格); equal reports give equal bytes."""
    say = form_words(model.language)
    book = Workbook()
    contents = book.active
    assert contents is not None  # noqa: S101 - a new workbook has one sheet
    names = {say("sheet.contents").lower(), say("sheet.figures").lower()}
    contents.title = say("sheet.contents")
    listed: list[tuple[str, str, str]] = []
    for section, table, caption in tables(model, say):
        name = _sheet_name(table.title or table.key, names)
        _table_sheet(book.create_sheet(name), model, section, table, caption)
        listed.append((name, caption, section.title))
    _figures_sheet(book.create_sheet(say("sheet.figures")), model, say)
    listed.append((say("sheet.figures"), say("sheet.figures"), ""))
    _contents_sheet(contents, model, listed, say)
    return _settled(book, model)


def _settled(book: Workbook, model: ReportModel) -> bytes:
    """Return the file with the time of the report in place of the time of now."""
    created = made_at(model).replace(tzinfo=None)
    book.properties.creator = "gridgis"
    book.properties.title = clean(model.title)
    book.properties.created = created
    content = BytesIO()
    book.save(content)
    parts = members(content.getvalue())
    stamp = f"{created:%Y-%m-%dT%H:%M:%SZ}".encode()
    parts["docProps/core.xml"] = _MODIFIED.sub(rb"\g<1>" + stamp, parts["docProps/core.xml"])
    return zipped(parts)


def _contents_sheet(
    sheet: Worksheet, model: ReportModel, listed: list[tuple[str, str, str]], say: FormWords
) -> None:
    top = _head(sheet, model, [model.title, say.month(model.month), issue_line(model, say)])
    heads = [say("sheet.sheet"), say("sheet.table"), say("sheet.section")]
    rows: list[list[object]] = [list(row) for row in listed]
    _grid(sheet, top, heads, rows)
    for number, (name, *_) in enumerate(listed, top + 1):
        cell = sheet.cell(number, 1)
        quoted = name.replace("'", "''")
        cell.hyperlink = f"#'{quoted}'!A1"
        cell.font = Font(color="0B57D0", underline="single")
    if model.issue and model.issue.changes:
        start = top + len(listed) + 2
        _grid(sheet, start, [say("changes.title")], [[change] for change in model.issue.changes])


def _table_sheet(
    sheet: Worksheet, model: ReportModel, section: Section, table: Table, caption: str
) -> None:
    top = _head(sheet, model, [caption, section.title])
    rows = [[_cell_value(cell) for cell in row] for row in table.rows]
    _grid(sheet, top, list(table.columns), rows)
    for number in range(len(rows) - table.total_rows, len(rows)):
        for cell in sheet[top + 1 + number]:
            cell.font = Font(bold=True)
    if table.note:
        _write(sheet, top + len(rows) + 2, 1, table.note)


def _figures_sheet(sheet: Worksheet, model: ReportModel, say: FormWords) -> None:
    top = _head(sheet, model, [say("sheet.figures")])
    rows = [_figure_row(figure, model.texts, say) for figure in model.figures.values()]
    _grid(sheet, top, [say(f"sheet.{name}") for name in FIGURE_COLUMNS], rows)
    last = get_column_letter(len(FIGURE_COLUMNS))
    sheet.auto_filter.ref = f"A{top}:{last}{top + len(rows)}"


def _figure_row(figure: Figure, texts: Mapping[str, str], say: FormWords) -> list[object]:
    return [
        figure.key, figure.label, plain(figure.numerator),
        None if figure.denominator is None else plain(figure.denominator),
        None if figure.value is None else float(figure.value),
        say(f"unit.{figure.unit}"), texts[figure.key], figure.definition,
    ]  # fmt: skip


def _head(sheet: Worksheet, model: ReportModel, lines: Sequence[str]) -> int:
    """Write the label of synthetic data and the titles; return the row of the table's head."""
    row = 1
    if model.notice:
        _write(sheet, row, 1, model.notice).font = _NOTICE
        row += 1
    for line in filter(None, lines):
        _write(sheet, row, 1, line).font = Font(bold=row <= 2)  # noqa: PLR2004 - the title
        row += 1
    notice = clean(model.notice).replace("&", "&&")
    sheet.HeaderFooter = HeaderFooter(oddHeader=_centred(notice), oddFooter=_centred("— &P —"))
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    return row + 1


def _centred(text: str) -> HeaderFooterItem:
    item = HeaderFooterItem()
    item.center.text = text
    return item


def _grid(
    sheet: Worksheet, top: int, heads: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    """Write a head and rows with frames; the head stays in sight and on every page."""
    for column, head in enumerate(heads, 1):
        cell = _write(sheet, top, column, head)
        cell.font, cell.fill, cell.border = Font(bold=True), _HEAD, _FRAME
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    for number, row in enumerate(rows, top + 1):
        for column, value in enumerate(row, 1):
            cell = _write(sheet, number, column, value)
            cell.border = _FRAME
            cell.alignment = Alignment(vertical="top", wrap_text=isinstance(value, str))
    for column, head in enumerate(heads, 1):
        texts = [head, *(str(row[column - 1]) for row in rows if len(row) >= column)]
        letter = get_column_letter(column)
        width = max(text_width(text) for text in texts) + 2
        known = sheet.column_dimensions[letter].width if letter in sheet.column_dimensions else 0
        sheet.column_dimensions[letter].width = max(known, min(max(width, NARROWEST), WIDEST))
    if sheet.freeze_panes is None:
        sheet.freeze_panes = f"A{top + 1}"
        sheet.print_title_rows = f"{top}:{top}"


def _write(sheet: Worksheet, row: int, column: int, value: object) -> SheetCell:
    """Write a number as such and everything else as text that is never a formula."""
    cell: SheetCell = sheet.cell(row, column)  # type: ignore[assignment]
    match value:
        case Printed():
            cell.value, cell.number_format = value.number, value.look
        case int() | float():
            cell.value = value
        case None | "":
            pass
        case _:
            text = clean(str(value))[:CHARACTERS]
            cell.value = _ESCAPE.sub("_x005F_", text)
            cell.data_type = "s"
            cell.quotePrefix = text.startswith(tuple(FORMULA))
    return cell


def _cell_value(cell: Cell) -> object:
    """Return the number that a cell prints, if it is a figure; codes and names stay text."""
    text = cell.text.replace("−", "-")
    digits = sum(char.isdigit() for char in text)
    if cell.figure is None or not is_number(text) or not 0 < digits <= EXACT_DIGITS:
        return cell.text
    bare = text.rstrip("%").replace(",", "")
    decimals = len(bare.partition(".")[2])
    look = ("#,##0" if "," in text else "0") + (f".{'0' * decimals}" if decimals else "")
    if text.endswith("%"):
        return Printed(float(Decimal(bare) / 100), f"{look}%", text)
    return Printed(float(bare) if decimals else int(bare), look, text)


def _sheet_name(title: str, taken: set[str]) -> str:
    """Return a name that a sheet can have and no other has yet."""
    whole = _FORBIDDEN_NAME.sub(" ", clean(title)).strip() or "-"
    for number in range(1, len(taken) + 2):
        tail = f" {number}" if number > 1 else ""
        name = f"{whole[: LONGEST_NAME - len(tail)].rstrip()}{tail}"
        if name.lower() not in taken:
            taken.add(name.lower())
            return name
    raise AssertionError(title)  # pragma: no cover - one of n + 1 names is free
