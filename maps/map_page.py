"""
Build the page model of the map from stored results (热点地图).

Everything is read by `gridgis.services.lookup`; no request starts an analysis.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gridgis.services import lookup
from maps.filters import FilterLists, selects
from maps.legends import LEVELS, as_legend
from maps.page_model import Link, MapPage, Notice, Option
from maps.page_state import page_state
from maps.question import FILTERS, with_codes
from maps.regions import as_groups
from maps.text import DEFAULT_LANGUAGE, LANGUAGES, Words, count_text, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridgis.services.context import Context
    from gridgis.store.metrics import Row
    from maps.question import Question
    from maps.regions import Rest

NEAREST_MONTHS = 3
LANGUAGE_NAMES = {"zh-CN": "中文", "en": "English"}


def build_map_page(context: Context, question: Question) -> MapPage:
    """
    Return the page of one question; without a run it says so and names the nearest months.

    Raises
    ------
    InputError
        If a class or region of the question is none of this city's.
    RunNotFound
        If the run asked for does not exist.
    """
    say = words(question.lang or default_language(context))
    lists = FilterLists.read(context)
    question = with_codes(context, question)
    months = [str(entry["month"]) for entry in lookup.months(context)]
    question = _settled(context, question, months)
    page = _frame(context, say, question, lists, months)
    if question.month is None or (question.run is None and question.month not in months):
        return replace(page, notices=(*page.notices, _no_run(say, question, months)))
    return _filled(context, say, question, lists, page)


def default_language(context: Context) -> str:
    """Return the city's own language if it is one of ours."""
    return context.city.language if context.city.language in LANGUAGES else DEFAULT_LANGUAGE


def _settled(context: Context, question: Question, months: Sequence[str]) -> Question:
    """
    Return the question with its month: that of the run, else the one asked for, else the newest.

    A form keeps the run it was opened with; another month chosen there leaves it.
    """
    if question.run is not None:
        month = str(lookup.find_run(context, run=question.run)["month"])
        if question.month in {None, month}:
            return replace(question, month=month)
        return replace(question, run=None)
    return question if question.month or not months else replace(question, month=months[0])


def _frame(
    context: Context, say: Words, question: Question, lists: FilterLists, months: Sequence[str]
) -> MapPage:
    """Return the page without its numbers."""
    city = context.city
    name = city.name if say.language == city.language else city.name_en or city.name
    ignored = Notice("info", say("notice.unknown", names=", ".join(question.unknown)))
    return MapPage(
        lang=say.language, city=name, title=say("page.title", city=name),
        month=say.month(question.month) if question.month else "",
        synthetic=bool(city.synthetic), languages=_languages(context, say, question),
        selects=selects(say, question, lists, months),
        hidden=tuple(
            Option(name, str(value))
            for name in ("lang", "run")
            if (value := getattr(question, name)) is not None
        ),
        notices=(ignored,) if question.unknown else (),
        filtered=any(getattr(question, name) for name in FILTERS),
        reset=question.address(source=None, category=None, district=None),
        attributions=tuple(
            str(entry["attribution"]) for entry in lookup.read_list(context, "attributions")
        ),
    )  # fmt: skip


def _languages(context: Context, say: Words, question: Question) -> tuple[Link, ...]:
    own = default_language(context)
    links = {lang: question.address(lang=None if lang == own else lang) for lang in LANGUAGES}
    return tuple(
        Link("" if lang == say.language else links[lang], LANGUAGE_NAMES[lang], lang)
        for lang in LANGUAGES
    )


def _filled(
    context: Context, say: Words, question: Question, lists: FilterLists, page: MapPage
) -> MapPage:
    """Add the numbers of the run."""
    chosen = question.chosen
    density = lookup.density(
        context, level="district", month=question.month, run=question.run, chosen=chosen
    )
    run: Row = density["run"]  # type: ignore[assignment]
    run_id = int(str(run["id"]))
    legends = tuple(
        as_legend(say, lookup.legend(context, level=level, run=run_id, chosen=chosen))
        for level in LEVELS
    )
    groups, rest = as_groups(say, density, lists, legends[-1])
    cases = int(str(density["total"]))
    notices = [*page.notices]
    if not cases:
        reset = Link(page.reset, say("notice.reset"))
        notices.append(Notice("empty", say("notice.empty"), (reset,)))
    if run["outdated"]:
        notices.append(Notice("info", say("notice.outdated", month=run["month"])))
    return replace(
        page,
        notices=tuple(notices),
        total=count_text(cases), unlocated=_unlocated(say, rest, question),
        legends=legends, groups=groups, rest=rest,
        run=Link(question.address(run=run_id), str(run_id)),
        computed=say.local_time(str(run["created_at"]), context.city.time_zone),
        exports=_exports(say, question),
        approximate=any(bool(entry["approximate"]) for entry in (*lists.regions, *lists.streets)),
        state=page_state(context, say, question, run=run, legends=legends, groups=groups),
    )  # fmt: skip


def _unlocated(say: Words, rest: Rest, question: Question) -> str:
    """Return the cases without a region, by reason; a filter by region leaves none to speak of."""
    if question.district is not None:
        return ""
    parts = rest or ((say("rest.unlocated"), count_text(0)),)
    return " · ".join(say("summary.rest", reason=reason, n=cases) for reason, cases in parts)


def _no_run(say: Words, question: Question, months: Sequence[str]) -> Notice:
    """Say that a month is not computed, with the nearest ones that are."""
    if question.month is None or not months:
        return Notice("missing", say("notice.no_run_at_all"))
    asked = _ordinal(question.month)
    nearest = sorted(months, key=lambda month: (abs(_ordinal(month) - asked), month))
    links = (Link(question.address(month=month), say.month(month))
             for month in nearest[:NEAREST_MONTHS])  # fmt: skip
    return Notice("missing", say("notice.no_run", month=say.month(question.month)), tuple(links))


def _ordinal(month: str) -> int:
    year, number = month.split("-")
    return int(year) * 12 + int(number)


def _exports(say: Words, question: Question) -> tuple[Link, ...]:
    """Links to exactly the filtered cases."""
    given = {name: getattr(question, name) for name in ("month", "district", "category", "source")}
    query = {name: value for name, value in given.items() if value is not None}
    return tuple(
        Link(f"/api/v1/cases?{urlencode({**query, 'f': form})}", say(f"export.{form}"))
        for form in ("csv", "geojson")
    )
