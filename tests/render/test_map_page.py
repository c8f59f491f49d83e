"""The map as a person sees it: drawn, coloured as its legend says, and adding up."""

import pytest

from gridgis.model.legend import CLASS_COLOURS, ZERO_COLOUR

ZOOM = 15


def rgb(colour):
    """Return `#rrggbb` or `rgb(r, g, b)` as three numbers."""
    if colour.startswith("#"):
        return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]


def lab(colour):
    """Return CIE L*a*b* (D65) of an sRGB colour."""
    linear = [
        v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
        for v in (part / 255 for part in colour)
    ]
    rows = (
        (0.4124, 0.3576, 0.1805, 0.95047),
        (0.2126, 0.7152, 0.0722, 1.0),
        (0.0193, 0.1192, 0.9505, 1.08883),
    )
    x, y, z = (sum(a * b for a, b in zip(row[:3], linear, strict=True)) / row[3] for row in rows)
    f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def distance(first, second):
    """Return ΔE (CIE76) of two sRGB colours."""
    return sum((a - b) ** 2 for a, b in zip(lab(first), lab(second), strict=True)) ** 0.5


def whole(text):
    """Return a number as the page writes it."""
    return int(text.replace(",", ""))


def legend_rows(seen, level):
    """Return `(colour number, label, places, cases)` of the legend of a level."""
    rows = seen.page.locator(f".legend[data-level={level}] tbody:first-of-type tr").all()
    return [
        (
            int(row.get_attribute("data-colour")),
            row.locator("th").text_content().strip(),
            *(whole(cell.text_content()) for cell in row.locator("td").all()),
        )
        for row in rows
    ]


def test_map_draws_cells_borders_water_and_names(served, visit):
    """Every layer has features on screen and the picture has many colours."""
    seen = visit(served.base).open("/map")
    for layer in ("cells", "border-region-1", "water", "district-names"):
        assert seen.features(layer), layer
    assert seen.variety() > 20
    assert seen.page.evaluate("() => window.gridgis.errors") == []


def test_cell_has_the_colour_of_its_legend_swatch(served, visit):
    """One cell of every class, and one without cases, shows its swatch's colour within ΔE 3."""
    seen = visit(served.base).open("/map")
    legend = served.get("/api/v1/density/legend", level="cell", month="2024-03")
    numbers = [colour for colour, *_ in legend_rows(seen, "cell")]
    whole_cells = {str(cell["id"]): cell["n"] for cell in seen.features("cells")}
    bounds = [
        (0, -1, 0),
        *((n, e["lo"], e["hi"]) for n, e in zip(numbers[1:], legend["classes"], strict=True)),
    ]
    for number, low, high in bounds:
        code = next(
            code
            for code, cases in sorted(whole_cells.items())
            if low < cases <= high and served.get(f"/api/v1/cells/{code}")["area_m2"] > 9999
        )
        assert shown_and_swatch(seen, served.centre(code), number) <= 3, code


def shown_and_swatch(seen, centre, number):
    """Return the distance between a cell on screen and a legend swatch."""
    seen.jump(*centre, 17)
    swatch = seen.page.evaluate(
        "(name) => getComputedStyle(document.querySelector(name)).backgroundColor",
        f".legend .swatch.c{number}",
    )
    # a quarter of a cell beside the centre, where no name is written
    [colour] = seen.pixels([[centre[0] + 0.0004, centre[1] + 0.0002]])
    return distance(colour, rgb(swatch))


def test_swatches_have_the_colours_of_the_palette(served, visit):
    """The style sheet and the Python palette name the same colours."""
    seen = visit(served.base).open("/map")
    shown = seen.page.evaluate(
        "() => [0,1,2,3,4,5].map((n) => { const s = document.createElement('span');"
        "s.className = `swatch c${n}`; document.body.append(s);"
        "return getComputedStyle(s).backgroundColor; })"
    )
    assert [rgb(colour) for colour in shown] == [rgb(c) for c in (ZERO_COLOUR, *CLASS_COLOURS)]


@pytest.mark.parametrize("query", ["", "&category=S01", "&source=wechat", "&district=990902"])
def test_legend_table_and_api_give_one_total(served, visit, query):
    """For any filter, classes + rest = total = header = rows of the API, on every level."""
    seen = visit(served.base).open(f"/map?month=2024-03{query}")
    params = dict(part.split("=") for part in query.split("&") if part)
    cases = served.get("/api/v1/cases", month="2024-03", limit=1, **params)["total"]
    assert whole(seen.text("#total")) == cases
    for level in ("cell", "block500", "block1000", "district"):
        legend = served.get("/api/v1/density/legend", level=level, month="2024-03", **params)
        rows = legend_rows(seen, level)
        rest = seen.page.locator(f".legend[data-level={level}] .rest td:last-child").all()
        total = sum(row[3] for row in rows) + sum(whole(cell.text_content()) for cell in rest)
        assert total == cases == legend["total"]
        assert [row[2:] for row in rows[1:]] == [
            (entry["places"], entry["cases"]) for entry in legend["classes"]
        ]
    regions = seen.page.locator("#regions tbody tr:not(.group) td:nth-child(2)").all()
    assert sum(whole(cell.inner_text()) for cell in regions) == cases


def test_legend_swaps_with_the_zoom_and_says_so(served, visit):
    """Each step of the zoom ladder shows its own legend and names its unit."""
    seen = visit(served.base).open("/map?lang=zh-CN")
    lon, lat = seen.page.evaluate("() => window.gridgis.map.getCenter().toArray()")
    for zoom, level, unit in (
        (8.5, "district", "平方公里"), (9.5, "block1000", "1千米格"), (11, "block500", "500米格"),
        (13, "cell", "100米格"),
    ):  # fmt: skip
        seen.jump(lon, lat, zoom)
        assert seen.page.locator(".legend:visible").get_attribute("data-level") == level
        assert unit in seen.text("#unit")
        assert unit in seen.text(".legend:visible h2")
        assert unit in seen.page.locator("#live").text_content()


def test_counts_on_screen_sum_to_the_cells_of_the_api(served, visit):
    """The cells drawn carry the numbers of the API; parents carry the sums of their cells."""
    seen = visit(served.base).open("/map")
    counts = served.cells()
    drawn = {str(cell["id"]): cell["n"] for cell in seen.features("cells")}
    assert {code: n for code, n in drawn.items() if n} == counts
    lon, lat = seen.page.evaluate("() => window.gridgis.map.getCenter().toArray()")
    for zoom, layer in ((11, "blocks500"), (9.5, "blocks1000")):
        seen.jump(lon, lat, zoom)
        parents = {block["id"]: block["n"] for block in seen.features(layer)}
        assert sum(parents.values()) == sum(counts.values())


def test_click_on_a_block_zooms_in_until_there_are_cells(served, visit):
    """A parent square opens nothing, it leads to its cells."""
    seen = visit(served.base).open("/map")
    lon, lat = served.centre(max(served.cells().items(), key=lambda item: item[1])[0])
    seen.jump(lon, lat, 10.5)
    seen.click(lon, lat)
    seen.wait("() => window.gridgis.map.getZoom() >= 12")
    seen.idle()
    assert seen.features("cells")
    assert seen.page.locator("#cases").is_hidden()


def test_region_of_a_table_row_is_shown_on_the_map(served, visit):
    """The button of a row moves the map to its region and outlines it."""
    seen = visit(served.base).open("/map")
    seen.jump(24.9, 60.2, 14)
    seen.page.locator("[data-focus='9909Z1']").click()
    seen.wait("() => !window.gridgis.map.isMoving()")
    seen.idle()
    assert {feature["code"] for feature in seen.features("region-focus")} == {"9909Z1"}


def test_page_is_useful_before_any_script(served, browser):
    """Without JavaScript the table, the legend, the form and the exports are there."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served.base}/map?month=2024-03")
    assert page.locator("#total").inner_text() == "271"
    assert page.locator("#regions tbody tr").count() > 4
    assert page.locator(".legend:visible").count() == 1
    page.locator("#f-category").select_option("S01")
    page.locator("#filters button[type=submit]").click()
    assert "category=S01" in page.url
    cases = served.get("/api/v1/cases", month="2024-03", category="S01", limit=1)["total"]
    assert page.locator("#total").inner_text() == str(cases)
    context.close()


def test_cases_without_a_region_are_always_said(served, visit):
    """Beside the total stand the cases that no region has, by reason."""
    seen = visit(served.base).open("/map?lang=zh-CN")
    assert "未定位 6 件" in seen.text(".summary")
    assert "跨区 4 件" in seen.text(".summary")
    assert "案件量受巡查强度影响" in seen.text(".summary")
    seen.open("/map?lang=zh-CN&source=wechat&category=B01")
    assert "未定位" in seen.text(".summary")


def test_exports_hold_exactly_the_filtered_cases(served, visit):
    """The CSV link answers with as many rows as the page counts."""
    seen = visit(served.base).open("/map?month=2024-03&category=S01")
    href = seen.page.locator(".exports a").first.get_attribute("href")
    rows = served.client.get(href).text.strip().splitlines()
    assert len(rows) - 1 == whole(seen.text("#total"))


def test_attribution_names_sources_base_map_and_crs(served, visit):
    """Origin of the layers, the missing base map and the CRS are said on the map."""
    seen = visit(served.base).open("/map?lang=zh-CN")
    assert "底图：无；坐标：CGCS2000/WGS84" in seen.text(".attribution summary")
    seen.page.locator(".attribution summary").click()
    assert "invented (tools/build_toy.py)" in seen.text(".attribution")
    assert "合成数据" in seen.text(".badge")
