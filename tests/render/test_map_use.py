"""Using the map: addresses, filters, the case list, keyboard and telephone."""

from urllib.parse import parse_qs, urlsplit

import pytest

from gridgis.model.period import Period
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_cases
from gridgis.services.monitor import measure_density


def busiest(served, **params):
    """Return the code of the cell with most cases, and how many."""
    return max(served.cells(**params).items(), key=lambda item: item[1])


def numbers(seen):
    """Return every number of the page."""
    return seen.page.evaluate(
        "() => [...document.querySelectorAll('#side td, #legends td, #total')]"
        ".map((cell) => cell.textContent)"
    )


def choose(seen, field, value):
    """Choose an entry of the filter form and wait for the answer."""
    seen.page.locator(f"#f-{field}").select_option(value)
    seen.wait(f"() => new URLSearchParams(location.search).get('{field}') === '{value}'")
    seen.idle()


def test_filter_changes_numbers_tiles_and_address(served, visit):
    """Choosing a class redraws everything without loading the page again."""
    seen = visit(served.base).open("/map")
    seen.page.evaluate("() => { window.samePage = true; }")
    choose(seen, "category", "S01")
    query = parse_qs(urlsplit(seen.page.url).query)
    assert query == {"month": ["2024-03"], "category": ["S01"]}
    counts = served.cells(category="S01")
    drawn = {str(cell["id"]): cell["n"] for cell in seen.features("cells") if cell["n"]}
    assert drawn == counts
    cases = served.get("/api/v1/cases", month="2024-03", category="S01", limit=1)["total"]
    assert seen.text("#total") == str(cases)
    assert seen.page.evaluate("() => window.samePage && window.gridgis.state.filters.category")


def test_copied_address_gives_the_same_numbers_in_a_fresh_browser(served, visit):
    """Filters, view and open cell travel in the address."""
    first = visit(served.base).open("/map?month=2024-03")
    choose(first, "source", "city_supervisor")
    code, cases = busiest(served, source="city_supervisor")
    first.jump(*served.centre(code), 14.5)
    first.click(*served.centre(code))
    first.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    address = first.page.url.removeprefix(served.base)
    second = visit(served.base).open(address)
    second.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    assert numbers(second) == numbers(first)
    assert second.text("#cases-title").endswith(code)
    assert second.page.locator("#cases-list li").count() == cases
    where = "() => [...gridgis.map.getCenter().toArray(), gridgis.map.getZoom()]"
    assert second.page.evaluate(where) == pytest.approx(first.page.evaluate(where), abs=0.006)


def test_back_and_forward_restore_numbers(served, visit):
    """History steps through the filters, the form included."""
    seen = visit(served.base).open("/map?month=2024-03")
    whole = numbers(seen)
    choose(seen, "district", "990902")
    part = numbers(seen)
    assert part != whole
    seen.page.evaluate("() => history.back()")
    seen.wait("() => document.querySelector('#f-district').value === ''")
    assert numbers(seen) == whole
    seen.page.evaluate("() => history.forward()")
    seen.wait("() => document.querySelector('#f-district').value === '990902'")
    assert numbers(seen) == part


def test_back_restores_the_open_list(served, visit):
    """The list that was open under the earlier filter is open again, and only there."""
    seen = visit(served.base).open("/map?month=2024-03")
    code, cases = busiest(served)
    seen.jump(*served.centre(code), 15)
    seen.click(*served.centre(code))
    seen.wait(f"() => document.querySelectorAll('#cases-list li').length === {cases}")
    choose(seen, "source", "wechat")
    seen.page.locator("#cases-close").click()
    assert "sel=" not in seen.page.url
    seen.page.evaluate("() => history.back()")
    seen.wait(f"() => document.querySelectorAll('#cases-list li').length === {cases}")
    assert seen.page.locator("#cases").is_visible()
    seen.page.evaluate("() => history.forward()")
    seen.wait("() => document.querySelector('#cases').hidden")
    assert "sel=" not in seen.page.url


def test_run_of_a_shared_link_is_named_and_kept(served, visit):
    """The link of the run writes it into the address, and shows the same numbers."""
    seen = visit(served.base).open("/map")
    before = numbers(seen)
    with seen.page.expect_navigation():
        seen.page.locator("#legends a").click()
    seen.idle()
    assert parse_qs(urlsplit(seen.page.url).query)["run"]
    assert numbers(seen) == before


def test_click_on_a_cell_lists_as_many_cases_as_the_api_counts(served, visit):
    """The panel's count, its entries and the API agree; every case is of that cell."""
    seen = visit(served.base).open("/map")
    code, cases = busiest(served)
    seen.jump(*served.centre(code), 15)
    seen.click(*served.centre(code))
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    found = served.get("/api/v1/cases", cell=code, month="2024-03", limit=1)["total"]
    assert seen.page.locator("#cases-list li").count() == cases == found
    assert str(cases) in seen.text("#cases-count")
    seen.idle()
    assert seen.features("points")


def test_long_list_of_a_cell_is_paged_to_its_end(own, visit, tmp_path):
    """More cases than a page holds come by 加载更多, all of them once."""
    code, _ = busiest(own)
    lon, lat = own.centre(code)
    rows = [
        f"PG-{n:04},Litter,Phone line,,5 Quay Street,North Side,{lon},{lat},Works,no,"
        "05.03.2024 08:00,05.03.2024 08:10,,,,"
        for n in range(120)
    ]
    head = "Ticket,Kind,Channel,Text,Where,Area,X,Y,Handled by,Fixed on the spot,Reported,"
    path = tmp_path / "many.csv"
    path.write_text(head + "Taken in,Sent,Deadline,Fixed,Closed\n" + "\n".join(rows) + "\n")
    import_cases(own.context, path, ImportRequest(crs="wgs84", synthetic=True))
    seen = visit(own.base).open("/map")
    seen.jump(lon, lat, 15)
    seen.click(lon, lat)
    total = own.get("/api/v1/cases", cell=code, month="2024-03", limit=1)["total"]
    pages = 1
    while seen.wait("() => document.querySelectorAll('#cases-list li').length > 0"):
        seen.wait(
            f"() => document.querySelectorAll('#cases-list li').length >= {min(50 * pages, total)}"
        )
        if seen.page.locator("#cases-more").is_hidden():
            break
        seen.page.locator("#cases-more").click()
        pages += 1
    listed = seen.page.evaluate(
        "() => [...document.querySelectorAll('#cases-list li .quiet')].map((n) => n.textContent)"
    )
    assert len(listed) == len(set(listed)) == total > 100


def test_escape_closes_the_list_and_returns_the_focus(served, visit):
    """The keyboard goes on where it was."""
    seen = visit(served.base).open("/map")
    code, _ = busiest(served)
    seen.jump(*served.centre(code), 15)
    seen.page.locator("#map canvas").focus()
    seen.click(*served.centre(code))
    seen.wait("() => document.activeElement.id === 'cases-title'")
    seen.page.keyboard.press("Escape")
    assert seen.page.locator("#cases").is_hidden()
    assert seen.page.evaluate("() => document.activeElement.tagName") == "CANVAS"
    assert "sel=" not in seen.page.url


def test_keyboard_opens_the_same_list_as_a_click(served, visit):
    """Enter on the focused map opens the cell under the cross."""
    seen = visit(served.base).open("/map")
    code, cases = busiest(served)
    seen.jump(*served.centre(code), 15)
    seen.page.locator("#filters-close, #f-source").last.focus()
    for _ in range(30):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("() => document.activeElement.tagName") == "CANVAS":
            break
    assert seen.page.locator(".crosshair").is_visible()
    assert seen.page.locator(".keys").is_visible()
    seen.page.keyboard.press("Enter")
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    assert seen.text("#cases-title").endswith(code)
    assert seen.page.locator("#cases-list li").count() == cases


def test_open_list_follows_the_filter(served, visit):
    """Changing the filter lists the same cell's cases under the new one."""
    seen = visit(served.base).open("/map")
    code, _ = busiest(served)
    seen.jump(*served.centre(code), 15)
    seen.click(*served.centre(code))
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    choose(seen, "source", "wechat")
    found = served.get("/api/v1/cases", cell=code, month="2024-03", source="wechat", limit=1)
    expected = found["total"]
    seen.wait(f"() => document.querySelectorAll('#cases-list li').length === {expected}")
    assert f"sel=cell:{code}" in seen.page.url


def test_filter_keeps_the_focus_while_a_list_is_open(served, visit):
    """Who chooses by keyboard stays in the field; only a list that opens takes the focus."""
    code, _ = busiest(served)
    seen = visit(served.base).open(f"/map?month=2024-03&sel=cell:{code}")
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    assert seen.page.evaluate("() => document.activeElement.id") == "cases-title"
    seen.page.locator("#f-source").focus()
    choose(seen, "source", "wechat")
    assert seen.page.evaluate("() => document.activeElement.id") == "f-source"


def test_filter_stays_in_the_run_of_the_link(own, visit):
    """A filter on a linked run counts in that run; another month leaves it."""
    first = own.get("/api/v1/density", level="city")["run"]["id"]
    measure_density(own.context, period=Period.month("2024-03", "Europe/Helsinki"))
    seen = visit(own.base).open(f"/map?month=2024-03&run={first}")
    choose(seen, "source", "wechat")
    assert f"run={first}" in seen.page.url
    assert seen.page.evaluate("() => window.gridgis.state.run") == first
    assert own.client.get("/map", params={"run": first, "month": "2024-07"}).status_code == 404


def test_english_page_shows_codes_beside_names(served, visit):
    """Names are data and stay; the official code stands beside them."""
    seen = visit(served.base).open("/map?lang=en")
    assert seen.page.evaluate("() => document.documentElement.lang") == "en"
    assert "North Side 990901" in seen.text("#regions")
    assert "Mar 2024" in seen.text("#month")
    assert not any("\u4e00" <= mark <= "\u9fff" for mark in seen.text("#filters"))


def test_city_of_another_language_opens_in_it(served, visit):
    """The city's own language is the default, the other one a link away."""
    seen = visit(served.base).open("/map")
    assert seen.page.evaluate("() => document.documentElement.lang") == "en"
    seen.jump(24.95, 60.3, 13)
    with seen.page.expect_navigation():
        seen.page.locator("#languages a").click()
    seen.idle()
    assert seen.page.evaluate("() => document.documentElement.lang") == "zh-CN"
    assert seen.page.url.endswith("#13.00/60.30000/24.95000")
    assert "2024年3月" in seen.text("#month")


def test_reduced_motion_jumps(served, visit):
    """With reduced motion the map does not fly."""
    seen = visit(served.base, reduced_motion="reduce").open("/map")
    seen.page.locator("[data-focus='9909Z1']").click()
    assert seen.page.evaluate("() => window.gridgis.map.isMoving()") is False
