"""Charts and maps of a report: every character, every value, the same bytes each time."""

import importlib.util
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gridgis.errors import CrsError, InputError, MissingExtra
from gridgis.model.legend import CLASS_COLOURS, ZERO_COLOUR
from gridgis.model.report import Chart, RegionMap, Series
from gridgis.report import canvas
from gridgis.report.charts import draw_chart
from gridgis.report.plain import form_words
from gridgis.report.staticmap import draw_map

SAMPLE = Path(__file__).parents[1] / "data" / "report" / "sample_model.py"
SAY = form_words("zh-CN")
TREND = Chart(
    "trend", "趋势", "line", ("9月", "10月", "11月"), (Series("受理", (5.0, None, 7.0)),), "件",
    break_after=2,
)  # fmt: skip
BARS = Chart("bars", "结案率", "bar", ("甲", "乙"), (Series("本月", (98.77, None)),), "%")


@pytest.fixture(scope="module")
def sample():
    """Return the module that makes report models by hand."""
    spec = importlib.util.spec_from_file_location("sample_model", SAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pixels(picture):
    """Return a picture as an array of colours."""
    return np.asarray(Image.open(BytesIO(picture.png)).convert("RGB"))


def has_colour(picture, colour, least=40):
    """Tell whether a hex colour fills so many pixels."""
    return bool((pixels(picture) == colours_of(colour)).all(axis=2).sum() >= least)


def colours_of(colour):
    """Return a hex colour as numbers."""
    return [int(colour[n : n + 2], 16) for n in (1, 3, 5)]


def names_of(drawer, *arguments, monkeypatch):
    """Return every text that a drawing sets."""
    said = []
    real = canvas.drawn

    def spying(draw, **options):
        def kept(figure):
            draw(figure)
            said.extend(text.get_text() for text in figure.findobj(canvas.mpl.text.Text))

        return real(kept, **options)

    monkeypatch.setattr(f"{drawer.__module__}.drawn", spying)
    drawer(*arguments)
    return [text for text in said if text]


@pytest.mark.parametrize("chart", [TREND, BARS])
def test_a_chart_has_twice_the_pixels_of_its_place(chart):
    """A picture is as wide as the text block of A4 and sharp on paper."""
    picture = draw_chart(chart, SAY)
    height, width, _ = pixels(picture).shape
    assert picture.width == 590
    assert abs(width - 2 * picture.width) <= 1
    assert abs(height - 2 * picture.height) <= 1


@pytest.mark.parametrize("chart", [TREND, BARS])
def test_equal_charts_are_equal_bytes(chart):
    """Drawing twice gives the same file."""
    assert draw_chart(chart, SAY).png == draw_chart(chart, SAY).png


@pytest.mark.parametrize(
    ("values", "shown"),
    [((98.0, None, 97.0), {"98", "—", "97"}), ((98.0, None, 97.125), {"98.00", "—", "97.13"})],
)
def test_a_chart_says_each_value_and_none_where_there_is_none(monkeypatch, values, shown):
    """A bar without a value is a dash, never a zero; values of one chart have equal decimals."""
    chart = replace(BARS, labels=("甲", "乙", "丙"), series=(Series("", values),))
    said = names_of(draw_chart, chart, SAY, monkeypatch=monkeypatch)
    assert shown | {"甲", "乙", "丙", "单位：%"} <= set(said)
    assert "0.00" not in said


def test_a_change_of_the_regime_is_drawn(monkeypatch):
    """The line across which months do not compare is there and named."""
    assert "口径变化" in names_of(draw_chart, TREND, SAY, monkeypatch=monkeypatch)
    assert has_colour(draw_chart(TREND, SAY), canvas.ALARM)
    assert not has_colour(draw_chart(replace(TREND, break_after=None), SAY), canvas.ALARM)


def test_the_label_of_synthetic_data_is_part_of_the_picture(monkeypatch):
    """A picture that is copied out of a report still says that its data are synthetic."""

    def labelled(chart, say):
        return draw_chart(chart, say, notice="合成数据")

    labelled.__module__ = draw_chart.__module__
    assert "合成数据" in names_of(labelled, BARS, SAY, monkeypatch=monkeypatch)


@pytest.mark.parametrize("kind", ["bar", "line"])
@pytest.mark.parametrize("count", [0, 1, 70])
def test_charts_of_any_size_are_drawn(kind, count):
    """No label, one label, very many: a picture that fits on a page."""
    chart = Chart("c", "c", kind, tuple(f"甲{n}" for n in range(count)),
                  (Series("a", (1.0,) * count), Series("b", (None,) * count)), "件")  # fmt: skip
    picture = draw_chart(chart, SAY)
    assert picture.height / 96 <= 8


def test_the_reader_who_does_not_see_a_chart_gets_its_values():
    """The alternative text has title, unit, names and values."""
    assert draw_chart(BARS, SAY).alt == "结案率（单位：%）；本月：甲 98.77，乙 —"


def test_hostile_and_rare_characters_are_drawn_without_boxes(sample):
    """A missing glyph would warn, and a warning fails here; what no font has becomes a geta."""
    for text in (*sample.HOSTILE, "😀\U0010ffff\u200b\ufeff\u3000", "𠮷䶮"):
        draw_chart(Chart("c", text, "bar", (text,), (Series(text, (1.0,)),), text), SAY)
    assert canvas.drawable("a😀\x00\nb") == "a〓 b"
    assert canvas.shortened("一二三四五", 4) == "一二三…"


def test_a_missing_font_is_an_error_that_says_what_to_install():
    """Boxes are never drawn in place of characters."""
    with pytest.raises(MissingExtra, match="fonts-noto-cjk"):
        canvas.font_path("No Such Font")


def test_regions_have_the_colours_of_their_classes(sample):
    """Each square has the colour of its class in the web legend; zero has a colour of its own."""
    codes = [code for code, *_ in sample.REGIONS]
    values = dict(zip(codes, (0.0, 1.0, 10.0, 100.0, 1000.0, 10000.0), strict=False))
    block = RegionMap("m", "图", values, {}, "件")
    picture = draw_map(block, sample.sample_shapes(), SAY)
    for colour in (ZERO_COLOUR, *CLASS_COLOURS):
        assert has_colour(picture, colour, least=2000), colour
    seen = pixels(picture)[690]  # a line through the lowest squares, below their names
    found = [seen[40 + 183 * n].tolist() for n in range(4)]
    assert found == [colours_of(c) for c in (ZERO_COLOUR, *CLASS_COLOURS[:3])]


def test_a_map_says_names_values_counts_and_what_is_missing(sample, monkeypatch):
    """The legend has the classes with how many regions, the list has every region."""
    model = sample.sample_model()
    [block] = [b for s in model.sections for b in s.blocks if isinstance(b, RegionMap)]
    said = names_of(draw_map, block, sample.sample_shapes(), SAY, monkeypatch=monkeypatch)
    for _, name, _ in sample.REGIONS:
        assert any(text.startswith(name) for text in said), name
    assert "无数据 (1 个)" in said
    assert "0 (1 个)" in said
    assert "滇中新区（直管区）（未绘）" in said
    assert "底图：无；坐标：CGCS2000；虚线为近似边界" in said
    assert "边界来源：手绘示例" in said
    counts = [int(text.rpartition("(")[2].split()[0]) for text in said if text.endswith(" 个)")]
    assert sum(counts) == len(sample.REGIONS)


def test_classes_of_rates_are_ranges_with_two_decimals(sample, monkeypatch):
    """Rates are classed as rates: no class starts at the next whole number."""
    values = {"990101": 90.1, "990102": 98.77}
    block = RegionMap("m", "图", values, {"990101": "90.10%", "990102": "98.77%"}, "%")
    said = names_of(draw_map, block, sample.sample_shapes(), SAY, monkeypatch=monkeypatch)
    assert {"≤ 90.10 (1 个)", "90.10 – 98.77 (1 个)"} <= set(said)


def test_shapes_in_degrees_and_in_metres_look_alike(sample):
    """The map keeps its proportions whatever the CRS of the shapes."""
    block = RegionMap("m", "图", {"990101": 1.0}, {}, "件")
    sizes = []
    for crs in ("EPSG:4326", "EPSG:4543"):
        picture = pixels(draw_map(block, sample.sample_shapes(crs), SAY))[:600, :740]
        rows, columns = np.nonzero((picture < 250).any(axis=2))
        sizes.append((np.ptp(rows), np.ptp(columns)))
    assert abs(sizes[0][1] / sizes[0][0] - sizes[1][1] / sizes[1][0]) < 0.03


def test_shapes_without_crs_and_negative_values_are_refused(sample):
    """What would be drawn wrongly is not drawn."""
    block = RegionMap("m", "图", {"990101": 1.0}, {}, "件")
    with pytest.raises(CrsError, match="no CRS"):
        draw_map(block, sample.sample_shapes().set_crs(None, allow_override=True), SAY)
    with pytest.raises(InputError, match="region 990101 has -1"):
        draw_map(replace(block, values={"990101": -1.0}), sample.sample_shapes(), SAY)
    with pytest.raises(InputError, match="nan"):
        draw_map(replace(block, values={"990101": float("nan")}), sample.sample_shapes(), SAY)


def test_a_map_without_shapes_lists_its_values(sample, monkeypatch):
    """A city without borders gets the list and is told why there is no map."""
    block = RegionMap("m", "图", {"990101": 1.0}, {"990101": "1件"}, "件")
    none = sample.sample_shapes().iloc[:0]
    said = names_of(draw_map, block, none, SAY, monkeypatch=monkeypatch)
    assert {"没有区域边界，无法绘图", "990101（未绘）", "1件"} <= set(said)


def test_very_many_regions_fit_on_a_page(sample):
    """More regions than a list holds are drawn without one."""
    shapes = sample.sample_shapes().iloc[:12]
    many = shapes.loc[shapes.index.repeat(12)].copy()
    many["code"] = [f"{n:06}" for n in range(len(many))]
    block = RegionMap("m", "图", dict.fromkeys(many["code"], 1.0), {}, "件")
    assert draw_map(block, many, SAY).height / 96 <= 8.6
