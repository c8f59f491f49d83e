"""PDF, DOCX and XLSX of a report: everything is in them, and nothing else happens."""

import importlib.util
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import docx
import pytest
from docx.oxml.ns import qn
from openpyxl import load_workbook

from gridgis.model.report import Cell, Chart, Paragraph, Section, Table
from gridgis.report import charts, forms
from gridgis.report.arrangement import arranged
from gridgis.report.pdf import Enclosed
from gridgis.report.plain import clean, form_words
from gridgis.report.xlsx import report_xlsx

SAMPLE = Path(__file__).parents[1] / "data" / "report" / "sample_model.py"
SAY = form_words("zh-CN")
FOLDED = re.compile(r"\s+")


@pytest.fixture(scope="module")
def sample():
    """Return the module that makes report models by hand."""
    spec = importlib.util.spec_from_file_location("sample_model", SAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def model(sample):
    """Return the sample with a section of hostile texts."""
    return sample.sample_model(hostile=True)


@pytest.fixture(scope="module")
def made(model, sample):
    """Return the office forms of the model."""
    return forms.report_forms(model, sample.sample_shapes(), ["pdf", "docx", "xlsx"])


@pytest.fixture(scope="module")
def pdf(made, tmp_path_factory):
    """Return the path of the PDF."""
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    path.write_bytes(made["pdf"])
    return path


@pytest.fixture(scope="module")
def document(made):
    """Return the DOCX as python-docx reads it."""
    return docx.Document(BytesIO(made["docx"]))


def run(*command):
    """Return what a program says."""
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    return done.stdout


def folded(text):
    """Return a text without white space: PDFs break lines anywhere."""
    return FOLDED.sub("", text)


def blocks_of(model, kind):
    """Return the blocks of a kind."""
    return [b for s in model.sections for b in s.blocks if isinstance(b, kind)]


def printed_rows(table):
    """Return the rows of a table as they are printed."""
    return [[folded(clean(cell.text)) for cell in row] for row in table.rows]


def all_texts(model):
    """Yield every text of a report that a reader sees."""
    yield model.title
    for section in model.sections:
        yield section.title
        for block in section.blocks:
            if isinstance(block, Paragraph):
                yield block.shown
            elif isinstance(block, Table):
                yield from (block.title, *block.columns, block.note)
                yield from (cell.text for row in block.rows for cell in row)
            else:
                yield from (block.title, block.note)
    yield from (figure.definition for figure in model.figures.values())


def as_printed(text):
    """Return a text as it is read back from paper: what no font has is a geta mark."""
    return folded(clean(text)).replace("😀", "〓")


def test_the_pdf_holds_every_text_and_row(model, pdf):
    """What the model says can be read from the PDF, each table row in one line."""
    text = folded(run("pdftotext", "-layout", pdf, "-"))
    assert "\ufffd" not in text
    block = ("-x", "0", "-y", "100", "-W", "600", "-H", "650")  # without head and foot, in points
    plain = folded(run("pdftotext", "-raw", *block, pdf, "-"))
    # what is long breaks into lines beside others
    missing = [t for t in map(as_printed, all_texts(model)) if len(t) < 6 and t not in text]
    assert missing == []
    assert [p for b in blocks_of(model, Paragraph) for p in clean(b.shown).splitlines()
            if as_printed(p) not in plain and len(p) < 400] == []  # fmt: skip
    for table in blocks_of(model, Table):
        if len(table.columns) < 12 and table.key != "hostile":
            lost = [row for row in printed_rows(table) if "".join(row) not in text]
            assert lost == [], table.key


def test_the_pdf_embeds_its_fonts(pdf):
    """No font but Noto CJK, each embedded as a subset, with a table back to Unicode."""
    rows = [line.split() for line in run("pdffonts", pdf).splitlines()[2:]]
    assert rows
    for row in rows:
        assert "Noto-S" in row[0]
        assert "CJK-SC" in row[0]
        assert row[-5:-2] == ["yes", "yes", "yes"]


def test_every_page_of_the_pdf_says_what_it_is(model, pdf):
    """Each page carries the label of synthetic data, the draft label and its number."""
    pages = run("pdftotext", "-layout", pdf, "-").split("\f")[:-1]
    assert len(pages) > 8
    for number, text in enumerate(pages, 1):
        assert folded(model.notice) in folded(text), number
        assert "草稿" in text, number
        assert f"—{number}—" in folded(text), number


def test_a_real_report_in_the_pdf_carries_no_synthetic_label(sample, tmp_path):
    """A signed report of real data has neither label."""
    real = replace(sample.sample_model(status="signed"), synthetic=False, notice="", sections=())
    path = tmp_path / "real.pdf"
    path.write_bytes(forms.report_forms(real, sample.sample_shapes(), ["pdf"])["pdf"])
    text = run("pdftotext", path, "-")
    assert "合成" not in text
    assert "草稿" not in text


def test_the_pdf_is_made_without_any_request(sample, monkeypatch):
    """Neither the network nor a file is read for what a text names."""

    def refuse(*_):
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    made = forms.report_forms(
        sample.sample_model(hostile=True), sample.sample_shapes(), ["pdf", "html", "docx"]
    )
    assert made["pdf"].startswith(b"%PDF")


@pytest.mark.parametrize(
    "address",
    ["http://example.org/a.png", "https://example.org/", "file:///etc/passwd", "ftp://x/"],
)
def test_the_fetcher_of_the_pdf_answers_for_nothing_outside(address):
    """Only what the document holds itself is read."""
    with pytest.raises(ValueError, match="disallowed protocol"):
        Enclosed().fetch(address)
    assert Enclosed().fetch("data:text/plain,x").read() == b"x"


def test_the_docx_is_a_page_of_the_official_layout(document):
    """A4, margins 37 and 28 mm, text block 156 mm x 225 mm (GB/T 9704)."""
    section = document.sections[0]
    width = section.page_width - section.left_margin - section.right_margin
    height = section.page_height - section.top_margin - section.bottom_margin
    assert [round(value.mm) for value in (section.page_width, section.page_height)] == [210, 297]
    assert [round(value.mm) for value in (section.top_margin, section.left_margin)] == [37, 28]
    assert [round(value / 36000) for value in (width, height)] == [156, 225]


@pytest.mark.parametrize(
    ("style", "font", "size"),
    [("Title", "方正小标宋简体", 22), ("Normal", "仿宋_GB2312", 16), ("Heading 1", "黑体", 16),
     ("Heading 2", "楷体_GB2312", 16)],
)  # fmt: skip
def test_the_docx_names_the_official_fonts(document, style, font, size):
    """Styles name the font of the standard; the font table names what replaces it."""
    found = document.styles[style]
    assert found.element.rPr.rFonts.get(qn("w:eastAsia")) == font
    inherited = found.font.size or found.base_style.font.size
    assert inherited.pt == size
    table = next(
        part for part in document.part.package.parts if part.partname == "/word/fontTable.xml"
    )
    known = re.search(rf'w:name="{font}"><w:altName w:val="([^"]*)"', table.blob.decode())
    assert "CJK SC" in known[1]


def test_lines_of_the_docx_are_28_points_apart(document):
    """The text stands on 22 lines a page."""
    assert document.styles["Normal"].paragraph_format.line_spacing.pt == 28


def test_the_docx_holds_every_text_and_row(model, document):
    """Headings are headings, tables tables: nothing is lost, hostile texts appear as they are."""
    headings = [p.text for p in document.paragraphs if p.style.name == "Heading 1"]
    assert headings == [
        *(clean(section.title) for section in model.sections if section.title),
        "附：与上一期相比的变化", "附：指标口径",
    ]  # fmt: skip
    tables = blocks_of(model, Table)
    assert len(document.tables) == len(tables)
    for table, found in zip(tables, document.tables, strict=True):
        rows = [[folded(cell.text) for cell in row.cells] for row in found.rows]
        assert rows[0] == [folded(clean(name)) for name in table.columns], table.key
        assert rows[1:] == printed_rows(table) or (not table.rows and len(rows) == 2), table.key
    said = folded("".join(p.text for p in document.paragraphs))
    for block in blocks_of(model, Paragraph):
        assert folded(clean(block.shown)) in said, block.key


def test_table_heads_of_the_docx_repeat_and_rows_stay_whole(document):
    """A table over several pages can be read on each."""
    for table in document.tables:
        first, *others = table._tbl.tr_lst
        assert first.trPr.find(qn("w:tblHeader")) is not None
        assert all(row.trPr.find(qn("w:cantSplit")) is not None for row in (first, *others))
        assert all(row.trPr.find(qn("w:tblHeader")) is None for row in others)


def test_tables_of_the_docx_are_as_wide_as_the_text(document):
    """No column leaves the text block."""
    for table in document.tables:
        widths = [int(column.get(qn("w:w"))) for column in table._tbl.tblGrid]
        assert sum(widths) == round(156 / 25.4 * 1440)
        assert min(widths) > 200


def test_every_page_of_the_docx_says_what_it_is(model, document):
    """Odd and even pages carry the labels and a page number field."""
    section = document.sections[0]
    assert document.settings.odd_and_even_pages_header_footer
    for header in (section.header, section.even_page_header):
        assert header.paragraphs[0].text == f"草稿\t{model.notice}"
    for footer, side in ((section.footer, "right"), (section.even_page_footer, "left")):
        xml = footer.paragraphs[0]._p.xml
        assert 'w:instr="PAGE"' in xml
        assert f'<w:jc w:val="{side}"/>' in xml


def test_pictures_of_the_docx_have_captions_and_alternative_texts(model, document):
    """Each chart and map stands in the text with its title and what it shows."""
    shapes = document.inline_shapes
    captions = [p.text for p in document.paragraphs if p.style.name == "Figure Caption"]
    wanted = [p.caption for part in arranged(model, SAY) for p in part.blocks
              if p.caption.startswith("图")]  # fmt: skip
    assert captions == wanted
    assert len(shapes) == len(wanted)
    assert all(shape._inline.docPr.get("descr") for shape in shapes)
    assert all(round(shape.width.mm) <= 156 and shape.height.mm <= 201 for shape in shapes)


def test_placeholders_of_the_docx_are_marked(document):
    """What is to come is seen as such."""
    found = [p.text for p in document.paragraphs if p.style.name == "Placeholder"]
    assert len(found) == 2
    assert all(text.startswith("[待补充] ") for text in found)


@pytest.mark.skipif(
    shutil.which("soffice") is None,
    reason="LibreOffice is not installed (part ci of deploy/apt.txt): CI runs this",
)
def test_libreoffice_opens_the_docx_and_prints_all_of_it(model, made, tmp_path):
    """Its PDF has every row of every table, every sentence, and no replacement glyph."""
    path = tmp_path / "report.docx"
    path.write_bytes(made["docx"])
    run(
        "soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile",
        "--convert-to", "pdf:writer_pdf_Export", "--outdir", str(tmp_path), str(path),
    )  # fmt: skip
    text = folded(run("pdftotext", "-layout", tmp_path / "report.pdf", "-"))
    assert "\ufffd" not in text
    for table in blocks_of(model, Table):
        if len(table.columns) < 12 and table.key != "hostile":
            lost = [row for row in printed_rows(table) if "".join(row) not in text]
            assert lost == [], table.key
    for title in ("一、网格监督情况", "附：指标口径", "合成数据/syntheticdata", "—2—"):
        assert title in text
    assert run("pdffonts", tmp_path / "report.pdf").count("NotoS") >= 1


def test_the_workbook_has_a_sheet_for_each_table_and_all_figures(model, made):
    """Every cell of every table, and every figure with its parts, is in the workbook."""
    book = load_workbook(BytesIO(made["xlsx"]))
    tables = blocks_of(model, Table)
    assert book.sheetnames[0] == "说明"
    assert book.sheetnames[-1] == "全部指标"
    for table, name in zip(tables, book.sheetnames[1:-1], strict=True):
        rows = [list(row) for row in book[name].iter_rows(values_only=True)]
        texts = [cell for row in rows for cell in row if cell is not None]
        assert {clean(name) for name in table.columns} <= set(map(str, texts))
        count = sum(cell.value is not None for row in book[name].iter_rows() for cell in row)
        held = sum(bool(clean(cell.text)) for row in table.rows for cell in row)
        assert count >= held + len(table.columns)
    found = list(book["全部指标"].iter_rows(min_row=5, values_only=True))
    assert [row[0] for row in found] == [clean(key) for key in model.figures]
    by_key = {row[0]: row for row in found}
    assert by_key["closing.隐患类.closure_rate"] == (
        "closing.隐患类.closure_rate", "隐患类结案率", 8470, 9401, pytest.approx(8470 / 9401),
        "件基本案件", "90.10%", "结案数÷累计应结案数，均折算为基本案件。",
    )  # fmt: skip
    assert by_key["closing.none"][2:7] == (0, 0, None, "件基本案件", "—")


def test_numbers_of_the_workbook_read_as_printed(sample):
    """A figure is a number with the decimals of the report; a name or code stays text."""
    base = sample.sample_model()
    row = (Cell("90.10%", "a"), Cell("1,205", "a"), Cell("—", "a"), Cell("100%", "a"),
           Cell("2024"), Cell("12345678901234567", "a"), Cell("0.50", "a"),
           Cell("−3", "a"))  # fmt: skip
    table = Table("t", "T", tuple("abcdefgh"), (row,))
    book = load_workbook(BytesIO(report_xlsx(
        replace(base, sections=(Section("s", "", (table,)),), figures={}, texts={})
    )))  # fmt: skip
    cells = next(cell for cell in book["T"].iter_rows(min_row=5))
    assert [(cell.value, cell.number_format) for cell in cells] == [
        (0.901, "0.00%"), (1205, "#,##0"), ("—", "General"), (1, "0%"), ("2024", "General"),
        ("12345678901234567", "General"), (0.5, "0.00"), (-3, "0"),
    ]  # fmt: skip


def test_no_cell_of_the_workbook_is_a_formula(made, sample):
    """Texts that look like formulas are texts, shown as they are."""
    book = load_workbook(BytesIO(made["xlsx"]))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    # openpyxl leaves the escape of ECMA-376 22.9.2.19 to the spreadsheet
    shown = {c.value.replace("_x005F_", "_") for c in cells if isinstance(c.value, str)}
    assert {clean(text) for text in sample.HOSTILE} <= shown
    risky = [c for c in cells if isinstance(c.value, str) and c.value[:1] in tuple("=+-@＝")]
    assert len(risky) > 10
    assert all(cell.quotePrefix for cell in risky)


def test_every_sheet_says_what_it_is(model, made):
    """The label of synthetic data is in the first cell and in the running head."""
    for sheet in load_workbook(BytesIO(made["xlsx"])):
        assert sheet["A1"].value == model.notice
        assert sheet.oddHeader.center.text == model.notice


def test_sheet_names_are_valid_and_differ(sample):
    """Equal, long and forbidden titles give names that a workbook takes."""
    titles = ("A/B:[1]", "甲" * 40, "甲" * 40, "全部指标", "'", "a/b:[1]")
    blocks = tuple(Table(f"t{n}", title, ("x",), ()) for n, title in enumerate(titles))
    base = replace(sample.sample_model(), sections=(Section("s", "", blocks),))
    names = load_workbook(BytesIO(report_xlsx(base))).sheetnames
    assert len({name.lower() for name in names}) == len(titles) + 2
    assert all(0 < len(name) <= 31 for name in names)


def test_charts_of_a_chart_only_report_are_drawn_once(sample, monkeypatch):
    """All forms of a report share its pictures."""
    drawn = []
    real = charts.draw_chart
    monkeypatch.setattr(charts, "draw_chart", lambda *a, **k: drawn.append(a) or real(*a, **k))
    base = sample.sample_model()
    forms.report_forms(base, sample.sample_shapes(), ["html", "docx"])
    assert len(drawn) == len(blocks_of(base, Chart))


def test_a_brief_is_set_smaller_and_without_definitions_on_paper(sample, tmp_path):
    """A brief has a page or two: its definitions are on screen and in the full report."""
    base = sample.sample_model()
    [text] = [s for s in base.sections if s.key == "next"]
    brief = replace(base, sections=(replace(text, key="brief"),))
    made = forms.report_forms(brief, sample.sample_shapes(), ["pdf", "docx", "html"])
    (tmp_path / "brief.pdf").write_bytes(made["pdf"])
    printed = run("pdftotext", tmp_path / "brief.pdf", "-")
    assert "指标口径、分子和分母见同期完整月报" in printed
    assert "附：指标口径" not in printed
    assert printed.count("\f") == 1
    assert "附：指标口径" in made["html"].decode()
    normal = docx.Document(BytesIO(made["docx"])).styles["Normal"]
    assert (normal.font.size.pt, normal.paragraph_format.line_spacing.pt) == (14, 22)


def test_all_forms_of_a_large_report_fit_their_budget(tmp_path):
    """Forty more tables and charts: 15 seconds of CPU and 1 GB for all five files together."""
    code = (
        "import re, resource, runpy, sys\n"
        "from pathlib import Path\n"
        "from gridgis.report.forms import FORMATS, write_report\n"
        "made = runpy.run_path(sys.argv[1])\n"
        "model, shapes = made['sample_model'](tables=40), made['sample_shapes']()\n"
        "write_report(model, shapes, formats=FORMATS, folder=Path(sys.argv[2]))\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        # ru_maxrss would hold the peak of the process that this one was forked from
        "peak = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "print(used.ru_utime + used.ru_stime, int(peak) / 1024)\n"
    )
    cpu_s, memory_mb = map(
        float, run(sys.executable, "-c", code, str(SAMPLE), str(tmp_path)).split()
    )
    assert len(list(tmp_path.iterdir())) == 5
    assert cpu_s <= 15
    assert memory_mb <= 1000
