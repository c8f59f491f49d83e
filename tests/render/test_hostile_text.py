"""Texts of others are shown as they are and never run."""

import pytest

from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_cases
from maps.folium_map import density_map

HOSTILE = (
    "<img src=x onerror=window.pwned=1>",
    "</script><script>window.pwned=1</script>",
    "${window.pwned=1} `${window.pwned=1}`",
    "{{ 7*7 }} {% raw %} \\u003cscript\\u003e",
    "\"><svg onload=window.pwned=1> ' & http://evil.example/x.js",
)
HEAD = (
    "Ticket,Kind,Channel,Text,Where,Area,X,Y,Handled by,Fixed on the spot,Reported,Taken in,"
    "Sent,Deadline,Fixed,Closed\n"
)


def quoted(text):
    """Return a CSV field."""
    return '"' + text.replace('"', '""') + '"'


def test_hostile_case_texts_are_shown_and_inert(own, visit, tmp_path):
    """Markup and templates in descriptions and addresses appear verbatim in the list."""
    code = max(own.cells().items(), key=lambda item: item[1])[0]
    lon, lat = own.centre(code)
    rows = [
        f"HX-{n},Litter,Phone line,{quoted(text)},{quoted(text)},North Side,{lon},{lat},Works,no,"
        "05.03.2024 08:00,05.03.2024 08:10,,,,\n"
        for n, text in enumerate(HOSTILE)
    ]
    path = tmp_path / "hostile.csv"
    path.write_text(HEAD + "".join(rows), "utf-8")
    import_cases(own.context, path, ImportRequest(crs="wgs84", synthetic=True))
    seen = visit(own.base).open(f"/map?sel=cell:{code}")
    seen.wait("() => document.querySelectorAll('#cases-list li').length > 0")
    shown = seen.page.locator("#cases-list").text_content()
    for text in HOSTILE:
        assert shown.count(text) == 2, text
    assert seen.page.evaluate("() => window.pwned") is None
    assert seen.page.locator("#cases-list :is(img, script, svg)").count() == 0


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_names_are_inert_on_page_and_in_the_file(own, visit, as_owner, tmp_path, text):
    """Names of regions, streets and sources of data are text everywhere."""
    as_owner(own.context, "UPDATE core.region SET name = :t, attribution = :t", t=text)
    as_owner(own.context, "UPDATE core.street SET name = :t, attribution = :t", t=text)
    seen = visit(own.base).open("/map")
    assert seen.page.locator("#regions th[scope=row] button").first.text_content().startswith(text)
    assert {name["name"] for name in seen.features("district-names")} <= {text}
    box = seen.page.locator("#map").bounding_box()
    seen.jump(24.95, 60.3, 8.5)
    seen.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    seen.wait("() => !document.querySelector('#readout').hidden")
    assert text in seen.page.locator("#readout").text_content()
    assert seen.page.evaluate("() => window.pwned") is None

    path = tmp_path / "map.html"
    path.write_text(density_map(own.context, month="2024-03").html, "utf-8")
    file = visit(f"file://{tmp_path}")
    file.page.goto(path.as_uri())
    file.page.locator("path.leaflet-interactive").first.hover(force=True)
    file.wait("() => document.querySelector('.foliumtooltip')")
    assert text in file.page.locator(".foliumtooltip").text_content()
    assert file.page.evaluate("() => window.pwned") is None
