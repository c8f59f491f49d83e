"""
Division, cell, component and category codes (编码).

Digits from left to right: 6 district (GB/T 2260), 3 street, 3 community, 3 cell. A management
zone has a key with a letter in place five, such as `0000Z1`, so that it is never taken for a
district.
"""

from __future__ import annotations

import re
import unicodedata

from gridgis.errors import CodeError

CELLS_PER_COMMUNITY = 999
SYNTHETIC_COMMUNITIES = range(600, 1000)
"""Community parts that generated cells use; official ones stay below 600."""

_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_REGION = re.compile(r"[0-9]{6}|[0-9]{4}[A-Z][0-9]")
_CELL = re.compile(r"[0-9]{12}(?!000)[0-9]{3}")
_CATEGORY = re.compile(r"[A-Z]([0-9]{2}([0-9]{2})?)?")


def check_region(text: str) -> str:
    """Return a district or zone code, or raise `CodeError` (区域编码)."""
    return _matching(text, _REGION, "a region code has 6 digits (district) or 4 digits, a letter "
                     "and a digit (zone)")  # fmt: skip


def check_division(text: str, *, digits: int) -> str:
    """Return a district (6), street (9) or community (12) code, or raise `CodeError`."""
    return _matching(text, re.compile(rf"[0-9]{{{digits}}}"), f"expected {digits} digits")


def check_category(text: str) -> str:
    """Return a subcategory code or a prefix of it (`S`, `S02`, `S0201`), or raise `CodeError`."""
    return _matching(text, _CATEGORY, "expected a letter, or it with 2 or 4 digits: S, S02, S0201")


def check_cell(text: str) -> str:
    """
    Return a 15-digit cell code (单元网格编码).

    Raises
    ------
    CodeError
        If it is not 15 digits, the last three from 001; a number that a spreadsheet rounded and a
        14-digit code of the 2005 standard are named, never padded.
    """
    code = plain(text)
    if _SCIENTIFIC.fullmatch(code):
        raise CodeError(
            f"cell code {text!r}: a spreadsheet turned the code into a number and its last digits "
            "are lost; format the column as text at the source and export again",
            value=text,
        )
    if re.fullmatch(r"[0-9]{14}", code):
        raise CodeError(
            f"cell code {text!r}: 14 digits is a code of the 2005 standard; load a mapping from "
            "old to new codes, it is never padded",
            value=text,
        )
    return _matching(code, _CELL, "a cell code has 15 digits, the last three from 001")


def cell_code(street_code: str, position: int) -> str:
    """
    Return the code of the n-th generated cell of a street (生成单元网格编码).

    Parameters
    ----------
    street_code : str
        9 digits.
    position : int
        From 0, west to east and north to south.

    Raises
    ------
    CodeError
        If the street holds more cells than synthetic communities can number (399,600).
    """
    block, sequence = divmod(position, CELLS_PER_COMMUNITY)
    if block >= len(SYNTHETIC_COMMUNITIES):
        raise CodeError(
            f"street {street_code}: more than {CELLS_PER_COMMUNITY * len(SYNTHETIC_COMMUNITIES):,} "
            "cells; use larger cells or load the official ones",
            value=street_code,
        )
    return f"{street_code}{SYNTHETIC_COMMUNITIES[block]}{sequence + 1:03d}"


def plain(text: str) -> str:
    """Return a code without full-width forms and surrounding space."""
    return unicodedata.normalize("NFKC", text).strip()


def _matching(text: str, pattern: re.Pattern[str], rule: str) -> str:
    code = plain(text)
    if pattern.fullmatch(code) is None:
        raise CodeError(f"code {text!r}: {rule}", value=text)
    return code
