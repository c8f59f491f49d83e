"""
Read the files of a profile folder and collect every fault (城市配置文件).

A fault names the file, the row, the value, the rule and the remedy; reading goes on after it.
"""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
from csv import DictReader
from dataclasses import dataclass, field
from datetime import date
from io import StringIO
from typing import TYPE_CHECKING, TypeVar

from gridgis.crs import parse_crs
from gridgis.errors import CrsError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

T = TypeVar("T")
D = TypeVar("D")

FREE_COLUMNS = ("note", "status")
"""Columns that any table may carry for its readers."""


@dataclass(slots=True)
class ProfileFolder:
    """A folder under reading, and what is wrong with it."""

    path: Path
    faults: list[str] = field(default_factory=list)

    # --------------------------------------------------------------- files

    def toml(self, name: str) -> dict[str, object] | None:
        """Return the tables of a TOML file, or None with a fault."""
        content = self._text(name)
        try:
            return None if content is None else tomllib.loads(content)
        except tomllib.TOMLDecodeError as error:
            self.fault(name, "", f"not readable as TOML: {error}", "mend the line it names")
        return None

    def csv(
        self, name: str, needed: tuple[str, ...], allowed: tuple[str, ...]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield (where, stripped row) of a CSV file; the needed columns are never empty."""
        content = self._text(name)
        if content is None:
            return
        reader = DictReader(StringIO(content, newline=""), strict=True)
        headers = [header.strip() for header in reader.fieldnames or ()]
        missing = [column for column in needed if column not in headers]
        unknown = [h for h in headers if h not in (*needed, *allowed, *FREE_COLUMNS)]
        if missing:
            self.fault(name, ", ".join(headers), f"columns missing: {', '.join(missing)}",
                       "add them to the header row")  # fmt: skip
            return
        if unknown:
            self.fault(name, ", ".join(unknown), "unknown columns",
                       f"allowed: {', '.join((*needed, *allowed, *FREE_COLUMNS))}")  # fmt: skip
        reader.fieldnames = headers
        try:
            yield from self._rows(name, reader, needed)
        except csv.Error as error:
            self.fault(f"{name} line {reader.line_num}", "", f"not readable as CSV: {error}",
                       "quote values that hold commas or quotes")  # fmt: skip

    def _rows(
        self, name: str, reader: DictReader[str], needed: tuple[str, ...]
    ) -> Iterator[tuple[str, dict[str, str]]]:
        for given in reader:
            where = f"{name} row {reader.line_num}"
            if None in given:
                self.fault(where, str(given[None]), "more values than columns",
                           "quote values that hold commas")  # fmt: skip
            row = {key: (value or "").strip() for key, value in given.items() if key}
            empty = [column for column in needed if not row[column]]
            if empty:
                self.fault(where, "", f"empty: {', '.join(empty)}", "fill it in")
                continue
            yield where, row

    def _text(self, name: str) -> str | None:
        try:
            return (self.path / name).read_text(encoding="utf-8-sig")
        except (FileNotFoundError, NotADirectoryError):
            self.fault(name, str(self.path), "file missing", "a profile needs it")
        except UnicodeDecodeError as error:
            self.fault(name, f"byte {error.start}", "not UTF-8", "save the file as UTF-8")
        return None

    # -------------------------------------------------------------- tables

    def table(self, spec: Mapping[str, object], name: str) -> dict[str, object]:
        """Return a table of a TOML file; an absent one is empty."""
        given = spec.get(name, {})
        if isinstance(given, dict):
            return given
        self.fault("city.toml", str(given), f"{name} is no table", f"write it as [{name}]")
        return {}

    def tables(
        self, spec: Mapping[str, object], name: str, needed: tuple[str, ...]
    ) -> Iterator[tuple[str, dict[str, object]]]:
        """Yield (where, table) of an array of tables."""
        given = spec.get(name, [])
        if not isinstance(given, list):
            self.fault("city.toml", str(given), f"{name} is no list", f"write it as [[{name}]]")
            return
        for number, row in enumerate(given, start=1):
            where = f"city.toml [[{name}]] {number}"
            missing = [k for k in needed if not isinstance(row, dict) or not row.get(k)]
            if missing:
                self.fault(where, "", f"missing: {', '.join(missing)}", "add it")
                continue
            yield where, row

    def text(self, where: str, row: Mapping[str, object], key: str, default: str = "") -> str:
        """Return a text of a TOML table; codes are texts, so that leading zeros stay."""
        value = row.get(key, default)
        if not isinstance(value, str):
            self.fault(f"{where} {key}", str(value), "not a text", "put it in quotes")
            return str(value)
        return value.strip()

    def texts(self, where: str, row: Mapping[str, object], key: str) -> tuple[str, ...]:
        """Return a list of texts of a TOML table."""
        value = row.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(f"{where} {key}", str(value), "not a list of texts", 'write ["…", "…"]')
            return ()
        return tuple(item.strip() for item in value)

    # -------------------------------------------------------------- values

    def match(self, where: str, name: str, value: str, pattern: str, rule: str) -> None:
        """Report a value that does not have its form."""
        if value and re.fullmatch(pattern, value) is None:
            self.fault(where, value, f"{name} is malformed", f"expected {rule}")

    def one_of(self, where: str, name: str, value: str, allowed: Collection[str]) -> bool:
        """Report a value that is not in a list."""
        if value in allowed:
            return True
        listed = ", ".join(sorted(allowed)[:20]) or "none yet"
        self.fault(where, value, f"unknown {name}", f"expected one of: {listed}")
        return False

    def crs(self, where: str, value: str) -> str | None:
        """Return the canonical word of a CRS, or None with a fault."""
        try:
            return parse_crs(value)
        except CrsError as error:
            self.fault(where, value, "unknown CRS", error.message)
            return None

    def parsed(self, where: str, text: str | None, parse: Callable[[str], T], default: D) -> T | D:
        """Return a parsed value; the default if it is empty or, with a fault, wrong."""
        if not text:
            return default
        try:
            return parse(text)
        except ValueError:
            kind = {int: "a whole number", float: "a number"}.get(parse, "a date YYYY-MM-DD")  # type: ignore[call-overload]
            self.fault(where, text, f"not {kind}", "correct the value")
            return default

    def number(self, where: str, text: str | None, default: int) -> int:
        """Return a whole number."""
        return self.parsed(where, text, int, default)

    def degrees(self, where: str, text: str | None) -> float | None:
        """Return a decimal number, or None if it is empty or wrong."""
        return self.parsed(where, text, float, None)

    def day(self, where: str, text: str | None) -> date | None:
        """Return a day, or None if it is empty or wrong."""
        return self.parsed(where, text, date.fromisoformat, None)

    def fault(self, where: str, value: str, rule: str, remedy: str) -> None:
        """Note one fault."""
        quoted = f"{value!r}: " if value else ""
        self.faults.append(f"{where}: {quoted}{rule}; {remedy}")


@dataclass(slots=True)
class Unique:
    """Finds codes given twice, and names that would mean two things (重名检查)."""

    folder: ProfileFolder
    what: str
    owners: dict[str, str] = field(default_factory=dict)

    def add(self, where: str, code: str, *names: str) -> None:
        """Note a code and its names; report those that belong to another code."""
        if code in self.owners:
            self.folder.fault(where, code, f"{self.what} twice", "keep one row")
            return
        self.owners[code] = code
        for name in filter(None, names):
            owner = self.owners.setdefault(name.casefold(), code)
            if owner != code:
                self.folder.fault(where, name, f"the name also means {owner}",
                                  "a name or alias must mean one thing")  # fmt: skip


def split(text: str | None) -> tuple[str, ...]:
    """Return the parts of a `|`-separated cell."""
    return tuple(part.strip() for part in (text or "").split("|") if part.strip())


def digest(folder: Path) -> str:
    """Return the SHA-256 over names and contents of a folder; hidden files do not count."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*"), key=lambda item: item.relative_to(folder).as_posix()):
        name = path.relative_to(folder)
        hidden = any(part.startswith((".", "__")) for part in name.parts)
        if path.is_file() and not hidden:
            total.update(name.as_posix().encode() + b"\0")
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()
