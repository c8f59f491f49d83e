"""What people call a class, a source or a place, as a code (名称解析)."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from gridgis.codes import check_category, check_division, check_region, plain
from gridgis.errors import CodeError
from gridgis.model.case import Source
from gridgis.store import metrics

if TYPE_CHECKING:
    from gridgis.store.engine import Connection

CANDIDATES = 6
_LISTS = {"category": "categories", "source": "sources", "region": "regions", "street": "streets"}
LONGEST_NAME = 100
_SOURCE = re.compile(r"[a-z0-9_]{1,40}")


def resolve(tx: Connection, kind: str, text: str) -> str:
    """
    Return the code that a code, a name or an alias means (名称或编码转编码).

    Parameters
    ----------
    kind : str
        `category` (also a prefix of codes), `source`, `region` or `street`.
    text : str
        As a person types it: `S0591`, `S05`, `占道经营`.

    Raises
    ------
    CodeError
        If it means nothing or several things; candidates are named.
    """
    names = metrics.known_names(tx, kind)
    wanted = _folded(text)
    found = {code for code, name in names if wanted in {_folded(code), _folded(name)}}
    if len(found) == 1:
        return found.pop()
    if found:
        raise CodeError(
            f"{kind} {text!r} means several: {_listed(names, sorted(found))}; give the code",
            value=text,
            candidates=sorted(found),
        )
    code = _code(kind, text)
    if code is not None and (
        any(known.startswith(code) for known, _ in names if kind == "category")
        or code in set(Source)
        or metrics.uses_code(tx, kind, code)
    ):
        return code
    near = _near(names, wanted)
    meant = f"did you mean {_listed(names, near)}? " if near else ""
    raise CodeError(
        f"{kind} {text!r}: neither a code nor a name of one; {meant}"
        f"`gridgis meta {_LISTS[kind]}` and /api/v1/meta/{_LISTS[kind]} list all",
        value=text,
        candidates=near,
    )


def _code(kind: str, text: str) -> str | None:
    """Return a text that has the shape of a code."""
    try:
        if kind == "category":
            return check_category(plain(text).upper())
        if kind == "region":
            return check_region(plain(text).upper())
        if kind == "street":
            return check_division(text, digits=9)
    except CodeError:
        return None
    code = plain(text).lower()
    return code if _SOURCE.fullmatch(code) else None


def _near(names: list[tuple[str, str]], wanted: str) -> list[str]:
    """Return codes of names that hold the text, or else resemble it."""
    holding = {code for code, name in names if wanted and wanted in _folded(name)}
    if not holding and len(wanted) <= LONGEST_NAME:
        by_name = {_folded(name): code for code, name in names}
        holding = {by_name[name] for name in difflib.get_close_matches(wanted, by_name, CANDIDATES)}
    return sorted(holding)


def _listed(names: list[tuple[str, str]], codes: list[str]) -> str:
    first = dict(reversed(names))
    shown = [f"{code} {first[code]}" for code in codes[:CANDIDATES]]
    return ", ".join(shown) + (", …" if len(codes) > CANDIDATES else "")


def _folded(text: str) -> str:
    return re.sub(r"\s+", "", plain(text)).casefold()
