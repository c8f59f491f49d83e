"""
Words, numbers and dates of a language; strings made safe for folium (文字).

Texts live in `locale/LANGUAGE.json`, one file per language with the same keys.
"""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_LANGUAGE = "zh-CN"
LANGUAGES = ("zh-CN", "en")
NOTHING = "—"
"""Shown where a number does not exist (0/0, no area)."""

_ENTITIES = str.maketrans({mark: f"&#{ord(mark)};" for mark in "`$\\{}"})


def safe(text: object) -> str:
    """
    Return text that is inert in folium's HTML and in its JavaScript template literals.

    `html.escape` alone is not enough: folium puts strings into backticks, where `${…}` runs. Web
    addresses are told apart from links (`maps.offline` allows none).
    """
    return html.escape(str(text), quote=True).translate(_ENTITIES).replace("://", "&#58;//")


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language, and how it writes numbers and times."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return one text with its placeholders filled."""
        return self.texts[key].format(**values)

    def starting(self, prefix: str) -> dict[str, str]:
        """Return the texts whose key starts with a prefix, without it."""
        return {
            key.removeprefix(prefix): text
            for key, text in self.texts.items()
            if key.startswith(prefix)
        }

    def month(self, month: str) -> str:
        """Return `2024-11` as 2024年11月 or Nov 2024."""
        year, number = month.split("-")
        return self(f"month.{int(number)}", year=year)

    def local_time(self, moment: str, time_zone: str) -> str:
        """Return an ISO time as local date and minute."""
        local = datetime.fromisoformat(moment).astimezone(ZoneInfo(time_zone))
        return f"{local:%Y-%m-%d %H:%M}"

    def place(self, name: str, code: str) -> str:
        """Return a place or class name; names are not translated, so others see the code too."""
        return name if self.language == DEFAULT_LANGUAGE else f"{name} {code}"


@cache
def words(language: str) -> Words:
    """Return the texts of a language."""
    source = (files("maps") / "locale" / f"{language}.json").read_text("utf-8")
    return Words(language, json.loads(source))


def count_text(value: object) -> str:
    """Return an integer with thousands separators."""
    return f"{value:,}"


def ratio_text(value: float | None) -> str:
    """Return a density with two decimals, or a dash."""
    return NOTHING if value is None else f"{value:,.2f}"
