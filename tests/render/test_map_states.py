"""What the page says when something is missing, wrong or away."""

import re
from pathlib import Path

import httpx
import pytest

from boundaries.cells import loaded_cells
from boundaries.read import read_vector
from gridgis.cli.layers import ALWAYS
from gridgis.config import Settings
from gridgis.model.period import Period
from gridgis.services.monitor import measure_density
from gridgis.services.regions import store_grid
from gridgis.store.areas import GridFacts
from gridgis.store.city import bump_data_version
from gridgis.store.engine import begin

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"

FAILED = "Failed to load resource"


def test_empty_result_says_so_and_offers_to_clear(served, visit):
    """No case under the filters: a sentence, the filters and a way out; never NaN."""
    seen = visit(served.base).open("/map?lang=zh-CN&source=satellite_uav&category=B01")
    assert "无符合条件的案件" in seen.text("#notices")
    assert seen.text("#total") == "0"
    body = seen.text("body")
    assert not re.search(r"NaN|Infinity|undefined|null", body)
    assert "—" in seen.text("#regions")
    seen.page.locator("#notices a").click()
    seen.wait("() => document.querySelector('#total').textContent === '271'")
    assert "category" not in seen.page.url


def test_month_without_a_run_links_the_nearest_ones(served, visit):
    """The page says that the month is not computed; its link leads to one that is."""
    seen = visit(served.base, console=("404",))
    assert seen.page.goto(f"{served.base}/map?month=2024-07&lang=zh-CN").status == 404
    assert "2024年7月尚未计算" in seen.text(".vacant")
    seen.page.locator(".vacant a").click()
    seen.wait("() => document.querySelector('#total')")
    seen.idle()
    assert seen.text("#total") == "271"
    assert seen.features("cells")


def test_back_to_a_month_without_a_run_shows_no_map_of_another(served, visit):
    """Back from a computed month to one that is not: its page again, not the other's cells."""
    seen = visit(served.base, console=("404",))
    seen.page.goto(f"{served.base}/map?month=2024-07&lang=zh-CN")
    seen.page.locator(".vacant a").click()
    seen.wait("() => document.querySelector('#total')")
    seen.idle()
    seen.page.go_back()
    seen.wait("() => document.querySelector('.vacant')")
    assert "2024年7月尚未计算" in seen.text(".vacant")
    assert seen.page.locator("#map canvas").count() == 0


def test_counts_older_than_the_cases_say_so(own):
    """Cases that came after the run are in lists but not on the map: the page says it."""
    assert "重新计算" not in own.client.get("/map", params={"lang": "zh-CN"}).text
    before = own.get("/api/v1/density", level="city")["run"]
    with begin(own.context.engine) as tx:
        bump_data_version(tx)
    assert "重新计算" in own.client.get("/map", params={"lang": "zh-CN"}).text
    after = own.get("/api/v1/density", level="city")["run"]
    assert (before["outdated"], after["outdated"]) == (False, True)
    assert before["mark"] != after["mark"]


def test_legend_names_the_cells_of_the_run(own):
    """A grid of the city's own cells is no grid of 100 m squares."""
    assert "件/100米格" in own.client.get("/map", params={"lang": "zh-CN"}).text
    frame = read_vector(TOY / "cells.geojson", crs="wgs84")
    cells = loaded_cells(frame, crs=f"EPSG:{own.context.city.measuring_srid}")
    store_grid(own.context, cells, facts=GridFacts("own", "loaded", None, (), "", ALWAYS))
    measure_density(own.context, period=Period.month("2024-03", "Europe/Helsinki"))
    html = own.client.get("/map", params={"lang": "zh-CN"}).text
    assert "件/100米格" not in html
    assert "件/单元网格" in html


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("month=2024-13", "month=2024-13"), ("month=<b>x", "month=<b>x"),
        ("district=123456", "district=123456"), ("category=Z99", "category=Z99"),
        ("source=owl", "source=owl"), ("run=abc", "run=abc"), ("sel=cell:1", "sel=cell:1"),
        ("run=" + "9" * 5000, "run=999"), ("month=0001-01", "month=0001-01"),
        ("lang=fr", "lang=fr"),
    ],
)  # fmt: skip
def test_invalid_value_is_named_on_a_400_page(served, visit, query, named):
    """The page names parameter and value as they were given, and leads back."""
    seen = visit(served.base, console=("400",))
    assert seen.page.goto(f"{served.base}/map?{query}").status == 400
    assert named in seen.text("main")
    assert seen.page.locator("main a").get_attribute("href") == "/map"


def test_unknown_run_is_a_404_page(served, visit):
    """A run that does not exist is no other run."""
    seen = visit(served.base, console=("404",))
    assert seen.page.goto(f"{served.base}/map?run=99999").status == 404
    assert "99999" in seen.page.locator("main").text_content()


def test_unknown_parameter_is_ignored_and_said(served, visit):
    """A misspelt parameter is not silently dropped."""
    seen = visit(served.base).open("/map?lang=zh-CN&catgory=S01")
    assert "catgory" in seen.text("#notices")
    assert seen.text("#total") == "271"


def test_database_away_is_a_503_page_with_a_sentence(serving_at):
    """Without its database the page says so in the reader's language, and when to come back."""
    url = "postgresql://nobody@127.0.0.1:9/none"
    with serving_at(Settings(database_url=url)) as base:
        answer = httpx.get(f"{base}/map?month=2024-03")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert "数据库没有应答" in answer.text
    assert 'href="/map?month=2024-03"' in answer.text
    assert "psycopg" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


def test_failing_tiles_are_named_and_can_be_tried_again(served, visit):
    """The banner names the missing layer; the table stays; 重试 fetches the tiles."""
    seen = visit(served.base, console=(FAILED,))
    broken = [True]

    def fail(route):
        if broken[0] and "/cells/" in route.request.url:
            route.fulfill(status=500, body="")
        else:
            route.fallback()

    seen.page.route("**/tiles/**", fail)
    seen.page.goto(f"{served.base}/map?lang=zh-CN")
    seen.wait("() => document.querySelector('#alerts .failed')")
    assert "案件网格" in seen.text("#alerts")
    assert seen.text("#total") == "271"
    broken[0] = False
    seen.page.locator("#alerts button").click()
    seen.wait("() => window.gridgis.map.queryRenderedFeatures({layers: ['cells']}).length > 0")
    assert seen.page.locator("#alerts .failed").count() == 0


def test_slow_tiles_are_said_after_ten_seconds(served, visit):
    """A map that keeps loading says so; the table is there meanwhile."""
    seen = visit(served.base)
    held = []
    seen.page.route(
        "**/tiles/**", lambda route: held.append(route) if len(held) < 1 else route.fallback()
    )
    seen.page.goto(f"{served.base}/map?lang=zh-CN")
    seen.wait("() => document.querySelector('#regions')")
    seen.page.wait_for_timeout(9_000)
    seen.wait("() => document.querySelector('#alerts [data-kind=slow]')")
    assert "超过 10 秒" in seen.text("#alerts")
    assert seen.text("#total") == "271"
    held[0].fallback()
    seen.wait("() => !document.querySelector('#alerts [data-kind=slow]')")


def test_failing_case_list_can_be_tried_again(served, visit):
    """The panel says what went wrong and loads on the second try."""
    seen = visit(served.base, console=(FAILED,))
    broken = [True]

    def fail(route):
        if broken[0]:
            route.fulfill(status=503, body='{"request_id": "abc123"}')
        else:
            route.fallback()

    seen.page.route("**/api/v1/cases?**", fail)
    code = max(served.cells().items(), key=lambda item: item[1])[0]
    seen.open(f"/map?lang=zh-CN&sel=cell:{code}")
    seen.wait("() => document.querySelector('#cases .notice')")
    assert "503" in seen.text("#cases .notice")
    assert "abc123" in seen.text("#cases .notice")
    broken[0] = False
    seen.page.locator("#cases .notice button").click()
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    assert seen.page.locator("#cases .notice").count() == 0


def test_failing_filter_keeps_the_page_and_can_be_tried_again(served, visit):
    """An answer that does not come leaves the old numbers and a way to ask again."""
    seen = visit(served.base, console=(FAILED, "ERR_FAILED")).open("/map?lang=zh-CN")
    broken = [True]
    seen.page.route("**/map?**", lambda route: route.abort() if broken[0] else route.fallback())
    seen.page.locator("#f-category").select_option("S01")
    seen.wait("() => document.querySelector('#alerts .failed')")
    assert "无法连接服务" in seen.text("#alerts")
    assert seen.text("#total") == "271"
    broken[0] = False
    seen.page.locator("#alerts button").click()
    seen.wait("() => location.search.includes('category=S01')")
    assert seen.page.locator("#alerts .failed").count() == 0


def test_later_answer_wins_over_an_earlier_slow_one(served, visit):
    """Two quick changes: the page ends with the second, whichever answer comes last."""
    seen = visit(served.base).open("/map?month=2024-03")
    slow = []

    def delay(route):
        if "category=S01" in route.request.url and "source" not in route.request.url and not slow:
            slow.append(route)
        else:
            route.fallback()

    seen.page.route("**/map?**", delay)
    seen.page.locator("#f-category").select_option("S01")
    seen.wait("() => true")
    seen.page.locator("#f-source").select_option("wechat")
    seen.wait("() => location.search.includes('source=wechat')")
    for route in slow:
        route.fallback()
    seen.page.wait_for_timeout(300)
    seen.idle()
    expected = served.get(
        "/api/v1/cases", month="2024-03", category="S01", source="wechat", limit=1
    )["total"]
    assert seen.text("#total") == str(expected)
    assert "source=wechat" in seen.page.url


def test_without_webgl2_regions_are_drawn_in_the_colours_of_the_table(served, visit, flagged):
    """The fallback is a district map under the same policy, with notice, legend and table."""
    seen = visit(served.base, context=flagged("--disable-3d-apis"))
    seen.page.goto(f"{served.base}/map?lang=zh-CN")
    seen.page.evaluate("async () => { await window.gridgis.ready; }")
    assert "WebGL2" in seen.text("#alerts")
    assert seen.page.locator(".legend:visible").get_attribute("data-level") == "district"
    shapes = seen.page.evaluate(
        "() => [...document.querySelectorAll('#map path')].map((p) => p.getAttribute('fill'))"
    )
    swatches = seen.page.evaluate(
        "() => [...document.querySelectorAll('#regions tbody:not(.rest) .swatch')]"
        ".map((s) => getComputedStyle(s).backgroundColor)"
    )
    as_rgb = [
        "rgb({}, {}, {})".format(*(int(fill[i : i + 2], 16) for i in (1, 3, 5))) for fill in shapes
    ]
    assert sorted(as_rgb) == sorted(swatches)
    names = seen.page.locator(".region-label").all_inner_texts()
    assert len(names) == 4
    seen.page.locator("#f-source").select_option("wechat")
    seen.wait("() => location.search.includes('source=wechat')")
    seen.page.locator("#f-source").select_option("")
    seen.page.locator("#f-district").select_option("990901")
    seen.wait("() => document.querySelectorAll('#map path[fill=\"#fbfaf8\"]').length === 3")
    seen.page.locator('#map path[fill="#fbfaf8"]').first.hover()
    assert seen.page.evaluate("() => window.gridgis.errors") == []


def test_webgl1_alone_gets_the_fallback(served, visit, flagged):
    """MapLibre needs WebGL2; half of it must not end in a blank page."""
    seen = visit(served.base, context=flagged("--disable-webgl2"))
    seen.page.goto(f"{served.base}/map")
    seen.page.evaluate("async () => { await window.gridgis.ready; }")
    assert seen.page.locator("#map path").count() == 4


@pytest.fixture
def flagged(player, chromium):
    """Return a way to open Chromium with one more flag."""
    browsers = []

    def start(flag):
        browsers.append(
            player.chromium.launch(executable_path=chromium, args=["--no-sandbox", flag])
        )
        return browsers[-1].new_context(viewport={"width": 1280, "height": 800})

    yield start
    for browser in browsers:
        browser.close()
