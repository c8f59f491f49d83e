"""Find the header of a table: titles above it, headers merged over two rows (表头识别)."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from gridgis.errors import SchemaError
from gridgis.intake.mapping import header_key
from gridgis.model.case import CASE_FIELDS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

HEADER_SEARCH = 12
"""Rows in which a header is looked for."""
PATH_MARK = "/"


@dataclass(frozen=True, slots=True)
class Header:
    """Unique column names and the number of rows above the first data row."""

    names: tuple[str, ...]
    rows: int


def find_header(
    rows: Sequence[Sequence[str]], *, wanted: Collection[str], header_row: int | None, file: str
) -> Header:
    """
    Return the header of a table (识别表头).

    The row, or pair of rows, that holds most of the wanted names wins; the first on a tie. Of a
    merged pair a column is named by the lower cell (the upper one where the lower is empty), by
    `upper/lower` where the lower name alone is not unique.

    Parameters
    ----------
    rows : sequence of rows
        The first rows of the table.
    wanted : collection of str
        Headers of the mapping; empty: the usual names of the case fields.
    header_row : int or None
        1-based row of the header (the lower one of a pair) when it is known.

    Raises
    ------
    SchemaError
        If there is no row with a text, or none where the header is said to be.
    """
    keys = {header_key(name) for name in wanted} or _usual_keys()
    tops = range(min(len(rows), HEADER_SEARCH)) if header_row is None else (header_row - 1,)
    best: tuple[int, Header] | None = None
    for at in tops:
        for names in _readings(rows, at):
            score = sum(header_key(name) in keys for name in names)
            if best is None or score > best[0]:
                best = (score, Header(names, at + 1))
    if best is None and header_row is not None:
        found = "that row is blank" if header_row <= len(rows) else f"there are {len(rows)} rows"
        raise SchemaError(
            f"{file}: the mapping says that the header is row {header_row} ([file] header_row), "
            f"but {found}"
        )
    if best is None:
        raise SchemaError(f"{file}: the file is empty: there is no header row")
    return best[1]


@cache
def _usual_keys() -> frozenset[str]:
    return frozenset(
        header_key(name)
        for field in CASE_FIELDS
        for name in (field.name, field.label_zh, field.label_en, *field.aliases)
    )


def _readings(rows: Sequence[Sequence[str]], at: int) -> list[tuple[str, ...]]:
    """Return the readings of one row as header: alone, and below the row above it."""
    if at >= len(rows):
        return []
    row = [clean_header(text) for text in rows[at]]
    found = [_unique([(text,) for text in row])] if any(row) else []
    if at > 0 and any(row):
        above = [clean_header(text) for text in rows[at - 1]]
        if sum(map(bool, above)) > 1:
            found.append(_unique(_merged(above, row)))
    return found


def _merged(above: Sequence[str], below: Sequence[str]) -> list[tuple[str, ...]]:
    width = max(len(above), len(below))
    upper = [*above, *[""] * (width - len(above))]
    lower = [*below, *[""] * (width - len(below))]
    paths: list[tuple[str, ...]] = []
    last = ""
    for top, bottom in zip(upper, lower, strict=True):
        last = top or last
        if bottom:
            paths.append((bottom,) if bottom == last else (last, bottom))
        else:
            paths.append((top,))
    return paths


def unnamed(position: int) -> str:
    """Return what a column without a header is called, by its 1-based position."""
    return f"列{position}"


def clean_header(text: str) -> str:
    """Return a header without line breaks, byte order mark and full-width letters."""
    plain = unicodedata.normalize("NFKC", text.replace("\ufeff", ""))
    return re.sub(r"\s+", " ", plain).strip()


def _unique(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """Name every column once: by its lowest cell, its path, then with its position."""
    trimmed = list(paths)
    while trimmed and not any(trimmed[-1]):
        trimmed.pop()
    leaves = Counter(path[-1] for path in trimmed)
    names: list[str] = []
    for position, path in enumerate(trimmed, start=1):
        leaf = path[-1]
        name = leaf if leaves[leaf] == 1 else PATH_MARK.join(part for part in path if part)
        name = name or unnamed(position)
        names.append(name if name not in names else f"{name}#{position}")
    return tuple(names)
