"""Forms of a report: files, the page and what both make of texts of others."""

import importlib.util
import json
import re
from dataclasses import replace
from pathlib import Path

import lxml.html
import pytest

from gridgis.errors import InputError
from gridgis.model.report import Cell, Paragraph, ReportModel, Section, Table
from gridgis.report import forms
from gridgis.report.arrangement import definitions, spans
from gridgis.report.page import Link, Setting, report_page
from gridgis.report.plain import LANGUAGES, clean, form_words, is_number, number_text

SAMPLE = Path(__file__).parents[1] / "data" / "report" / "sample_model.py"
SERVED = Setting(stylesheet="/static/report.css", rows="/api/v1/report")


@pytest.fixture(scope="module")
def sample():
    """Return the module that makes report models by hand."""
    spec = importlib.util.spec_from_file_location("sample_model", SAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hostile(sample):
    """Return a report whose texts attack, and its pictures."""
    model = sample.sample_model(hostile=True)
    return model, forms.draw_pictures(model, sample.sample_shapes())


@pytest.fixture(scope="module")
def page(sample):
    """Return the parsed page of the sample as it is served."""
    model = sample.sample_model()
    pictures = forms.draw_pictures(model, sample.sample_shapes())
    return lxml.html.fromstring(report_page(model, pictures, SERVED))


def printed_cells(model):
    """Return the texts of all cells of a report's tables."""
    return [
        clean(cell.text)
        for section in model.sections
        for block in section.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
    ]


def test_all_forms_are_written_whole_under_their_names(sample, tmp_path):
    """A folder gets the five files of a month, named by city and month, and nothing else."""
    paths = forms.write_report(
        sample.sample_model(), sample.sample_shapes(), formats=forms.FORMATS, folder=tmp_path / "a"
    )
    assert [path.name for path in paths] == [
        f"sample-city-2024-11-report.{form}" for form in ("html", "pdf", "docx", "xlsx", "json")
    ]
    assert sorted((tmp_path / "a").iterdir()) == sorted(paths)
    heads = [path.read_bytes()[:4] for path in paths]
    assert heads == [b"<!do", b"%PDF", b"PK\x03\x04", b"PK\x03\x04", b'{\n "']


@pytest.mark.parametrize("form", forms.FORMATS)
def test_equal_reports_give_equal_bytes(sample, form):
    """Nothing of a file comes from the clock, the machine's names or chance."""
    made = [forms.report_forms(sample.sample_model(), sample.sample_shapes(), [form]) for _ in "ab"]
    assert made[0] == made[1]


def test_json_reads_back_as_the_same_model(sample):
    """The JSON form is the model."""
    model = sample.sample_model(hostile=True)
    text = forms.report_forms(model, sample.sample_shapes(), ["json"])["json"]
    assert ReportModel.from_dict(json.loads(text)) == model


def test_an_unknown_format_and_a_closed_folder_are_refused(sample, tmp_path):
    """The message names what is allowed; an unwritable place is an error of the caller."""
    model, shapes = sample.sample_model(), sample.sample_shapes()
    with pytest.raises(InputError, match="'doc': expected html, pdf, docx, xlsx, json"):
        forms.write_report(model, shapes, formats=["doc"], folder=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        forms.write_report(model, shapes, formats=["json"], folder=tmp_path / "file")


def test_a_failed_write_leaves_the_earlier_file(sample, tmp_path, monkeypatch):
    """Whoever reads the folder sees the old file or the new one, never a part."""
    model, shapes = sample.sample_model(), sample.sample_shapes()
    [path] = forms.write_report(model, shapes, formats=["json"], folder=tmp_path)
    before = path.read_bytes()

    def fail(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(forms.os, "fsync", fail)
    with pytest.raises(InputError, match="No space left"):
        forms.write_report(replace(model, title="x"), shapes, formats=["json"], folder=tmp_path)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({}, "sample-city-2024-11-report.pdf"),
        ({"region": "990103"}, "sample-city-2024-11-990103-report.pdf"),
        ({"language": "en"}, "sample-city-2024-11-report-en.pdf"),
        ({"city_en": "../ÜÉ"}, "city-2024-11-report.pdf"),
    ],
)
def test_file_names_are_plain(sample, changed, name):
    """A name has city, month, region and language, and no character that a system minds."""
    assert forms.file_name(replace(sample.sample_model(), **changed), "pdf") == name


def test_every_figure_of_a_table_leads_to_its_rows(page, sample):
    """A cell with a figure is a link to the rows of that figure."""
    model = sample.sample_model()
    links = page.xpath("//main//figure[contains(@class, 'table')]//td//a/@href")
    wanted = [
        f"/api/v1/report/2024-11/figures/{cell.figure}/rows".replace("合计", "%E5%90%88%E8%AE%A1")
        for section in model.sections
        for block in section.blocks
        if isinstance(block, Table)
        for row in block.rows
        for cell in row
        if cell.figure
    ]
    assert len(links) == len(wanted) > 200
    assert [link for link in links if "closing." not in link] == [
        link for link in wanted if "closing." not in link
    ]


def test_every_figure_of_a_sentence_leads_to_its_rows(page):
    """The numbers of a sentence are links, each to its own figure."""
    links = page.xpath("//div[@id='b-2-1']//a")
    assert [(link.text, link.get("href").split("/")[-2]) for link in links] == [
        ("166595", "intake.accepted"), ("64452", "intake.city"), ("38.69%", "intake.city.share"),
        ("20775", "intake.self_handled"),
    ]  # fmt: skip


def test_a_district_brief_leads_to_its_own_rows(sample):
    """The rows of a brief are asked for with its region."""
    model = sample.sample_model(region="990103")
    html = report_page(model, forms.draw_pictures(model, sample.sample_shapes()), SERVED)
    links = lxml.html.fromstring(html).xpath("//main//a[@class='figure']/@href")
    assert {link.partition("?")[2] for link in links} == {"region=990103"}


@pytest.mark.parametrize(
    ("text", "printed", "found"),
    [
        ("共18件，其中8件", {"a": "8"}, "共18件，其中[8]件"),
        ("3次、2次和3次", {"a": "3", "b": "2", "c": "3"}, "[3]次、[2]次和[3]次"),
        ("结案率为—。——注", {"a": "—"}, "结案率为[—]。——注"),
        ("80%与80.5%", {"a": "80.5%", "b": "80%"}, "[80%]与[80.5%]"),
        ("1,205 cases", {"a": "205", "b": "1,205"}, "[1,205] cases"),
        ("删去了数字", {"a": "7"}, "删去了数字"),
    ],
)
def test_numbers_are_found_where_they_stand_alone(sample, text, printed, found):
    """A figure is linked where its number is printed, not inside another number."""
    model = replace(sample.sample_model(), texts=printed)
    lines, unseen = spans(Paragraph("p", text, tuple(printed)), model)
    shown = "".join(f"[{one.text}]" if one.figure else one.text for one in lines[0])
    assert shown == found
    assert len(unseen) == len(printed) - found.count("[")


def test_a_figure_that_an_analyst_took_out_is_still_reached(sample):
    """Figures that the text no longer prints are listed below it."""
    model = sample.sample_model()
    edited = Section(
        "s", "s", (Paragraph("p", "2次", ("whistles.district",), edited="两次\n又一行"),)
    )
    html = report_page(replace(model, sections=(edited,)), {}, SERVED)
    block = lxml.html.fromstring(html).get_element_by_id("b-1-1")
    assert [p.text_content() for p in block.xpath("p")][:2] == ["两次", "又一行人工修改"]
    [link] = block.xpath(".//p[contains(@class, 'unseen')]/a")
    assert link.text == "区级哨 2"
    assert link.get("href").endswith("/whistles.district/rows")


def test_a_page_needs_no_script_and_no_inline_style(page):
    """The strict policy of the site has nothing to refuse."""
    assert page.xpath("//script | //style | //@style | //*[@*[starts-with(name(), 'on')]]") == []
    assert page.xpath("//link[@rel='stylesheet']/@href") == ["/static/report.css"]
    addresses = page.xpath("//@src | //link/@href")
    assert {address.partition(":")[0] for address in addresses} == {"data", "/static/report.css"}


def test_a_file_stands_for_itself(sample):
    """Without addresses the page holds its style, and its figures lead to their definitions."""
    model = sample.sample_model()
    root = lxml.html.fromstring(
        report_page(model, forms.draw_pictures(model, sample.sample_shapes()))
    )
    assert len(root.xpath("//style")) == 1
    links = root.xpath("//a/@href")
    anchors = set(root.xpath("//@id"))
    assert all(link.startswith("#") and link[1:] in anchors for link in links)


def test_labels_of_synthetic_data_draft_and_placeholders_are_seen(page, sample):
    """The page says on top what it is; what is to come is marked."""
    assert page.xpath("//body/p[@class='notice']")[0].text == sample.NOTICE
    assert page.xpath("//header/p[@class='status']")[0].text == "草稿"
    marks = page.xpath("//div[contains(@class, 'placeholder')]//strong/text()")
    assert marks == ["待补充", "待补充"]
    assert "较上一期有 2 处变化" in page.text_content()


def test_a_signed_report_is_no_draft(sample):
    """A signed issue names its signer and carries no draft label."""
    model = sample.sample_model(status="signed")
    html = report_page(model, forms.draw_pictures(model, sample.sample_shapes()), SERVED)
    assert "草稿" not in html
    assert "签发人 张三" in html


def test_each_definition_stands_once_with_its_figures(page, sample):
    """The annex lists every definition and, on screen, every figure with its parts."""
    model = sample.sample_model()
    entries = page.xpath("//section[@id='definitions']/ol/li")
    known = definitions(model)
    assert [entry.xpath("p")[0].text for entry in entries] == [one.text for one in known]
    listed = page.xpath("//section[@id='definitions']//details//li")
    assert len(listed) == len(model.figures)
    assert "隐患类结案率 90.10%（8470 / 9401 件基本案件）" in [one.text_content() for one in listed]


def test_hostile_texts_are_shown_and_inert_on_the_page(hostile, sample):
    """Markup, templates and formulas appear as they are; characters no page can hold are gone."""
    model, pictures = hostile
    html = report_page(model, pictures, SERVED)
    root = lxml.html.fromstring(html)
    assert root.xpath("//script | //*[@onerror] | //img[not(starts-with(@src, 'data:'))]") == []
    table = f"b-2-{len(sample.HOSTILE) + 2}"
    cells = [td.text_content() for td in root.get_element_by_id(table).xpath(".//tbody//td")]
    assert cells[::4] == [clean(text) for text in sample.HOSTILE]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", html)
    keys = [link for link in root.xpath("//a/@href") if "hostile" in link]
    assert set(keys) == {"/api/v1/report/2024-11/figures/hostile%2F..%2Fkey%3Fx%3D1%26y/rows"}


def test_links_of_the_head_are_those_given(sample):
    """The caller says which files the page leads to."""
    model = replace(sample.sample_model(), sections=())
    setting = replace(SERVED, links=(Link("/x.pdf?a=1&b=2", "PDF"),))
    [link] = lxml.html.fromstring(report_page(model, {}, setting)).xpath("//header//li/a")
    assert (link.get("href"), link.text) == ("/x.pdf?a=1&b=2", "PDF")


def test_an_empty_report_has_all_forms(sample):
    """A month without anything still makes every file."""
    model = replace(
        sample.sample_model(), sections=(Section("s", "", ()),), figures={}, texts={}, issue=None,
        notice="", synthetic=False,
    )  # fmt: skip
    made = forms.report_forms(model, sample.sample_shapes().iloc[:0], forms.FORMATS)
    assert list(made) == list(forms.FORMATS)
    assert "合成数据" not in made["html"].decode().split("</style>")[1]


def test_a_row_shorter_than_its_table_is_kept(sample):
    """A ragged table loses nothing."""
    table = Table("t", "T", ("a", "b"), ((Cell("1"), Cell("2")), (Cell("x"),)))
    html = report_page(
        replace(sample.sample_model(), sections=(Section("s", "", (table,)),)), {}, SERVED
    )
    assert lxml.html.fromstring(html).xpath("//tbody/tr/td/text()") == ["1", "2", "x"]


def test_the_words_of_the_forms_are_complete():
    """Both languages have the same keys, and the same placeholders in each."""
    texts = [form_words(language).texts for language in LANGUAGES]
    assert texts[0].keys() == texts[1].keys()
    for key, text in texts[0].items():
        assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", texts[1][key])), key


@pytest.mark.parametrize(
    ("text", "number"),
    [("1205", True), ("1,205", True), ("98.13%", True), ("—", True), ("−3.5", True), ("+2", True),
     ("1,20", False), ("12a", False), ("", False), ("第1", False)],
)  # fmt: skip
def test_cells_that_read_as_numbers(text, number):
    """Such cells stand to the right."""
    assert is_number(text) is number


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (97.125, "97.13"), (97.1249999, "97.12"), (0.005, "0.01"), (1e6, "1000000")],
)
def test_values_of_charts_are_rounded_half_up(value, text):
    """A bar of 97.125 says 97.13, as the tables do."""
    assert number_text(value) == text
