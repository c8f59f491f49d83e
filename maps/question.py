"""
What a map page is asked: the state in its address (页面参数).

`/map?month=&source=&category=&district=&lang=&run=&sel=cell:CODE#zoom/lat/lon`, in this order,
defaults left out. Names and values are those of the API; `sel` is the cell whose list is open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gridgis.errors import InputError, PeriodError
from gridgis.model.period import Period
from gridgis.services import lookup
from gridgis.store.metrics import CountFilter
from maps.text import DEFAULT_LANGUAGE, LANGUAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridgis.services.context import Context

NAMES = ("month", "source", "category", "district", "lang", "run", "sel")
FILTERS = ("source", "category", "district")
MAX_RUN = 2**31 - 1
_NUMBER = re.compile(r"[0-9]{1,10}")
_SELECTION = re.compile(r"cell:[0-9]{15}")


@dataclass(frozen=True, slots=True)
class Question:
    """The parameters of a map page; None is the default."""

    month: str | None = None
    source: str | None = None
    category: str | None = None
    district: str | None = None
    lang: str | None = None
    run: int | None = None
    sel: str | None = None
    unknown: tuple[str, ...] = ()
    """Parameters that no page knows: ignored, and said so."""

    @property
    def chosen(self) -> CountFilter:
        """The filter of counts."""
        return CountFilter(self.category, self.source, self.district)

    def address(self, **changes: str | int | None) -> str:
        """Return the canonical address of this page with some parameters changed."""
        changed = replace(self, **changes)  # type: ignore[arg-type]
        given = {name: getattr(changed, name) for name in NAMES}
        query = urlencode(
            {name: value for name, value in given.items() if value is not None}, safe=":"
        )
        return f"/map?{query}" if query else "/map"


def language_of(pairs: Iterable[tuple[str, str]], default: str = DEFAULT_LANGUAGE) -> str:
    """Return the language asked for, or the default if it is none of ours."""
    asked = dict(pairs).get("lang", "")
    return asked if asked in LANGUAGES else default


def read_question(pairs: Iterable[tuple[str, str]], *, time_zone: str) -> Question:
    """
    Check the parameters of a page's address by shape.

    An empty value is an absent one, as browsers send unset fields of a form.

    Raises
    ------
    InputError
        Naming the first parameter whose value cannot be used.
    """
    given = {name: value.strip() for name, value in pairs if value.strip()}
    unknown = tuple(sorted(name for name in given if name not in NAMES))
    lang = given.get("lang")
    if lang is not None and lang not in LANGUAGES:
        raise _refused("lang", lang, f"expected one of {', '.join(LANGUAGES)}")
    if (month := given.get("month")) is not None:
        try:
            Period.month(month, time_zone)
        except PeriodError as error:
            raise _refused("month", month, error.message) from error
    if (sel := given.get("sel")) is not None and _SELECTION.fullmatch(sel) is None:
        raise _refused("sel", sel, "expected cell:CODE with a cell code of 15 digits")
    return Question(
        month=month, source=given.get("source"), category=given.get("category"),
        district=given.get("district"), lang=lang, run=_run(given.get("run")), sel=sel,
        unknown=unknown,
    )  # fmt: skip


def with_codes(context: Context, question: Question) -> Question:
    """
    Return a question whose class, source and region are codes; names are taken as well.

    Raises
    ------
    InputError
        Naming the first one that this city does not know.
    """
    for name in FILTERS:
        value = getattr(question, name)
        if value is not None:
            try:
                found = lookup.named_filter(context, **{name: value})
            except InputError as error:
                raise _refused(name, value, error.message) from error
            question = replace(question, **{name: getattr(found, name)})
    return question


def _run(text: str | None) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= MAX_RUN:
        raise _refused("run", text, "expected the number of a run")
    return int(text)


def _refused(name: str, value: str, reason: str) -> InputError:
    """Return the error of a value that means nothing; pages say `parameter` and `value`."""
    return InputError(f"{name}={value}: {reason}", parameter=name, value=value)
