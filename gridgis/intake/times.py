"""Times in the shapes that offices write them (时间解析)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]
    Moments = NDArray[np.datetime64]

_WITH_OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
_SERIAL = r"^\d{5}(?:\.\d+)?$"
_EXCEL_EPOCH = "1899-12-30"
_FORMATS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y年%m月%d日 %H:%M:%S",
    "%Y年%m月%d日 %H时%M分", "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d%H%M%S",
)  # fmt: skip


def parse_times(
    texts: pd.Series[str], formats: tuple[str, ...], time_zone: str
) -> pd.Series[pd.Timestamp]:
    """
    Parse local times to UTC; what cannot be read is NaT.

    Parameters
    ----------
    texts : (n,) str
        Empty is missing. ISO with an offset, the given formats, the usual Chinese ones and Excel
        serial days are understood.
    formats : tuple of str
        strptime formats, tried first.
    time_zone : str
        IANA zone of times without an offset. An hour that exists twice is the first one; an hour
        that the clock skips moves to the next that exists.
    """
    result = np.full(len(texts), np.datetime64("NaT", "us"))
    left = (texts != "").to_numpy()
    for layout in dict.fromkeys((*formats, *_FORMATS)):
        if not left.any():
            break
        found = pd.to_datetime(texts[left], format=layout, errors="coerce")
        left = _store(result, found, left, time_zone)
    if left.any():
        left = _store(result, _serial(texts[left]), left, time_zone)
    if left.any():
        offset = left & texts.str.contains(_WITH_OFFSET).to_numpy(dtype=bool)
        aware = pd.to_datetime(texts[offset], format="ISO8601", errors="coerce", utc=True)
        result[offset] = _utc_micros(aware)
    return pd.Series(result, index=texts.index).dt.tz_localize("UTC")


def _store(result: Moments, local: pd.Series[pd.Timestamp], left: Mask, time_zone: str) -> Mask:
    """Localise what was found and return what is still left."""
    good = local.notna().to_numpy()
    if not good.any():
        return left
    found = local[good].astype("datetime64[us]")
    aware = found.dt.tz_localize(
        time_zone, ambiguous=np.ones(len(found), dtype=bool), nonexistent="shift_forward"
    )
    positions = np.flatnonzero(left)[good]
    result[positions] = _utc_micros(aware)
    still = left.copy()
    still[positions] = False
    return still


def _utc_micros(aware: pd.Series[pd.Timestamp]) -> Moments:
    plain = aware.dt.tz_convert("UTC").dt.tz_localize(None).astype("datetime64[us]")
    moments: Moments = plain.to_numpy()
    return moments


def _serial(texts: pd.Series[str]) -> pd.Series[pd.Timestamp]:
    """Return Excel serial days as local times, to the second."""
    days = pd.to_numeric(texts.where(texts.str.match(_SERIAL)), errors="coerce")
    return pd.to_datetime(days, unit="D", origin=_EXCEL_EPOCH).dt.round("s")
