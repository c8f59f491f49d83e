"""
Words, labels and sentences of a report, in the language of the city (措辞).

`wording.toml` holds each of them once, in Chinese and in English. A sentence is one template; what
is put into it carries the keys of its figures along.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from gridgis.model.figures import Figure
from gridgis.model.measure import NO_RATE, Rate, percent_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Said:
    """A text, or a part of one, and the figures that it tells."""

    text: str
    keys: tuple[str, ...] = ()

    def telling(self, *keys: str) -> Said:
        """Return the text as one that tells more figures than it prints."""
        return Said(self.text, tuple(dict.fromkeys((*self.keys, *keys))))


@dataclass(frozen=True, slots=True)
class Shown:
    """A printed number in a template; `{n:case|cases}` adds the word that fits it."""

    text: str
    number: Decimal | int | None = None

    def __format__(self, spec: str) -> str:
        """Return the number, and the singular or the plural of a noun."""
        if not spec:
            return self.text
        one, _, many = spec.partition("|")
        return f"{self.text} {one if self.number == 1 else many}"


Value = str | int | Figure | Said | Shown


@dataclass(frozen=True, slots=True)
class Words:
    """The wording in one language."""

    language: str
    """`zh` or `en`."""

    def word(self, key: str, kind: str = "word") -> str:
        """Return a word, or a short label of another kind: `unit`, `chart`, `check`, `row`."""
        return str(_table(kind)[key][self.language])

    def numeral(self, number: int) -> str:
        """Return the number of a part: 一 or 1."""
        return str(_table("list")["numerals"][self.language][number - 1])

    def either(self, name: str, name_en: str) -> str:
        """Return a name of the profile in the language of the report."""
        return name_en if self.language == "en" and name_en else name

    def label(self, family: str, **values: str) -> str:
        """Return the label of a figure."""
        return str(_table("figure")[family][self.language]).format(**values)

    def definition(self, family: str) -> str:
        """Return how a figure is counted: one text for all areas, types and classes."""
        return str(_table("figure")[family][f"{self.language}_is"])

    def section(self, key: str) -> str:
        """Return the title of a part of the report."""
        return str(_table("section")[key][self.language])

    def table(self, name: str, **values: str) -> list[str]:
        """Return title and columns of a table."""
        return [text.format(**values) for text in _table("table")[name][self.language]]

    def note(self, key: str, **values: str) -> str:
        """Return a note below a table or chart."""
        return str(_table("note")[key][self.language]).format(**values)

    def number(self, value: Decimal | int) -> str:
        """Return a count as it is printed: 166595 or 166,595; weights keep their decimals."""
        whole = value == int(value)
        text = f"{int(value):,}" if whole else f"{value.normalize():,f}"  # type: ignore[union-attr]
        return text if self.language == "en" else text.replace(",", "")

    def text(self, figure: Figure) -> str:
        """Return a figure as it is printed; a rate of exactly 1 is 100%."""
        if figure.denominator is None:
            return self.number(figure.numerator)
        if figure.denominator == 0:
            return NO_RATE
        if figure.numerator == figure.denominator:
            return "100%"
        rate = Rate(figure.unit, figure.numerator, figure.denominator)
        return f"{percent_text(rate, digits=figure.digits)}%"

    def say(self, key: str, **values: Value) -> Said:
        """Return a sentence or clause of the templates, with the keys of all its figures."""
        shown: dict[str, object] = {}
        keys: list[str] = []
        for name, value in values.items():
            match value:
                case Figure():
                    shown[name] = self.shown(value)
                    keys.append(value.key)
                case Said():
                    shown[name] = value.text
                    keys.extend(value.keys)
                case int():
                    shown[name] = Shown(self.number(value), value)
                case _:
                    shown[name] = value
        text = str(_table("say")[key][self.language]).format(**shown)
        return Said(text, tuple(dict.fromkeys(keys)))

    def shown(self, figure: Figure) -> Shown:
        """Return a figure for a template."""
        return Shown(self.text(figure), figure.numerator if figure.whole is None else None)

    def join(self, how: str, parts: Sequence[Said | str]) -> Said:
        """Return parts as a list: `names`, `items`, `clauses` or `sentences`."""
        separators: Sequence[str] = _table("join")[how][self.language]
        between, before_last = separators[0], separators[1]
        said = [part if isinstance(part, Said) else Said(part) for part in parts]
        keys = tuple(dict.fromkeys(key for part in said for key in part.keys))
        texts = [part.text for part in said]
        if how == "sentences":
            texts = [text[:1].upper() + text[1:] for text in texts]
        head = between.join(texts[:-1])
        return Said(before_last.join([head, texts[-1]]) if head else "".join(texts), keys)


def words_of(language: str) -> Words:
    """Return the wording for a city's language: Chinese for `zh-CN`, else English."""
    return Words("zh" if language.lower().startswith("zh") else "en")


@cache
def _wording() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    return tomllib.loads((files("gridgis.report") / "wording.toml").read_text(encoding="utf-8"))


def _table(name: str) -> Mapping[str, Mapping[str, str]]:
    return _wording()[name]
