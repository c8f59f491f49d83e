"""One chunk of texts under check: fields as columns, rejects with their reasons (逐块检查)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.intake.columns import Distinct, mask, matches, plain, rows_with_nul, trimmed
from gridgis.intake.rejects import Reject, shown_value
from gridgis.intake.rules import remedy
from gridgis.intake.times import YEARS, out_of_years, parse_times

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gridgis.intake.mapping import CaseMapping
    from gridgis.intake.tables import Chunk
    from gridgis.model.profile import CityProfile

    BoolArray = NDArray[np.bool_]

TRUE_WORDS = {"true", "1", "是", "y", "yes", "t", "真", "自处置"}
FALSE_WORDS = {"false", "0", "否", "n", "no", "f", "假", ""}
_SCIENTIFIC = r"^[0-9](\.[0-9]+)?[eE]\+[0-9]+$"
_LONGEST_NUMBER = 64


class Work:
    """
    One chunk of a file under check (检查中的一块).

    Parameters
    ----------
    columns : mapping
        Field to header.
    """

    def __init__(
        self,
        chunk: Chunk,
        *,
        profile: CityProfile,
        mapping: CaseMapping,
        columns: Mapping[str, str],
    ) -> None:
        self.chunk = chunk
        self.profile = profile
        self.mapping = mapping
        self.columns = columns
        self.rows = chunk.table
        self.numbers = chunk.numbers
        self.ok = np.ones(len(self.numbers), dtype=bool)
        self.rejects: dict[int, Reject] = {}
        self.out: dict[str, pa.Array] = {"row_no": pa.array(self.numbers, type=pa.int32())}
        self._texts: dict[str, pa.Array] = {}

    def text(self, name: str) -> pa.Array:
        """Return a field as trimmed text; constants and missing columns included."""
        if name not in self._texts:
            header = self.columns.get(name)
            constant = self.mapping.constants.get(name, "")
            self._texts[name] = (
                pa.repeat(constant, len(self.numbers))
                if header is None
                else trimmed(self.rows[header])
            )
        return self._texts[name]

    def distinct(self, name: str) -> Distinct:
        """Return a field by its distinct texts, the mapping's own values replaced."""
        found = Distinct.of(self.text(name))
        own = self.mapping.values.get(name, {})
        return Distinct([own.get(value, value) for value in found.values], found.codes)

    def header(self, name: str) -> str:
        """Return the header a person sees for a field."""
        return self.columns.get(name, name)

    def reject(
        self,
        bad: BoolArray,
        name: str,
        rule: str,
        hint: Callable[[str], str] = lambda _: "",
        **facts: object,
    ) -> None:
        """Reject rows; the first reason of a row stays."""
        fresh = np.flatnonzero(bad & self.ok)
        self.ok &= ~bad
        if not len(fresh):
            return
        column, language = self.header(name), self.profile.language
        values = self.text(name).take(pa.array(fresh)).to_pylist()
        remedies: dict[str, str] = {}
        for at, value in zip(fresh, values, strict=True):
            shown = shown_value(value)
            if value not in remedies:
                known = {"value": shown, "column": column, "hint": hint(value), **facts}
                remedies[value] = remedy(rule, language, **known)
            number = int(self.numbers[at])
            self.rejects[number] = Reject(number, column, shown, rule, remedies[value])

    def nul(self) -> None:
        """Refuse rows with NUL characters, whatever column they stand in."""
        bad = rows_with_nul(self.rows)
        if bad.any():
            for name in self.columns:
                own = mask(pc.match_substring(self.text(name), "\0"))
                self.reject(own, name, "nul_character")
            self.reject(bad, next(iter(self.columns)), "nul_character")

    def require(self, name: str, given: Distinct) -> None:
        """Reject rows whose field is empty."""
        self.reject(given.where([not value for value in given.values]), name, "required")

    def moment(self, name: str, *, required: bool = False) -> pa.Array:
        """Return a field as times in UTC; one in no year that a case can have is refused."""
        given = plain(self.text(name))
        zone = self.mapping.time_zone or self.profile.time_zone
        found = parse_times(given, self.mapping.time_formats, zone)
        unread = pc.and_(pc.is_null(found), pc.not_equal(given, ""))
        self.reject(mask(unread), name, "not_a_time")
        outside = mask(out_of_years(found, zone))
        self.reject(outside, name, "time_out_of_range", first=YEARS[0], last=YEARS[-1])
        if required:
            self.reject(mask(pc.equal(given, "")), name, "required")
        return found

    def number(self, name: str, *, required: bool = True) -> pa.Array:
        """Return the number of a record: whole text, not one that a spreadsheet has rounded."""
        given = plain(self.text(name))
        if required:
            self.reject(mask(pc.equal(given, "")), name, "required")
        self.reject(matches(given, _SCIENTIFIC), name, "rounded_number")
        too_long = mask(pc.greater(pc.utf8_length(given), _LONGEST_NUMBER))
        self.reject(too_long, name, "too_long", limit=_LONGEST_NUMBER)
        return given

    def flag(self, name: str) -> pa.Array:
        """Return a yes-or-no field; an empty one is no."""
        given = self.distinct(name)
        flags = given.each(lambda value: value.lower() in TRUE_WORDS)
        wrong = given.each(lambda value: value.lower() not in TRUE_WORDS | FALSE_WORDS)
        self.reject(given.where(wrong), name, "not_a_flag")
        return given.spread(flags, pa.bool_())
