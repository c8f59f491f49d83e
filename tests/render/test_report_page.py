"""The page of a report in a real browser: wide, on a telephone and on paper."""

import importlib.util
import re
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from api.app import CSP
from gridgis.report.forms import draw_pictures
from gridgis.report.page import Link, Setting, report_page, stylesheet
from gridgis.report.plain import clean

SAMPLE = Path(__file__).parents[1] / "data" / "report" / "sample_model.py"
AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
LINKS = (Link("/report/2024-11/files/docx", "DOCX"), Link("/map?month=2024-11", "地图"))
SETTING = Setting(stylesheet="/report.css", rows="/api/v1/report", links=LINKS)


@contextmanager
def serving_texts(texts):
    """Serve texts by path under the policy of the site; yield the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = texts.get(self.path)
            self.send_response(404 if body is None else 200)
            kind = "text/css" if self.path.endswith(".css") else "text/html"
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Security-Policy", CSP)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def sample():
    """Return the module that makes report models by hand."""
    spec = importlib.util.spec_from_file_location("sample_model", SAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(sample):
    """Yield the address of a report, of one with hostile texts and of one in English."""
    texts = {"/report.css": stylesheet()}
    for path, options in (
        ("/zh", {}), ("/hostile", {"hostile": True}), ("/en", {"language": "en"}),
    ):  # fmt: skip
        model = sample.sample_model(**options)
        texts[path] = report_page(model, draw_pictures(model, sample.sample_shapes()), SETTING)
    with serving_texts(texts) as base:
        yield base


def findings(page):
    """Return axe's serious and critical findings."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        (entry["id"], [node["html"][:160] for node in entry["nodes"]][:4])
        for entry in found
        if entry["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("path", ["/zh", "/hostile", "/en"])
def test_the_page_fits_and_passes_axe(site, visit, path, viewport):
    """No width scrolls sideways, axe finds nothing serious, the console stays empty."""
    seen = visit(site, viewport=viewport)
    seen.page.goto(site + path)
    assert findings(seen.page) == []
    for width in (320, viewport["width"]):
        seen.page.set_viewport_size({"width": width, "height": 800})
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_styles_and_pictures_are_there(site, visit, viewport):
    """The stylesheet is applied, each picture is drawn in a readable size."""
    seen = visit(site, viewport=viewport)
    seen.page.goto(site + "/zh")
    colour = "() => getComputedStyle(document.querySelector('.notice')).color"
    assert seen.page.evaluate(colour) == "rgb(163, 19, 10)"
    pictures = seen.page.evaluate(
        "() => [...document.images].map((i) => [i.naturalWidth, i.getBoundingClientRect().width])"
    )
    assert len(pictures) == 4
    for natural, width in pictures:
        assert natural > 1000
        assert 500 < width < 700


def test_the_label_of_synthetic_data_stays_in_sight(site, visit, sample):
    """Wherever the reader is, the notice is on screen."""
    seen = visit(site, viewport=PHONE)
    seen.page.goto(site + "/zh")
    assert seen.text(".notice") == sample.NOTICE
    seen.page.evaluate("() => window.scrollTo({top: 3000, behavior: 'instant'})")
    box = seen.page.locator(".notice").bounding_box()
    assert -1 <= box["y"] <= 1


def test_wide_tables_scroll_by_themselves_and_keep_their_first_column(site, visit):
    """On a telephone a table moves under its first column."""
    seen = visit(site, viewport=PHONE)
    seen.page.goto(site + "/zh")
    table = seen.page.locator("figure.tight .scroll")
    table.evaluate("(box) => { box.scrollLeft = 120; }")
    assert table.evaluate("(box) => box.scrollLeft") == 120
    left = table.evaluate(
        "(box) => box.querySelector('td').getBoundingClientRect().left"
        " - box.getBoundingClientRect().left"
    )
    assert abs(left) <= 1


def test_contents_and_figures_lead_where_they_say(site, visit):
    """A part is one click away; a number leads to its rows."""
    seen = visit(site, reduced_motion="reduce")
    seen.page.goto(site + "/zh")
    seen.page.get_by_role("link", name="三、案件处置情况").click()
    top = seen.page.locator("#s-4").bounding_box()["y"]
    assert 0 <= top < 120
    href = seen.page.get_by_role("link", name="442027", exact=True).first.get_attribute("href")
    assert re.fullmatch(r"/api/v1/report/2024-11/figures/[\w.%]+/rows", href)


def test_all_figures_are_listed_when_asked_for(site, visit):
    """The definitions open to the figures that use them, without any script."""
    seen = visit(site)
    seen.page.goto(site + "/zh")
    entry = seen.page.locator("#definitions > ol > li").nth(0)
    assert entry.locator("li").first.is_hidden()
    entry.locator("summary").click()
    assert entry.locator("li").first.is_visible()


def test_hostile_texts_do_nothing(site, visit, sample):
    """Markup is text: nothing runs, nothing is asked of others, nothing is lost."""
    seen = visit(site)
    seen.page.on("dialog", lambda dialog: seen.console.append(f"dialog: {dialog.message}"))
    seen.page.goto(site + "/hostile")
    assert seen.page.locator("main :is(script, iframe, svg, object)").count() == 0
    shown = seen.page.locator("main").text_content()
    for text in sample.HOSTILE:
        assert clean(text).split("\n")[0].strip() in shown, text


def test_a_browser_prints_the_labels_and_numbers_on_each_page(site, visit, sample, tmp_path):
    """Printed from a browser, every page says that its data are synthetic and which one it is."""
    seen = visit(site)
    seen.page.goto(site + "/zh")
    path = tmp_path / "page.pdf"
    seen.page.pdf(path=path, prefer_css_page_size=True)
    command = ["pdftotext", "-layout", str(path), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    pages = text.split("\f")[:-1]
    assert len(pages) > 5
    for number, page in enumerate(pages, 1):
        assert sample.NOTICE in page, number
        assert "草稿" in page, number
        assert f"—{number}—" in page.replace(" ", ""), number
    assert "目录" not in text
    assert "隐患类" in text
