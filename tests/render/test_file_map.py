"""The offline map file: opens from disk, asks nobody, and tells the same numbers."""

import json
import re
import subprocess
import sys
from pathlib import Path

import folium
import pytest

from gridgis.errors import InputError, LimitExceeded, RunNotFound
from gridgis.model.legend import CLASS_COLOURS
from maps import offline
from maps.folium_map import density_map
from maps.offline import OfflineFigure, RemoteLink

AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
PAGE = "<html><!--head--><!--map--><script><!--script--></script></html>"


@pytest.fixture
def opened(served, visit, tmp_path):
    """Return a way to draw a file and open it from disk with the network off."""

    def start(**options):
        drawn = density_map(served.context, month="2024-03", **options)
        path = tmp_path / "map.html"
        path.write_text(drawn.html, "utf-8")
        seen = visit(f"file://{tmp_path}", offline=True)
        seen.page.goto(path.as_uri())
        return drawn, seen

    return start


@pytest.mark.parametrize(("level", "polygons"), [("street", 6), ("district", 4)])
def test_file_shows_coloured_polygons_without_a_network(opened, level, polygons):
    """Every area is drawn in a colour of the palette."""
    drawn, seen = opened(level=level)
    fills = seen.page.evaluate(
        "() => [...document.querySelectorAll('path.leaflet-interactive')]"
        ".map((p) => p.getAttribute('fill'))"
    )
    assert len(fills) == polygons == drawn.polygons
    assert len(set(fills)) > 1
    assert set(fills) <= set(CLASS_COLOURS)


def test_auto_takes_streets_when_they_are_few(served):
    """The finest level below the cap is drawn."""
    assert density_map(served.context, month="2024-03").level == "street"


def test_file_says_what_it_is(opened):
    """Title, language, month, run, rest, synthetic mark and approximate borders are in it."""
    drawn, seen = opened(level="district", lang="zh-CN")
    assert seen.page.evaluate("() => document.documentElement.lang") == "zh-CN"
    assert "2024年3月" in seen.page.title()
    text = seen.text("body")
    for part in (
        "合成数据",
        "未定位",
        "近似边界",
        f"计算结果 {drawn.run_id}",
        "案件量受巡查强度影响",
    ):
        assert part in text, part
    viewports = seen.page.locator("meta[name=viewport]").all()
    assert [v.get_attribute("content") for v in viewports] == [
        "width=device-width, initial-scale=1"
    ]


@pytest.mark.parametrize(("level", "title"), [
    ("street", "街道案件密度"), ("district", "区域案件密度"),
])  # fmt: skip
def test_file_table_is_titled_by_its_level(opened, level, title):
    """A table of streets is not called one of regions."""
    _, seen = opened(level=level, lang="zh-CN")
    assert seen.text("#table") == title


@pytest.mark.parametrize("level", ["street", "district"])
def test_file_adds_up_to_the_run(opened, level):
    """Classes + rest and areas + rest both give the run's cases."""
    _, seen = opened(level=level)
    for table in ("table.legend", "section:nth-of-type(2) table"):
        column = 3 if table == "table.legend" else 2
        cells = seen.page.locator(f"{table} tbody tr:not(.group) > :nth-child({column})").all()
        assert sum(int(cell.inner_text().replace(",", "")) for cell in cells) == 271


def test_hover_shows_numerator_and_denominator(opened, served):
    """A tooltip gives cases, land area and their quotient as the API has them."""
    _, seen = opened(level="district", lang="zh-CN")
    rows = served.get("/api/v1/density", level="district", month="2024-03")["rows"]
    seen.page.locator("path.leaflet-interactive").first.hover(force=True)
    seen.wait("() => document.querySelector('.foliumtooltip')")
    shown = seen.page.locator(".foliumtooltip td").all_inner_texts()
    row = next(row for row in rows if row["name"] == shown[0].strip())
    assert shown[1].strip() == f"{row['numerator']:,}"
    assert shown[2].strip() == f"{row['denominator']:,.2f}"
    assert shown[3].strip() == f"{row['value']:,.2f}"


def test_file_passes_axe(opened):
    """The offline file has no serious or critical finding."""
    _, seen = opened(level="street")
    seen.page.evaluate(AXE.read_text("utf-8"))
    found = seen.page.evaluate("async () => (await axe.run()).violations")
    assert [v["id"] for v in found if v["impact"] in {"serious", "critical"}] == []


def test_file_names_no_other_host_in_a_link(served):
    """No address stands in the file but names in the vendored scripts."""
    html = density_map(served.context, month="2024-03").html
    links = re.findall(r"""(?:src|href)\s*=\s*["']?((?:https?:)?//[^"' >]+)""", html)
    assert set(links) == {"https://leafletjs.com"}  # in leaflet.js; our maps show no attribution
    assert "cdn." not in html


def test_two_files_share_nothing(served):
    """Drawing one map does not change the next, nor folium's own classes."""
    links = json.dumps([folium.Map.default_js, folium.Map.default_css])
    texts = [density_map(served.context, month="2024-03").html for _ in range(2)]
    plain = [re.sub(r"_[0-9a-f]{32}", "", text) for text in texts]
    assert plain[0] == plain[1]
    assert json.dumps([folium.Map.default_js, folium.Map.default_css]) == links


def test_too_many_polygons_are_refused_with_the_web_map_named(served, monkeypatch):
    """Above the cap the error names the limit, the count and the address to use instead."""
    monkeypatch.setattr("maps.folium_map.MAX_POLYGONS", 5)
    with pytest.raises(LimitExceeded, match=r"6 polygons.*at most 5.*/map\?month=2024-03"):
        density_map(served.context, month="2024-03", level="street")
    assert density_map(served.context, month="2024-03", level="auto").level == "district"


def test_figure_counts_shapes_itself():
    """Whatever is drawn, a figure with too many shapes is refused."""
    square = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    feature = {"type": "Feature", "properties": {}, "geometry": square}
    for count, fits in ((offline.MAX_POLYGONS, True), (offline.MAX_POLYGONS + 1, False)):
        chart = folium.Map(tiles=None)
        folium.GeoJson({"type": "FeatureCollection", "features": [feature] * count}).add_to(chart)
        figure = OfflineFigure(chart, PAGE, instead="/map")
        if fits:
            assert "</html>" in figure.render()
        else:
            with pytest.raises(LimitExceeded, match="2,001 polygons"):
                figure.render()


def test_remote_tiles_and_plugins_are_refused():
    """A map that would ask another host is a fault, not a file."""
    with pytest.raises(RemoteLink, match=r"tile\.openstreetmap"):
        OfflineFigure(folium.Map(), PAGE, instead="/map").render()
    from folium.plugins import MarkerCluster  # noqa: PLC0415 - one use

    chart = folium.Map(tiles=None)
    MarkerCluster().add_to(chart)
    with pytest.raises(RemoteLink, match="not vendored"):
        OfflineFigure(chart, PAGE, instead="/map").render()


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"level": "cell"}, InputError),
        ({"lang": "fr"}, InputError),
        ({"month": "2023-01"}, RunNotFound),
    ],
)
def test_wrong_options_are_named(served, options, error):
    """Level, language and month are checked."""
    with pytest.raises(error, match=next(iter(options.values()))):
        density_map(served.context, **{"month": "2024-03", **options})


def test_command_writes_the_file_and_says_the_level(served, tmp_path):
    """`gridgis map density` writes the file and names level, polygons and size."""
    out = tmp_path / "map.html"
    url = served.context.engine.url.render_as_string(hide_password=False)
    done = subprocess.run(  # noqa: S603 - our own command
        [str(Path(sys.executable).parent / "gridgis"), "map", "density", "--month", "2024-03",
         "--out", str(out)],
        capture_output=True, text=True, check=False, env={"GRIDGIS_DATABASE_URL": url, "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "street" in done.stderr
    assert "6 polygons by street" in done.stdout
    assert out.read_text("utf-8").startswith("<!doctype html>")
