"""Half-open periods in the city's local time (统计时段)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from gridgis.errors import PeriodError

FIRST_YEAR, LAST_YEAR = 1900, 2200
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Period:
    """
    A half-open period ``[start, end)`` of timezone-aware instants (半开区间).

    Raises
    ------
    PeriodError
        If an end is naive or not after the start.
    """

    start: datetime
    end: datetime
    label: str

    def __post_init__(self) -> None:
        """Refuse naive and empty periods."""
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise PeriodError(f"period {self.label}: both ends need a time zone")
        if self.end <= self.start:
            raise PeriodError(
                f"period {self.label}: the end {self.end.isoformat()} must lie after "
                f"the start {self.start.isoformat()} (periods are half open)"
            )

    @classmethod
    def month(cls, text: str, time_zone: str) -> Period:
        """
        Return the local month ``YYYY-MM`` of a city.

        Parameters
        ----------
        text : str
            Month as ``2024-11``.
        time_zone : str
            IANA name of the city's time zone.

        Raises
        ------
        PeriodError
            If `text` is not a month.
        """
        match = _MONTH.fullmatch(text)
        if match is None:
            raise PeriodError(f"month {text!r}: expected YYYY-MM, for example 2024-11")
        zone = ZoneInfo(time_zone)
        year, month = int(match[1]), int(match[2])
        if not FIRST_YEAR <= year < LAST_YEAR:
            raise PeriodError(
                f"month {text!r}: the year must lie between {FIRST_YEAR} and {LAST_YEAR - 1}"
            )
        start = datetime(year, month, 1, tzinfo=zone)
        after = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
        return cls(start, after, text)
