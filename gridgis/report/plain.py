"""What all printed forms share: clean texts, their few own words, numbers (文字)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridgis.model.figures import Figure
    from gridgis.model.report import ReportModel

DEFAULT_LANGUAGE = "zh-CN"
LANGUAGES = ("zh-CN", "en")
NOTHING = "—"

BRIEFS = ("brief", "leaders")
"""How the keys of the sections of a brief begin."""
NO_TIME = datetime(1980, 1, 1, tzinfo=UTC)

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Characters that XML cannot hold, or that turn the order of a line round."""
_NUMBER = re.compile(r"[-−+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?%?|[-−+]?\d+(?:\.\d+)?%?")
_WIDE = re.compile("[\u1100-\u11ff\u2e80-\uffef\U00020000-\U0003ffff]")
_HUNDREDTH = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class FormWords:
    """The words that the forms add to a report, in one language."""

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return one text with its placeholders filled."""
        return self.texts[key].format(**values)

    def month(self, month: str) -> str:
        """Return `2024-11` as 2024年11月 or November 2024."""
        year, number = month.split("-")
        return self(f"month.{int(number)}", year=year)

    def figure(self, figure: Figure) -> str:
        """Return numerator and denominator of a figure in its unit."""
        unit = self(f"unit.{figure.unit}")
        whole = "" if figure.denominator is None else f" / {figure.denominator:f}"
        return f"{figure.numerator:f}{whole} {unit}"


@cache
def form_words(language: str) -> FormWords:
    """Return the words of a language, Chinese for one that there is not."""
    known = language if language in LANGUAGES else DEFAULT_LANGUAGE
    source = files("gridgis.report") / "templates" / f"words.{known}.json"
    return FormWords(known, json.loads(source.read_text("utf-8")))


def clean(text: str) -> str:
    """Return a text without characters that no form can show."""
    return _UNPRINTABLE.sub("", text)


def is_number(text: str) -> bool:
    """Tell whether a cell reads as a number, a percentage or "none"."""
    return text == NOTHING or _NUMBER.fullmatch(text) is not None


def text_width(text: str) -> int:
    """Return the width of the longest line of a text in half-width characters."""
    return max(len(line) + len(_WIDE.findall(line)) for line in text.split("\n"))


def number_text(value: float, *, whole: bool | None = None) -> str:
    """Return a value of a chart: without decimals if it is whole, else with two, half up."""
    if value == int(value) if whole is None else whole:
        return str(int(value))
    return str(Decimal(f"{value:.15g}").quantize(_HUNDREDTH, ROUND_HALF_UP))


def titles(model: ReportModel, say: FormWords) -> tuple[str, str]:
    """Return title and subtitle: the month in brackets, whether the title ends with it or not."""
    month = f"（{say.month(model.month)}）"
    title = model.title.removesuffix(month)
    return title, "" if say.month(model.month) in title else month


def is_brief(model: ReportModel) -> bool:
    """Tell whether this is a brief of a page or two: on paper it goes without definitions."""
    return all(section.key.startswith(BRIEFS) for section in model.sections)


def is_marked(text: str) -> bool:
    """Tell whether a placeholder says itself that it is one."""
    return text.startswith(("【", "["))


def made_at(model: ReportModel) -> datetime:
    """Return when the issue was made, in UTC; a report that is no issue yet has a fixed time."""
    told = model.issue.made_at if model.issue else ""
    return datetime.fromisoformat(told).astimezone(UTC) if told else NO_TIME


def issue_line(model: ReportModel, say: FormWords) -> str:
    """Return which issue this is, and whether it is a draft or who signed it."""
    issue = model.issue
    if issue is None:
        return ""
    parts = [say("issue.number", number=issue.number), say(f"issue.{issue.status}")]
    if issue.signed_by:
        parts.append(say("issue.signed_by", name=issue.signed_by, time=_time(issue.signed_at)))
    parts.append(say("issue.data", version=issue.data_version, time=_time(issue.made_at)))
    return " · ".join(parts)


def _time(moment: str | None) -> str:
    """Return an ISO time as day, minute and offset."""
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M %Z}".rstrip() if moment else NOTHING
