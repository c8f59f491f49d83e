"""Times in the shapes that offices write them (时间解析)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.intake.columns import nullable
from gridgis.intake.schema import UTC_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

    BoolArray = NDArray[np.bool_]
    Moments = NDArray[np.datetime64]

_MICROS = pa.timestamp("us")
_WITH_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_SERIAL = r"^\d{5}(?:\.\d+)?$"
_EXCEL_EPOCH = "1899-12-30"
_EDGE_YEAR = re.compile(r"^(?:0000|0001|9999)")
_SHIFTABLE = np.array(["0001-01-03", "9999-12-29"], dtype="datetime64[us]")
YEARS = range(1900, 2200)
"""Years in which something can have happened; what lies outside is a placeholder or a slip."""
_ISO = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H", "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H",
)  # fmt: skip
"""What `_iso` reads."""
_FORMATS = (
    *_ISO, "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d",
    "%Y.%m.%d %H:%M:%S", "%Y.%m.%d %H:%M", "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日",
    "%Y年%m月%d日 %H时%M分%S秒", "%Y年%m月%d日 %H时%M分",
)  # fmt: skip
_COMPACT = {14: "%Y%m%d%H%M%S", 12: "%Y%m%d%H%M", 8: "%Y%m%d"}
"""By number of digits: strptime alone would read 12 digits as hours, minutes and seconds."""


def parse_times(texts: pa.Array, formats: tuple[str, ...], time_zone: str) -> pa.Array:
    """
    Parse local times to UTC; what cannot be read is missing (解析时间).

    Parameters
    ----------
    texts : (n,) string
        Empty is missing. ISO with an offset, the given formats, the usual Chinese ones and Excel
        serial days are understood.
    formats : tuple of str
        strptime formats, tried first.
    time_zone : str
        IANA zone of times without an offset. An hour that exists twice is the first one; an hour
        that the clock skips moves to the next that exists.

    Returns
    -------
    (n,) timestamp[us, UTC]
        Also of years that no case can have: see `out_of_years`.
    """
    given = nullable(texts)
    if given.null_count == len(given):
        return pa.nulls(len(given), UTC_US)
    local = _iso(given) if all(f in _ISO or not f.startswith("%Y-") for f in formats) else None
    if local is not None:
        return pa.array(_to_utc(local, time_zone)).cast(UTC_US)
    return pa.array(_by_formats(pd.Series(texts.to_pylist(), dtype=str), formats, time_zone)).cast(
        UTC_US
    )


def out_of_years(moments: pa.Array, time_zone: str) -> pa.Array:
    """Tell which moments lie in none of `YEARS`, by the clock of a zone; a missing one does not."""
    years = [f"{year}-01-01" for year in (YEARS.start, YEARS.stop)]
    first, end = pa.array(_to_utc(np.array(years, dtype="datetime64[us]"), time_zone)).cast(UTC_US)
    outside = pc.or_(pc.less(moments, first), pc.greater_equal(moments, end))
    return pc.fill_null(outside, fill_value=False)


def _iso(given: pa.Array) -> Moments | None:
    """Return ISO times without an offset, the fast way; None if a single one is another thing."""
    try:
        moments: Moments = pc.cast(given, _MICROS).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return moments


def _by_formats(texts: pd.Series[str], formats: tuple[str, ...], time_zone: str) -> Moments:
    """Try one shape after the other on what is left."""
    result = np.full(len(texts), np.datetime64("NaT", "us"))
    empty = (texts == "").to_numpy()

    def take(tried: BoolArray, found: pd.Series[pd.Timestamp]) -> None:
        good = found.notna().to_numpy()
        local = found[good].astype("datetime64[us]").to_numpy()
        result[np.flatnonzero(tried)[good]] = _to_utc(local, time_zone)

    for layout in dict.fromkeys((*formats, *_FORMATS)):
        left = np.isnat(result) & ~empty
        if not left.any():
            return result
        take(left, pd.to_datetime(texts[left], format=layout, errors="coerce"))
    for digits, layout in _COMPACT.items():
        tried = np.isnat(result) & texts.str.fullmatch(rf"[0-9]{{{digits}}}").to_numpy(dtype=bool)
        take(tried, pd.to_datetime(texts[tried], format=layout, errors="coerce"))
    tried = np.isnat(result) & texts.str.match(_SERIAL).to_numpy(dtype=bool)
    take(tried, _serial(texts[tried]))
    tried = np.isnat(result) & texts.str.contains(_WITH_OFFSET).to_numpy(dtype=bool)
    # Pandas fails on a year at either edge of the calendar; another far one says the same.
    inner = texts[tried].str.replace(_EDGE_YEAR, "9998", regex=True)
    aware = pd.to_datetime(inner, format="ISO8601", errors="coerce", utc=True)
    result[tried] = aware.dt.tz_localize(None).astype("datetime64[us]").to_numpy()
    return result


def _to_utc(local: Moments, time_zone: str) -> Moments:
    """Return local times as UTC; those at the edges of the calendar stay, as they cannot move."""
    moments = local.copy()
    inner = (local >= _SHIFTABLE[0]) & (local <= _SHIFTABLE[1])
    aware = pd.DatetimeIndex(local[inner]).tz_localize(
        time_zone, ambiguous=np.ones(inner.sum(), dtype=bool), nonexistent="shift_forward"
    )
    moments[inner] = aware.tz_convert("UTC").tz_localize(None).as_unit("us").to_numpy()
    return moments


def _serial(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Return Excel serial days as local times, to the second."""
    return pd.to_datetime(pd.to_numeric(texts), unit="D", origin=_EXCEL_EPOCH).dt.round("s")
