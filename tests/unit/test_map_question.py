"""The state of a map page in its address, and the colours of its classes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridgis.errors import InputError
from gridgis.model.legend import CLASS_COLOURS, colour_number, colour_numbers
from maps.question import NAMES, Question, language_of, read_question
from maps.text import safe


def read(query):
    """Return the question of `name=value&…`."""
    return read_question(
        [tuple(pair.split("=")) for pair in query.split("&") if pair], time_zone="Asia/Shanghai"
    )


def test_address_is_canonical_and_leaves_defaults_out():
    """Any order in, one order out; unset and empty parameters vanish."""
    question = read("run=3&source=&category=S05&month=2024-11")
    assert question.address() == "/map?month=2024-11&category=S05&run=3"
    assert question.address(category=None, run=None) == "/map?month=2024-11"
    assert Question().address() == "/map"


VALUES = st.text("abcS019 &=?#%中文<>\"'", min_size=1).map(str.strip).filter(bool)


@given(st.dictionaries(st.sampled_from(["source", "category", "district"]), VALUES))
def test_address_survives_any_value(filters):
    """What an address is written from is read back from it."""
    from urllib.parse import parse_qsl, urlsplit  # noqa: PLC0415 - one use

    question = Question(month="2024-11", **filters)
    pairs = parse_qsl(urlsplit(question.address()).query)
    assert read_question(pairs, time_zone="Asia/Shanghai") == question


@pytest.mark.parametrize(
    ("query", "name"),
    [("month=2024-13", "month"), ("month=november", "month"), ("run=0", "run"), ("run=-1", "run"),
     ("run=1e9", "run"), ("run=99999999999", "run"), ("lang=fr", "lang"), ("sel=cell:12", "sel"),
     ("sel=530102001001001", "sel")],
)  # fmt: skip
def test_bad_value_names_its_parameter(query, name):
    """Each parameter is checked, and the error carries name and value."""
    with pytest.raises(InputError) as caught:
        read(query)
    assert caught.value.context == {"parameter": name, "value": query.split("=")[1]}


def test_unknown_parameters_are_kept_to_be_reported():
    """A misspelt name is no filter and is not forgotten."""
    assert read("monht=2024-11&x=1").unknown == ("monht", "x")


def test_language_of_an_error_page_is_always_one_of_ours():
    """A wrong language falls back."""
    assert language_of([("lang", "en")]) == "en"
    assert language_of([("lang", "xx")]) == "zh-CN"
    assert language_of([], "en") == "en"


def test_parameters_are_those_of_the_documentation():
    """The order of the address is fixed: links that people keep depend on it."""
    assert NAMES == ("month", "source", "category", "district", "lang", "run", "sel")


@pytest.mark.parametrize(
    ("classes", "numbers"),
    [(1, (3,)), (2, (1, 5)), (3, (1, 3, 5)), (5, (1, 2, 3, 4, 5))],
)
def test_few_classes_span_the_palette(classes, numbers):
    """Two classes are far apart, one takes the middle."""
    assert colour_numbers(classes) == numbers
    assert max(numbers) <= len(CLASS_COLOURS)


def test_value_on_a_bound_belongs_to_the_class_below():
    """Classes are (lo, hi]; zero has its own colour; above the last bound is the last class."""
    bounds = (1, 2, 4, 6, 9)
    values = (0, 1, 1.5, 2, 9, 12)
    assert [colour_number(v, bounds) for v in values] == [0, 1, 2, 2, 5, 5]
    assert colour_number(3, ()) == 0


def test_safe_text_has_nothing_that_javascript_or_html_reads():
    """No markup, no template literal, no address survives; the text can be read back."""
    import html  # noqa: PLC0415 - one use

    text = "<b>`${x}` \\ {{y}} \"'&</script> http://a.b"
    made = safe(text)
    assert not set("<>`$\\{}\"'") & set(made)
    assert "://" not in made
    assert html.unescape(made) == text
