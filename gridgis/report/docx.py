"""
The report as DOCX in the official layout after GB/T 9704, to be edited (公文稿).

Text, headings, tables and captions are such in the file too. Styles, fonts and the page are the
XML files of `templates/docx/`; a font that is missing has a substitute named there.
"""

from __future__ import annotations

import re
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

from docx import Document
from docx.oxml.ns import qn
from docx.oxml.parser import OxmlElement
from docx.shared import Emu, Mm, Pt

from gridgis.model.report import Paragraph, Table
from gridgis.report.archive import members, zipped
from gridgis.report.arrangement import arranged, definitions
from gridgis.report.plain import (
    clean,
    form_words,
    is_brief,
    is_marked,
    is_number,
    issue_line,
    made_at,
    text_width,
    titles,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from docx.document import Document as Docx
    from docx.oxml.xmlchemy import BaseOxmlElement
    from docx.section import _Footer, _Header
    from docx.text.paragraph import Paragraph as DocxParagraph

    from gridgis.model.report import ReportModel
    from gridgis.report.arrangement import Placed
    from gridgis.report.canvas import Picture
    from gridgis.report.plain import FormWords

TEXT_WIDTH_TWIPS = round(156 / 25.4 * 1440)
TEXT_WIDTH, HIGHEST = Mm(156), Mm(200)
PARTS = {
    "[Content_Types].xml": "content_types.xml",
    "_rels/.rels": "package_rels.xml",
    "docProps/core.xml": "core.xml",
    "word/document.xml": "document.xml",
    "word/_rels/document.xml.rels": "document_rels.xml",
    "word/styles.xml": "styles.xml",
    "word/settings.xml": "settings.xml",
    "word/fontTable.xml": "fontTable.xml",
}
BRIEF_TYPE = (Pt(14), Pt(22))
"""Size and line spacing of the text of a brief: it fits on its page or two."""
TABLE_STYLES = (
    (8, "TableText", 10.5, 85), (12, "TableTextSmall", 9.0, 60), (9999, "TableTextTiny", 7.0, 30),
)  # fmt: skip
"""Up to how many columns a table has which style, size in points and padding in twips."""
MOST_KEPT, KEPT_ROWS = 10, 2
"""A table of so few rows stays on one page; of others, no fewer stand alone at its ends."""
NARROWEST, HEAD_PART, WIDEST = 6, 8, 28
"""Widths of texts in half-width characters: what one may break into, and heads."""
LATIN_SLACK = 1.45
"""Digits of substitute fonts are wider than half a Chinese character."""
NAMED_FIGURES = 3
_LEAD = re.compile(r"（[一二三四五六七八九十]+）[^。\n]{1,30}。")
"""How a paragraph begins whose first sentence is a heading of the second level."""


def report_docx(model: ReportModel, pictures: Mapping[str, Picture]) -> bytes:
    """Return the report as DOCX (公文稿); equal reports give equal bytes."""
    say = form_words(model.language)
    document = Document(BytesIO(_base()))
    if is_brief(model):
        text = document.styles["Normal"]
        text.font.size, text.paragraph_format.line_spacing = BRIEF_TYPE
    _describe(document, model)
    _running(document, model, say)
    _head(document, model, say)
    for part in arranged(model, say):
        if part.section.title:
            document.add_paragraph(clean(part.section.title), "heading 1")
        for placed in part.blocks:
            _block(document, placed, pictures, say)
    _changes(document, model, say)
    _annex(document, model, say)
    content = BytesIO()
    document.save(content)
    return zipped(members(content.getvalue()))


def _base() -> bytes:
    folder = files("gridgis.report") / "templates" / "docx"
    return zipped({name: (folder / file).read_bytes() for name, file in PARTS.items()})


def _describe(document: Docx, model: ReportModel) -> None:
    told = document.core_properties
    told.title = clean(model.title)
    told.subject = model.month
    told.language = model.language
    told.keywords = clean(model.notice)
    told.created = told.modified = made_at(model)


def _running(document: Docx, model: ReportModel, say: FormWords) -> None:
    """Set the label of synthetic data and the page number on every page, odd and even."""
    section = document.sections[0]
    draft = model.issue is not None and model.issue.status == "draft"
    label = f"{say('issue.draft') if draft else ''}\t{clean(model.notice)}"
    for header in (section.header, section.even_page_header):
        _filled(header).add_run(label)
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        paragraph = _filled(footer)
        indent = {"w:rightChars": "100", "w:right": "280"}
        if side == "left":
            indent = {"w:leftChars": "100", "w:left": "280"}
        properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - python-docx has no such option
        properties.append(_element("w:ind", {**indent, "w:firstLineChars": "0"}))
        properties.append(_element("w:jc", {"w:val": side}))
        paragraph.add_run("— ")
        paragraph._p.append(_field("PAGE"))  # noqa: SLF001
        paragraph.add_run(" —")


def _filled(part: _Header | _Footer) -> DocxParagraph:
    part.is_linked_to_previous = False
    first: DocxParagraph = part.paragraphs[0]
    return first


def _head(document: Docx, model: ReportModel, say: FormWords) -> None:
    if model.notice:
        document.add_paragraph(clean(model.notice), "Notice")
    if model.issue and model.issue.status == "draft":
        document.add_paragraph(say("issue.draft"), "Status")
    title, subtitle = titles(model, say)
    document.add_paragraph(clean(title), "Title")
    for text, style in ((subtitle, "Subtitle"), (issue_line(model, say), "Issue")):
        if text:
            document.add_paragraph(clean(text), style)
    if model.issue and model.issue.changes:
        told = say("changes.count", count=len(model.issue.changes))
        document.add_paragraph(told, "Issue")


def _block(document: Docx, placed: Placed, pictures: Mapping[str, Picture], say: FormWords) -> None:
    block = placed.block
    if isinstance(block, Paragraph):
        _text(document, block, say)
        return
    if isinstance(block, Table):
        document.add_paragraph(placed.caption, "caption")
        document.element.body.insert_element_before(_table(block, say), "w:sectPr")
        document.add_paragraph(clean(block.note), "Note")
        return
    _picture(document, pictures[block.key])
    document.add_paragraph(placed.caption, "Figure Caption")
    if block.note:
        document.add_paragraph(clean(block.note), "Note")


def _text(document: Docx, block: Paragraph, say: FormWords) -> None:
    """Add the lines of a paragraph; a first sentence that is a heading looks like one."""
    for number, line in enumerate(clean(block.shown).splitlines() or [""]):
        paragraph = document.add_paragraph(style="Placeholder" if block.placeholder else "Normal")
        if block.placeholder and not number and not is_marked(line):
            paragraph.add_run(f"[{say('placeholder')}] ", "Mark")
        lead = _LEAD.match(line)
        if lead:
            paragraph.add_run(lead[0], "Lead")
        paragraph.add_run(line[lead.end() if lead else 0 :])


def _picture(document: Docx, picture: Picture) -> None:
    height = TEXT_WIDTH * picture.height / picture.width
    scale = min(1.0, HIGHEST / height)
    run = document.add_paragraph(style="Picture").add_run()
    shape = run.add_picture(BytesIO(picture.png), width=Emu(round(TEXT_WIDTH * scale)))
    shape._inline.docPr.set("descr", picture.alt)  # noqa: SLF001 - python-docx has no such option


def _changes(document: Docx, model: ReportModel, say: FormWords) -> None:
    if model.issue and model.issue.changes:
        document.add_paragraph(say("changes.title"), "heading 1")
        for number, change in enumerate(model.issue.changes, 1):
            document.add_paragraph(f"{number}. {clean(change)}", "Definition")


def _annex(document: Docx, model: ReportModel, say: FormWords) -> None:
    known = definitions(model)
    if is_brief(model):
        document.add_paragraph(say("annex.elsewhere"), "Note")
        return
    if not known:
        return
    document.add_paragraph(say("annex.title"), "heading 1")
    for number, entry in enumerate(known, 1):
        labels = say("list.comma").join(figure.label for figure in entry.figures[:NAMED_FIGURES])
        applies = say("annex.applies", labels=labels, count=len(entry.figures))
        document.add_paragraph(f"{number}. {clean(entry.text)}（{clean(applies)}）", "Definition")


def _table(table: Table, say: FormWords) -> BaseOxmlElement:
    """Return a table whose header repeats and whose rows do not break across pages."""
    _, style, size_pt, padding = next(s for s in TABLE_STYLES if len(table.columns) <= s[0])
    widths = _widths(table, size_pt, 2 * padding)
    made = _element("w:tbl")
    made.append(_element("w:tblPr", {}, [
        _element("w:tblStyle", {"w:val": "TableGrid"}),
        _element("w:tblW", {"w:w": str(TEXT_WIDTH_TWIPS), "w:type": "dxa"}),
        _element("w:jc", {"w:val": "center"}),
        _element("w:tblLayout", {"w:type": "fixed"}),
        _element("w:tblCellMar", {}, [
            _element(f"w:{side}", {"w:w": str(padding), "w:type": "dxa"})
            for side in ("left", "right")
        ]),
    ]))  # fmt: skip
    made.append(_element("w:tblGrid", {}, [_element("w:gridCol", {"w:w": str(w)}) for w in widths]))
    made.append(_row(table.columns, widths, style, head=True, keep=True))
    first_total = len(table.rows) - table.total_rows
    whole = len(table.rows) <= MOST_KEPT
    for number, row in enumerate(table.rows):
        texts = [cell.text for cell in row] + [""] * (len(widths) - len(row))
        bold, left = number >= first_total, len(table.rows) - number - 1
        keep = left > 0 and (whole or number < KEPT_ROWS or left < KEPT_ROWS)
        made.append(_row(texts, widths, style, bold=bold, keep=keep))
    if not table.rows:
        made.append(_row([say("table.empty")], [sum(widths)], style, spanned=len(widths)))
    return made


def _widths(table: Table, size_pt: float, padding: int) -> list[int]:
    """
    Return the widths of the columns in twips, together the width of the text.

    First each column gets what its longest number needs, which must not break; what is left goes
    where texts are longest.
    """
    half = size_pt * 10  # twips of a half-width character
    least, wanted = [], []
    for number, name in enumerate(table.columns):
        texts = [row[number].text for row in table.rows if number < len(row)]
        figures = [LATIN_SLACK * text_width(text) for text in texts if is_number(text)]
        longest = max(map(text_width, [name, *texts]))
        low = max(*figures, min(longest, NARROWEST), min(text_width(name), HEAD_PART), 1)
        least.append(low * half + padding)
        wanted.append(max(low, min(LATIN_SLACK * longest, WIDEST)) * half + padding)
    spare = TEXT_WIDTH_TWIPS - sum(least)
    more = [high - low for low, high in zip(least, wanted, strict=True)]
    if spare > 0 and sum(more) > spare:
        least = [low + spare * part / sum(more) for low, part in zip(least, more, strict=True)]
    elif spare > 0:
        least = wanted
    scale = TEXT_WIDTH_TWIPS / sum(least)
    widths = [round(width * scale) for width in least]
    widths[-1] += TEXT_WIDTH_TWIPS - sum(widths)
    return widths


def _row(
    texts: Sequence[str], widths: Sequence[int], style: str, *, head: bool = False,
    bold: bool = False, keep: bool = False, spanned: int = 1,
) -> BaseOxmlElement:  # fmt: skip
    row = _element("w:tr")
    properties = _element("w:trPr", {}, [_element("w:cantSplit")])
    if head:
        properties.append(_element("w:tblHeader"))
    row.append(properties)
    for text, width in zip(texts, widths, strict=True):
        cell_properties = [_element("w:tcW", {"w:w": str(width), "w:type": "dxa"})]
        if spanned > 1:
            cell_properties.append(_element("w:gridSpan", {"w:val": str(spanned)}))
        cell_properties.append(_element("w:vAlign", {"w:val": "center"}))
        cell = _element("w:tc", {}, [_element("w:tcPr", {}, cell_properties)])
        look = "TableHead" if head else "Strong" if bold else ""
        cell.append(_cell_text(clean(text), style, look=look, keep=keep))
        row.append(cell)
    return row


def _cell_text(text: str, style: str, *, look: str, keep: bool) -> BaseOxmlElement:
    properties = [_element("w:pStyle", {"w:val": style})]
    if keep:  # on the page of the next row
        properties.append(_element("w:keepNext"))
    if is_number(text) and look != "TableHead":
        properties.append(_element("w:jc", {"w:val": "right"}))
    paragraph = _element("w:p", {}, [_element("w:pPr", {}, properties)])
    run = _element("w:r")
    if look:
        run.append(_element("w:rPr", {}, [_element("w:rStyle", {"w:val": look})]))
    shown = _element("w:t", {qn("xml:space"): "preserve"})
    shown.text = text.replace("\n", " ").replace("\t", " ")
    run.append(shown)
    paragraph.append(run)
    return paragraph


def _field(name: str) -> BaseOxmlElement:
    shown = _element("w:t")
    shown.text = "1"
    return _element("w:fldSimple", {"w:instr": name}, [_element("w:r", {}, [shown])])


def _element(
    tag: str, attributes: Mapping[str, str] | None = None,
    children: Sequence[BaseOxmlElement] = (),
) -> BaseOxmlElement:  # fmt: skip
    """Return an XML element of the word processing namespace."""
    made: BaseOxmlElement = OxmlElement(tag)
    for name, value in (attributes or {}).items():
        made.set(qn(name) if name.startswith("w:") else name, value)
    for child in children:
        made.append(child)
    return made
