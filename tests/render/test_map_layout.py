"""Widths, targets, focus and WCAG: everyone can use the page."""

from pathlib import Path

import pytest

AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
PHONE = {"width": 390, "height": 844}
STATES = ("/map?lang=zh-CN", "/map?lang=en", "/map?category=S01&source=wechat&district=9909Z1",
          "/map?month=2023-01", "/map?month=2023-13")  # fmt: skip


def violations(page):
    """Return axe's serious and critical findings."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        (entry["id"], [node["html"][:120] for node in entry["nodes"]])
        for entry in found
        if entry["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("path", STATES)
def test_axe_finds_nothing_serious(served, visit, path):
    """Every state of the page passes axe at both widths."""
    seen = visit(served.base, console=("404", "400"))
    seen.page.goto(served.base + path)
    seen.page.evaluate("async () => { await window.gridgis?.ready; }")
    assert violations(seen.page) == []
    seen.page.set_viewport_size(PHONE)
    assert violations(seen.page) == []


def test_axe_finds_nothing_serious_with_an_open_list(served, visit):
    """The case list passes axe too."""
    code = max(served.cells().items(), key=lambda item: item[1])[0]
    seen = visit(served.base).open(f"/map?sel=cell:{code}")
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    assert violations(seen.page) == []


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_no_width_scrolls_sideways(served, visit, lang):
    """The page fits from 320 pixels up."""
    seen = visit(served.base, viewport={"width": 320, "height": 800})
    seen.open(f"/map?lang={lang}")
    for width in (320, 390, 699, 700, 1139, 1140, 1280, 1920):
        seen.page.set_viewport_size({"width": width, "height": 800})
        assert seen.page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_telephone_shows_the_map_first_and_filters_as_a_sheet(served, visit):
    """At 390 pixels the map is on screen, the form opens over it and closes by 完成 or Esc."""
    seen = visit(served.base, viewport=PHONE).open("/map?lang=zh-CN")
    box = seen.page.locator("#map").bounding_box()
    assert box["width"] == 390
    assert 0 <= box["y"] < 120
    assert box["height"] > 400
    assert seen.page.locator("#filters").is_hidden()
    seen.page.locator("#filters-open").click()
    assert seen.page.locator("#filters").is_visible()
    assert seen.page.evaluate("() => document.activeElement.id") == "f-month"
    seen.page.locator("#f-category").select_option("S01")
    seen.wait("() => location.search.includes('category=S01')")
    seen.page.locator("#filters-close").click()
    assert seen.page.locator("#filters").is_hidden()
    assert seen.page.evaluate("() => document.activeElement.id") == "filters-open"
    seen.page.locator("#filters-open").click()
    seen.page.keyboard.press("Escape")
    assert seen.page.locator("#filters").is_hidden()


def test_telephone_keeps_the_chosen_cell_in_sight(served, visit):
    """The list is a sheet; the cell it belongs to is not under it."""
    seen = visit(served.base, viewport=PHONE).open("/map")
    code, _ = max(served.cells().items(), key=lambda item: item[1])
    lon, lat = served.centre(code)
    seen.jump(lon, lat + 0.0016, 15)
    seen.click(lon, lat)
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    seen.idle()
    top = seen.page.locator("#cases").bounding_box()["y"]
    at = seen.page.evaluate(
        "([lon, lat]) => gridgis.map.project([lon, lat]).y"
        " + document.querySelector('#map').getBoundingClientRect().top",
        [lon, lat],
    )
    assert 52 < at < top


@pytest.mark.parametrize("viewport", [{"width": 1280, "height": 800}, PHONE])
def test_targets_are_at_least_24_pixels(served, visit, viewport):
    """WCAG 2.5.8: buttons and form fields can be hit."""
    seen = visit(served.base, viewport=viewport).open("/map")
    small = seen.page.evaluate(
        "() => [...document.querySelectorAll('button, select, summary')]"
        ".filter((n) => n.offsetParent && n.getBoundingClientRect().height < 24)"
        ".map((n) => n.outerHTML.slice(0, 90))"
    )
    assert small == []


def test_focus_is_visible_and_the_skip_link_leads_to_the_table(served, visit):
    """The first Tab offers the table; whatever has the focus shows it."""
    seen = visit(served.base).open("/map")
    seen.page.keyboard.press("Tab")
    assert seen.page.evaluate("() => document.activeElement.className") == "skip"
    assert seen.page.locator(".skip").bounding_box()["y"] >= 0
    for _ in range(12):
        seen.page.keyboard.press("Tab")
        outline, element = seen.page.evaluate(
            "() => [getComputedStyle(document.activeElement).outlineStyle,"
            " document.activeElement.outerHTML.slice(0, 90)]"
        )
        assert outline != "none", element


def test_own_scripts_and_styles_fit_their_budget(served):
    """What is ours in the first load is at most 48 KB gzipped, all of it at most 500."""
    page = served.client.get("/map").text
    own = [
        "map.css",
        *(f"{name}.js" for name in ("main", "cases", "dom", "mapview", "state", "style")),
    ]
    assert all(f"/static/app/{name}" in page for name in ("map.css", "main.js"))
    headers = {"Accept-Encoding": "gzip"}

    def size(path):
        with served.client.stream("GET", path, headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-encoding"] == "gzip"
            return sum(len(chunk) for chunk in answer.iter_raw())

    ours = sum(size(f"/static/app/{name}") for name in own)
    theirs = sum(
        size(f"/static/vendor/maplibre-gl-6.17.0/{name}")
        for name in ("maplibre-gl.mjs", "maplibre-gl-worker.mjs", "maplibre-gl.css")
    )
    assert ours <= 48_000
    assert ours + theirs <= 500_000
