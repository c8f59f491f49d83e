"""Numbers and sentences in both languages (措辞)."""

import re
import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

import gridgis.report
from gridgis.model.figures import Figure, sliced
from gridgis.report.wording import Said, words_of

ZH, EN = words_of("zh-CN"), words_of("en")
TABLES = tomllib.loads((files("gridgis.report") / "wording.toml").read_text(encoding="utf-8"))
DUE, ON_TIME = sliced("tasks", "due"), sliced("tasks", "on_time")


def rate(part, whole, digits=2):
    """Return a rate of tasks."""
    return Figure("k", "", "", Decimal(part), ON_TIME, Decimal(whole), DUE, digits)


@pytest.mark.parametrize(("figure", "printed"), [
    (rate(1, 800), "0.13%"),  # 0.125: half up
    (rate(201, 20000), "1.01%"),  # 1.005
    (rate(96955, 166595), "58.20%"),
    (rate(494, 494), "100%"),
    (rate(199999, 200000), "100.00%"),  # not all of them
    (rate(0, 0), "—"),
    (rate(0, 5), "0.00%"),
    (rate(730, 913, 0), "80%"),
    (rate(1, 200, 0), "1%"),  # 0.5
    (rate("8.25", "33"), "25.00%"),  # weights have decimals
])  # fmt: skip
def test_rates_are_printed_exactly(figure, printed):
    """Half up, trailing zeros kept, all of them is 100%, none of none is a dash."""
    assert (ZH.text(figure), EN.text(figure)) == (printed, printed)


@pytest.mark.parametrize(("number", "zh", "en"), [
    (166595, "166595", "166,595"), (0, "0", "0"), (Decimal("1200.50"), "1200.5", "1,200.5"),
    (Decimal("1E+3"), "1000", "1,000"),
])  # fmt: skip
def test_counts_are_printed_as_the_language_does(number, zh, en):
    """Chinese reports have no separators; weights keep the decimals that they have."""
    assert (ZH.number(number), EN.number(number)) == (zh, en)


def test_a_number_carries_its_noun():
    """One case, two cases; in Chinese the measure word is part of the sentence."""
    said = [EN.say("recurrent_place", place="P", subcategory="S", n=n).text for n in (1, 2)]
    assert said == ["P, S (1 complaint)", "P, S (2 complaints)"]
    assert ZH.say("recurrent_place", place="P", subcategory="S", n=1).text == "PS问题（投诉1次）"


def test_a_sentence_tells_its_figures():
    """Keys of figures come along through clauses and lists, once each and in order."""
    parts = [ZH.say("level", level="x", n=rate(1, 2)), Said("y", ("k", "other"))]
    whole = ZH.say("whistles_short", n=3, levels=ZH.join("items", parts))
    assert whole.keys == ("k", "other")


@pytest.mark.parametrize(("n", "zh", "en"), [
    (0, "", ""), (1, "A", "A"), (2, "A和B", "A and B"), (3, "A、B和C", "A, B and C"),
])  # fmt: skip
def test_names_are_listed(n, zh, en):
    """The last name follows "and"."""
    assert (ZH.join("names", "ABC"[:n]).text, EN.join("names", "ABC"[:n]).text) == (zh, en)


def test_english_sentences_begin_with_a_capital():
    """A sentence that begins with a clause is still a sentence."""
    assert EN.join("sentences", ["first one.", "second one."]).text == "First one. Second one."


@pytest.mark.parametrize("name", [name for name in TABLES if name != "figure"])
def test_every_wording_is_in_both_languages(name):
    """Neither language lacks a word; English takes no value that Chinese is not given."""
    for key, entry in TABLES[name].items():
        assert set(entry) == {"zh", "en"}, key
        zh, en = (set(re.findall(r"\{(\w+)", str(entry[code]))) for code in ("zh", "en"))
        assert en <= zh or key in ("month", "month_full", "day"), key
        if name == "table":
            assert len(entry["zh"]) == len(entry["en"]), key


def test_every_figure_is_defined_in_both_languages():
    """A label names what is counted, a definition how."""
    for key, entry in TABLES["figure"].items():
        assert set(entry) == {"zh", "en", "zh_is", "en_is"}, key
        assert all(entry.values()), key


def test_no_sentence_is_left_over():
    """Every sentence of the wording is said somewhere."""
    folder = Path(gridgis.report.__file__).parent
    code = "".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    composed = ("_placeholder", "compare_", "_brief")
    unused = {
        key
        for key in TABLES["say"]
        if f'"{key}"' not in code and not any(c in key for c in composed)
    }
    assert unused == set()
