"""
Draft a mapping from the headers and values of a file (建议列映射).

A header that says what a field is called counts most; values decide where headers say nothing:
names of the catalogue, of sources and regions, 15-digit codes, coordinates inside the city. What
could not be matched is said in the draft.
"""

from __future__ import annotations

import difflib
import json
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.errors import SchemaError
from gridgis.intake.columns import mask, matches, numbers, plain, trimmed
from gridgis.intake.mapping import GEOMETRY_HEADERS, close_words, header_key
from gridgis.intake.names import Names
from gridgis.intake.reader import open_table
from gridgis.intake.times import parse_times
from gridgis.intake.work import FALSE_WORDS, TRUE_WORDS
from gridgis.model.case import CASE_FIELDS, CaseField, FieldKind
from gridgis.model.ledger import required_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from gridgis.intake.tables import TableFile
    from gridgis.model.profile import CityProfile

SAMPLE_ROWS = 5_000
_FORMATS = (
    (),
    ("%d.%m.%Y %H:%M",),
    ("%d.%m.%Y %H:%M:%S",),
    ("%d.%m.%Y",),
    ("%d/%m/%Y %H:%M",),
    ("%d/%m/%Y %H:%M:%S",),
    ("%m/%d/%Y %H:%M",),
    ("%m/%d/%Y %H:%M:%S",),
    ("%m/%d/%Y %I:%M:%S %p",),
    ("%d/%m/%Y",),
    ("%m/%d/%Y",),
)
_EXACT, _PART, _LIKE = 1.0, 0.7, 0.6
_LIKENESS = 0.85
_SURE, _LIKELY = 0.7, 0.5
_LOOKED_AT = 500
_DATE = r"^[0-9]{1,4}(-|/|\.|年)[0-9]{1,2}(-|/|\.|月)[0-9]{1,4}"
_SHOWN = 15
_FLAGS = TRUE_WORDS | FALSE_WORDS
_BY_VALUES = frozenset({"subcategory", "source", "stated_region", "cell_code_stated", "x", "y"})
"""Fields whose values tell them apart, whatever the header says."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A drafted mapping (列映射草稿)."""

    text: str
    """TOML, with comments about what is open."""
    missing: tuple[str, ...]
    """Required fields that nothing in the file looks like."""


def suggest_mapping(
    path: Path, *, profile: CityProfile, sheet: str | None = None, encoding: str | None = None
) -> Draft:
    """
    Draft the mapping of a file of cases (建议列映射).

    Raises
    ------
    SchemaError
        If the file cannot be read or holds no row.
    """
    table = open_table(path, sheet=sheet, encoding=encoding, language=profile.language)
    sample = _sample(table)
    formats = _time_formats(sample, profile)
    fits = _Fits(profile, formats)
    chosen = _assign(sample, fits, has_geometry=table.has_geometry)
    placed = {*chosen, *(GEOMETRY_HEADERS if table.has_geometry else ())}
    missing = tuple(name for name in required_fields("cases") if name not in placed)
    rest = [h for h in sample if h not in {*chosen.values(), *GEOMETRY_HEADERS.values()}]
    rows = len(next(iter(sample.values())))
    lines = [
        f"# Draft for {path.name}, from its headers and {rows:,} rows: read it and complete it.",
        "# The CRS of the coordinates is no part of a mapping: pass it with --crs.",
        "",
        *_columns(chosen, placed, missing),
        *_left_over(rest, sample, fits),
        *_values(chosen, sample, fits),
    ]
    if formats:
        lines += ["", "[times]", f"formats = {_toml(list(formats))}", *_ambiguous(formats)]
    if sheet is not None:
        lines += ["", "[file]", f"sheet = {_toml(sheet)}"]
    return Draft("\n".join(lines) + "\n", missing)


def _sample(table: TableFile) -> dict[str, pa.Array]:
    """Return the first rows, by header."""
    first = next(iter(table.chunks(table.headers)), None)
    if first is None or len(first.numbers) == 0:
        raise SchemaError(f"{table.name}: the file is empty: it has a header, but no row")
    rows = first.table.slice(0, SAMPLE_ROWS)
    return {name: trimmed(rows[name]) for name in rows.column_names}


# ------------------------------------------------------------------- evidence


class _Fits:
    """How well values suit a field: the share that does, or None without evidence."""

    def __init__(self, profile: CityProfile, formats: tuple[str, ...]) -> None:
        self.names = Names.of(profile)
        self._profile = profile
        self._formats = formats

    def __call__(self, field: CaseField, texts: pa.Array) -> float | None:
        values = _filled(texts)
        known = self.known(field.name)
        if len(values) == 0:
            return None
        if known is not None:
            return float(np.mean([known(value) for value in values.to_pylist()]))
        if field.kind is FieldKind.TIME:
            return self.times(values)
        if field.name in {"x", "y"}:
            return self._inside(values, axis=("x", "y").index(field.name))
        if field.name == "case_no":
            return len(values.unique()) / len(values)
        return None

    def known(self, field: str) -> Callable[[str], bool] | None:
        """Return what tells whether a value of a field is one."""
        names = self.names
        tests: dict[str, Callable[[str], bool]] = {
            "subcategory": lambda value: names.find_category(value) is not None,
            "source": lambda value: names.find_source(value) is not None,
            "stated_region": lambda value: names.find_region(value) != (None, False),
            "self_handled": lambda value: value.lower() in _FLAGS,
            "cell_code_stated": lambda value: len(value) == 15 and value.isdigit(),  # noqa: PLR2004
        }
        return tests.get(field)

    def times(self, values: pa.Array) -> float:
        """Return the share that reads as a time; numbers alone are none."""
        texts = plain(values)
        if matches(texts, _DATE).mean() < _LIKELY:
            return 0.0
        parsed = parse_times(texts, self._formats, self._profile.time_zone)
        return float(mask(parsed.is_valid()).mean())

    def _inside(self, values: pa.Array, *, axis: int) -> float:
        found = numbers(plain(values))
        low, high = self._profile.extent[axis], self._profile.extent[axis + 2]
        metres = np.abs(found) > 10_000  # noqa: PLR2004 - eastings and northings, no degrees
        return float(np.mean(((found >= low) & (found <= high)) | metres))


def _time_formats(sample: dict[str, pa.Array], profile: CityProfile) -> tuple[str, ...]:
    """Return the format that reads most times of the file; none if the usual ones do."""

    def read(formats: tuple[str, ...]) -> float:
        fits = _Fits(profile, formats)
        return sum(fits.times(texts) for texts in map(_filled, sample.values()) if len(texts))

    return max(_FORMATS, key=read)


def _filled(texts: pa.Array) -> pa.Array:
    """Return some of the values that are not empty."""
    return texts.filter(pc.not_equal(texts, "")).slice(0, _LOOKED_AT)


def _likeness(field: CaseField, header: str) -> float:
    """Return how much a header reads like one of the names of a field."""
    given = header_key(header.rsplit("/", 1)[-1])
    keys = [header_key(n) for n in (field.name, field.label_zh, field.label_en, *field.aliases)]
    if given in keys or header_key(header) in keys:
        return _EXACT
    if any(_telling(key) and (key in given or (_telling(given) and given in key)) for key in keys):
        return _PART
    best = max(difflib.SequenceMatcher(None, key, given).ratio() for key in keys)
    return _LIKE if best >= _LIKENESS else 0.0


def _telling(key: str) -> bool:
    """Tell whether a name is long enough to mean something inside another."""
    wide = sum(unicodedata.east_asian_width(letter) == "W" for letter in key)
    return wide >= 2 or len(key) >= 5  # noqa: PLR2004 - 来源, source


def _assign(sample: dict[str, pa.Array], fits: _Fits, *, has_geometry: bool) -> dict[str, str]:
    """Give every field the header that suits it best, the surest pairs first."""
    pairs: list[tuple[float, int, CaseField, str]] = []
    for field in CASE_FIELDS:
        if has_geometry and field.name in GEOMETRY_HEADERS:
            continue
        for position, header in enumerate(sample):
            score = _score(field, header, fits(field, sample[header]))
            if score > 0:
                pairs.append((score, -position, field, header))
    chosen: dict[str, str] = {}
    for _, _, field, header in sorted(pairs, key=lambda pair: pair[:2], reverse=True):
        if field.name not in chosen and header not in chosen.values():
            chosen[field.name] = header
    for one, other in (("x", "y"), ("y", "x")):
        if one in chosen and other not in chosen:
            del chosen[one]
    return {field.name: chosen[field.name] for field in CASE_FIELDS if field.name in chosen}


def _score(field: CaseField, header: str, fit: float | None) -> float:
    alike = _likeness(field, header)
    if alike == 0.0:
        return fit if field.name in _BY_VALUES and fit is not None and fit >= _SURE else 0.0
    if fit is not None and fit < _LIKELY and field.name != "subcategory":
        return 0.0
    return alike + (fit or 0.0)


# ---------------------------------------------------------------------- draft


def _columns(chosen: dict[str, str], placed: set[str], missing: Sequence[str]) -> list[str]:
    lines = ["[columns]", *(f"{name} = {_toml(header)}" for name, header in chosen.items())]
    about = {field.name: f"{field.label_en} ({field.label_zh})" for field in CASE_FIELDS}
    if missing:
        lines.append("# REQUIRED, and nothing in the file looks like it: name its header, or give")
        lines.append("# all rows one value under [constants].")
        lines += [f'# {name} = ""  # {about[name]}' for name in missing]
    free = [name for name in about if name not in placed and name not in missing]
    if free:
        lines.append("# Not matched; add a line where the file has it under another name:")
        lines += [f'# {name} = ""  # {about[name]}' for name in free]
    return lines


def _left_over(rest: Iterable[str], sample: dict[str, pa.Array], fits: _Fits) -> list[str]:
    """Name the columns that no field uses; those with times are worth a look."""
    lines: list[str] = []
    for header in rest:
        values = _filled(sample[header])
        lines.append(f"#   {_toml(header)}{_hint(values, fits)}")
    return ["# Columns that no field uses; they are not stored:", *lines] if lines else []


def _hint(values: pa.Array, fits: _Fits) -> str:
    if len(values) and fits.times(values) >= _SURE:
        return " holds times: which stage is it?"
    distinct = {value.lower() for value in values.unique().to_pylist()}
    return " holds yes and no: self_handled?" if distinct and distinct <= _FLAGS else ""


def _values(chosen: dict[str, str], sample: dict[str, pa.Array], fits: _Fits) -> list[str]:
    """List the values that the profile does not know, most frequent first."""
    names = {"subcategory": fits.names.category_names, "source": fits.names.source_names}
    lines: list[str] = []
    for field in ("subcategory", "source", "self_handled"):
        known = fits.known(field)
        if field not in chosen or known is None:
            continue
        given = Counter(value for value in sample[chosen[field]].to_pylist() if value)
        unknown = [(value, n) for value, n in given.most_common() if not known(value)]
        if not unknown:
            continue
        lines += ["", f"[values.{field}]", "# Not known to the city profile; say what they mean:"]
        for value, count in unknown[:_SHOWN]:
            close = close_words(value, names.get(field, ("true", "false")))
            hint = f"; closest: {close}" if close else ""
            lines.append(f'# {_toml(value)} = ""  # {count:,} rows{hint}')
        if len(unknown) > _SHOWN:
            lines.append(f"# … and {len(unknown) - _SHOWN} more values")
    return lines


def _ambiguous(formats: Sequence[str]) -> list[str]:
    slashed = any(layout.startswith(("%d/%m", "%m/%d")) for layout in formats)
    return ["# Check which comes first, day or month."] if slashed else []


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
