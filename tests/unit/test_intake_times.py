"""Times in the shapes of offices (时间解析)."""

import pyarrow as pa
import pytest

from gridgis.intake.times import out_of_years, parse_times


def parsed(texts, formats=(), zone="Asia/Shanghai"):
    """Return parsed times as UTC texts; None where a text is no time."""
    found = parse_times(pa.array(texts, type=pa.string()), tuple(formats), zone)
    return [None if at is None else f"{at:%Y-%m-%d %H:%M:%S}" for at in found.to_pylist()]


@pytest.mark.parametrize(
    "text",
    [
        "2024-11-05 08:30:00", "2024-11-05 08:30", "2024-11-05T08:30:00", "2024-11-05 08:30:00.0",
        "2024/11/05 08:30:00", "2024/11/5 8:30", "2024.11.05 08:30", "2024年11月5日 08:30",
        "2024年11月05日 08时30分", "20241105083000", "202411050830", "2024-11-05T08:30:00+08:00",
        "2024-11-05 00:30:00Z", "2024-11-05T02:30:00.000+0200",
        "45601.354166666664", "2024-11-05T08:30",
    ],
)  # fmt: skip
def test_shapes_of_one_moment(text):
    """All these are half past eight in the morning of 5 November 2024 in China."""
    assert parsed([text]) == ["2024-11-05 00:30:00"]


@pytest.mark.parametrize(
    "text", ["yesterday", "2024-13-01", "2024-02-30", "08:30:00", "2024", "12345678901234567", "-"]
)
def test_what_is_no_time_is_missing(text):
    """What cannot be read is missing, never a guess."""
    assert parsed([text]) == [None]


def test_one_bad_value_leaves_the_others():
    """Mixed shapes in one column are read each for itself, and empty stays missing."""
    texts = ["2024-11-05 08:30:00", "", "2024/11/05", "x", "45601", "20241105"]
    expected = ["2024-11-05 00:30:00", None, "2024-11-04 16:00:00", None, "2024-11-04 16:00:00",
                "2024-11-04 16:00:00"]  # fmt: skip
    assert parsed(texts) == expected


@pytest.mark.parametrize("shape", ["2024-11-05T08:30", "2024-11-05 08", "2024-11-05T08"])
def test_a_shape_is_read_whatever_stands_beside_it(shape):
    """A column of one ISO shape is read fast, a mixed one slowly, and both to the same moment."""
    assert parsed([shape]) == parsed([shape, "2024/01/01"])[:1] != [None]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
@pytest.mark.parametrize("beside", [[], ["2024/03/05"]], ids=["fast", "slow"])
@pytest.mark.parametrize(
    "text",
    [
        "0000-01-01", "0001-01-01", "0001-01-01T00:00:00+08:00", "1899-12-31 23:59:59",
        "2200-01-01", "9999-12-31 23:59:59", "9999-12-31T23:59:59-08:00", "00001",
    ],
)  # fmt: skip
def test_placeholders_are_moments_of_no_year(text, beside, zone):
    """What stands for an unknown time is recognised in every zone, however far off it is."""
    found = parse_times(pa.array([text, *beside]), (), zone)
    assert out_of_years(found, zone).to_pylist() == [True, *(False for _ in beside)]


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "UTC"])
def test_the_years_are_those_of_the_local_clock(zone):
    """The first and the last local second of the years are within, a missing time is not out."""
    found = parse_times(pa.array(["1900-01-01", "2199-12-31 23:59:59", ""]), (), zone)
    assert out_of_years(found, zone).to_pylist() == [False, False, False]


def test_declared_formats_come_first():
    """A declared format decides what its text means, also against ISO."""
    assert parsed(["05.11.2024 08:30"], ["%d.%m.%Y %H:%M"]) == ["2024-11-05 00:30:00"]
    assert parsed(["2024-11-05"], ["%Y-%d-%m"]) == ["2024-05-10 16:00:00"]
    assert parsed(["11/05/2024 08:30:00 PM"], ["%m/%d/%Y %I:%M:%S %p"]) == ["2024-11-05 12:30:00"]


def test_hours_that_the_clock_skips_or_repeats():
    """A repeated hour is the first one; a skipped hour moves to the next that exists."""
    texts = ["2024-10-27 03:30:00", "2024-03-31 03:30:00", "2024-03-31 04:00:00"]
    assert parsed(texts, zone="Europe/Helsinki") == [
        "2024-10-27 00:30:00", "2024-03-31 01:00:00", "2024-03-31 01:00:00",
    ]  # fmt: skip


def test_serial_days_are_rounded_to_the_second():
    """An Excel serial day is a fraction of a day; its seconds are whole again."""
    assert parsed(["45601.00001157407"], zone="UTC") == ["2024-11-05 00:00:01"]
