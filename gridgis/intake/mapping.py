"""
Column mappings: the city's own headers to the fields of a case (列映射).

A mapping is a TOML file: `[columns]` field = header, `[values.FIELD]` city value = gridgis value,
`[constants]`, `[times]`, `[file]`. It names no CRS and no personal column: what is not mapped is
not stored.
"""

from __future__ import annotations

import difflib
import re
import tomllib
import unicodedata
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gridgis.errors import SchemaError
from gridgis.intake.rules import reason_columns
from gridgis.model.ledger import RECORD_FIELDS, required_fields

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gridgis.intake.tables import TableFile

POINT_FIELDS = ("x", "y")
NEVER_CONSTANT = {"case_no", "task_no", "complaint_no", "whistle_no", "crs", *POINT_FIELDS}
TRANSLATED_FIELDS = {
    "subcategory", "source", "self_handled", "stated_region", "crs", "is_key", "stage", "result",
    "level", "is_rework", "is_hand_back", "disposed", "satisfied",
}  # fmt: skip
"""Fields whose values `[values]` may translate: those that hold one of a few words."""
GEOMETRY_HEADERS = {"x": "geometry_x", "y": "geometry_y"}
"""Headers under which the reader offers the points of a file with geometry."""
_SECTIONS = {
    "columns": None,
    "values": None,
    "constants": None,
    "times": {"formats", "time_zone"},
    "file": {"kind", "encoding", "sheet", "header_row"},
}
_DIRECTIVES = re.compile(r"%([a-zA-Z%-]?)")
_ALLOWED_DIRECTIVES = frozenset("YymdHIMSpfzjbB%")


@dataclass(frozen=True, slots=True)
class CaseMapping:
    """How the columns and values of one kind of file become cases (列映射)."""

    name: str
    kind: str
    """Of the records: `cases`, `events`, `tasks` …"""
    columns: dict[str, tuple[str, ...]]
    """Field to the headers it may have; the first one present counts."""
    values: dict[str, dict[str, str]] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    time_formats: tuple[str, ...] = ()
    time_zone: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    """1-based row of the (last) header row; None finds it."""
    lenient: bool = False
    """Columns of optional fields may be missing."""

    def to_dict(self) -> dict[str, object]:
        """Return plain values for the record of an import."""
        return asdict(self)

    @property
    def headers(self) -> frozenset[str]:
        """Every header that the mapping names."""
        return frozenset(header for wanted in self.columns.values() for header in wanted)


def load_mapping(path: Path) -> CaseMapping:
    """
    Read a mapping file.

    Raises
    ------
    SchemaError
        If it is not TOML, names an unknown field or section, or leaves a required field out.
    """
    try:
        spec = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise SchemaError(f"mapping {path}: no such file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SchemaError(f"mapping {path}: not readable as TOML in UTF-8: {error}") from error
    return parse_mapping(spec, name=path.stem)


def standard_mapping(kind: str) -> CaseMapping:
    """Return the mapping by the fields' own labels, as `gridgis cases export` writes (标准列名)."""
    columns: dict[str, tuple[str, ...]] = {
        field.name: (field.label_zh, field.label_en, field.name) for field in RECORD_FIELDS[kind]
    }
    return CaseMapping(name="standard", kind=kind, columns=columns, lenient=True)


def parse_mapping(spec: Mapping[str, object], *, name: str) -> CaseMapping:
    """Build a mapping from the tables of its TOML file and check it (检查列映射)."""
    faults: list[str] = []
    tables = _tables(spec, faults)
    times, file = tables["times"], tables["file"]
    fields = _Fields.of(file.get("kind", "cases"), faults)
    columns = _columns(tables["columns"], fields, faults)
    values = _values(tables["values"], fields, faults)
    constants = _constants(tables["constants"], fields, columns, faults)
    mapping = CaseMapping(
        name=name,
        kind=fields.kind,
        columns=columns,
        values=values,
        constants=constants,
        time_formats=_formats(times.get("formats", []), faults),
        time_zone=_zone(times.get("time_zone"), faults),
        encoding=_text(file.get("encoding")),
        sheet=_text(file.get("sheet")),
        header_row=_row(file.get("header_row"), faults),
    )
    _required(fields, columns, constants, faults)
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(f"mapping {name} has {len(faults)} fault(s):\n{listed}", faults=faults)
    return mapping


def resolve_columns(mapping: CaseMapping, table: TableFile) -> dict[str, str]:
    """
    Return the file's header of every mapped field (对照表头).

    Spaces, line breaks, case and full width do not count when headers are compared, nor what a
    shapefile cuts off after ten bytes. The points of a file with geometry, or of its rejects that
    come back, stand in for `x` and `y` that are not mapped or not there.

    Raises
    ------
    SchemaError
        Naming every header that the file lacks, the closest ones and all it has.
    """
    known: dict[str, list[str]] = {}
    for given in table.headers:
        known.setdefault(header_key(given), []).append(given)
    found: dict[str, str] = {}
    faults: list[str] = []
    points = set(GEOMETRY_HEADERS.values()) <= set(table.headers)
    cut = table.cut_headers or reason_columns(table.headers) > 0
    for name, wanted in mapping.columns.items():
        header = _find(wanted, known, cut=cut)
        if header is not None and len(known[header_key(header)]) > 1:
            faults.append(f"two columns are called {header!r} (for {name}): rename one of them")
        elif header is not None:
            found[name] = header
        elif mapping.lenient and name not in required_fields(mapping.kind):
            continue
        elif not (points and name in POINT_FIELDS):
            faults.append(_lacking(name, wanted, table.headers))
    if points and not ("x" in found and "y" in found):
        found.update(GEOMETRY_HEADERS)
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise SchemaError(
            f"{table.name} does not fit the mapping {mapping.name}:\n{listed}\n"
            f"headers of the file: {', '.join(table.headers) or '(none)'}\n"
            "mend [columns] of the mapping, or draft one with `gridgis cases mapping suggest`",
            missing=faults,
            headers=list(table.headers),
        )
    return found


def header_key(text: str) -> str:
    """Return a header as it is compared: NFKC, lower case, without white space."""
    return re.sub(r"[\s\ufeff]+", "", unicodedata.normalize("NFKC", text)).casefold()


def close_words(word: str, allowed: Sequence[str]) -> str:
    """Return the allowed words most like one, quoted, or an empty text."""
    close = difflib.get_close_matches(word, allowed, n=3, cutoff=0.3)
    return ", ".join(repr(item) for item in close)


def _find(wanted: Sequence[str], known: Mapping[str, list[str]], *, cut: bool) -> str | None:
    for header in wanted:
        matches = known.get(header_key(header))
        if matches:
            return matches[0]
    if not cut:
        return None
    starts = [
        given
        for key, (given, *_) in known.items()
        if _fills_dbf(given) and any(header_key(header).startswith(key) for header in wanted)
    ]
    return starts[0] if len(starts) == 1 else None


def _fills_dbf(header: str) -> bool:
    """Tell whether a header is as long as a field name of a shapefile can be (10 bytes)."""
    return any(len(header.encode(code)) in {9, 10} for code in ("gb18030", "utf-8"))


def _lacking(name: str, wanted: Sequence[str], headers: Sequence[str]) -> str:
    close = close_words(wanted[0], headers)
    hint = f"; closest: {close}" if close else ""
    return f"column {' or '.join(map(repr, wanted))} (for {name}) is not in the file{hint}"


def _tables(spec: Mapping[str, object], faults: list[str]) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = {name: {} for name in _SECTIONS}
    for name, table in spec.items():
        if name not in _SECTIONS:
            faults.append(f"unknown section [{name}]; allowed: {', '.join(_SECTIONS)}")
        elif not isinstance(table, dict):
            faults.append(f"{name} must be a table [{name}]")
        else:
            tables[name] = table
            allowed = _SECTIONS[name]
            faults.extend(
                f"[{name}] {key}: unknown key; allowed: {', '.join(sorted(allowed))}"
                for key in table
                if allowed is not None and key not in allowed
            )
    return tables


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of one kind of records."""

    kind: str
    names: tuple[str, ...]
    required: tuple[str, ...]

    @classmethod
    def of(cls, kind: object, faults: list[str]) -> _Fields:
        """Return the fields of a kind; those of cases, with a fault, if there is no such kind."""
        if kind not in RECORD_FIELDS:
            faults.append(f"[file] kind {kind!r}: allowed: {', '.join(RECORD_FIELDS)}")
            kind = "cases"
        known = str(kind)
        names = tuple(field.name for field in RECORD_FIELDS[known])
        return cls(known, names, required_fields(known))

    def knows(self, name: str, section: str, faults: list[str]) -> bool:
        """Tell whether a field exists; name the closest ones if not."""
        if name in self.names:
            return True
        close = close_words(name, sorted(self.names))
        faults.append(
            f"[{section}] {name!r} is no field of {self.kind}; closest: {close or 'none'}; "
            f"allowed: {', '.join(self.names)}"
        )
        return False


def _columns(
    table: Mapping[str, object], fields: _Fields, faults: list[str]
) -> dict[str, tuple[str, ...]]:
    columns: dict[str, tuple[str, ...]] = {}
    for name, given in table.items():
        headers = given if isinstance(given, list) else [given]
        if not headers or not all(isinstance(item, str) and item.strip() for item in headers):
            faults.append(f"[columns] {name}: expected a header or a list of headers")
        elif fields.knows(name, "columns", faults):
            columns[name] = tuple(map(str, headers))
    return columns


def _values(
    table: Mapping[str, object], fields: _Fields, faults: list[str]
) -> dict[str, dict[str, str]]:
    values: dict[str, dict[str, str]] = {}
    for name, pairs in table.items():
        if not isinstance(pairs, dict):
            faults.append(f"[values.{name}] must be a table of city value = gridgis value")
        elif name not in TRANSLATED_FIELDS:
            faults.append(
                f"[values.{name}]: values of this field are not translated; allowed: "
                f"{', '.join(sorted(TRANSLATED_FIELDS))}"
            )
        elif fields.knows(name, "values", faults):
            values[name] = {key: _text(value) or "" for key, value in pairs.items()}
    return values


def _constants(
    table: Mapping[str, object],
    fields: _Fields,
    columns: Mapping[str, object],
    faults: list[str],
) -> dict[str, str]:
    constants: dict[str, str] = {}
    for name, value in table.items():
        if name in columns:
            faults.append(f"[constants] {name} is also in [columns]: keep one of them")
        elif name in NEVER_CONSTANT:
            faults.append(
                f"[constants] {name}: differs from row to row; map a column, and declare one CRS "
                "for the whole file with --crs"
            )
        elif fields.knows(name, "constants", faults):
            constants[name] = _text(value) or ""
    return constants


def _formats(given: object, faults: list[str]) -> tuple[str, ...]:
    formats = given if isinstance(given, list) else [given]
    for item in formats:
        used = _DIRECTIVES.findall(str(item))
        wrong = [letter for letter in used if letter not in _ALLOWED_DIRECTIVES or not letter]
        if wrong or not used:
            faults.append(
                f"[times] formats {item!r}: expected strptime directives such as "
                "'%Y-%m-%d %H:%M:%S'"
            )
    return tuple(map(str, formats))


def _zone(given: object, faults: list[str]) -> str | None:
    name = _text(given)
    try:
        if name is not None:
            ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        faults.append(f"[times] time_zone {name!r}: no such zone; use an IANA name")
    return name


def _row(given: object, faults: list[str]) -> int | None:
    if given is None:
        return None
    if isinstance(given, int) and not isinstance(given, bool) and given >= 1:
        return given
    faults.append(f"[file] header_row {given!r}: expected a whole number from 1")
    return None


def _text(given: object) -> str | None:
    if isinstance(given, bool):
        return "true" if given else "false"
    return None if given is None else str(given)


def _required(
    fields: _Fields,
    columns: Mapping[str, object],
    constants: Mapping[str, str],
    faults: list[str],
) -> None:
    faults.extend(
        f"required field {name} is neither in [columns] nor in [constants]"
        for name in fields.required
        if name not in columns and not constants.get(name)
    )
    if ("x" in columns) != ("y" in columns):
        faults.append("x and y belong together: map both or neither")
