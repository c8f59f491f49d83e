"""The filter form of the map page, from the city's own lists (筛选项)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.services import lookup
from maps.page_model import Option, OptionGroup, Select
from maps.text import DEFAULT_LANGUAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridgis.services.context import Context
    from gridgis.store.metrics import Row
    from maps.question import Question
    from maps.text import Words


@dataclass(frozen=True, slots=True)
class FilterLists:
    """The codes that filters may name, in the city's order."""

    categories: list[Row]
    sources: list[Row]
    groups: list[Row]
    regions: list[Row]
    streets: list[Row]

    @classmethod
    def read(cls, context: Context) -> FilterLists:
        """Read the lists of a city."""
        names = ("categories", "sources", "groups", "regions", "streets")
        return cls(*(lookup.read_list(context, name) for name in names))

    def group_titles(self, say: Words) -> dict[str, str]:
        """Return the names of the reporting groups by code."""
        return {str(group["code"]): own_name(say, group) for group in self.groups}


def own_name(say: Words, entry: Row) -> str:
    """Return the name of an entry in the page's language, if it has one."""
    other = None if say.language == DEFAULT_LANGUAGE else entry["name_en"]
    return str(other or entry["name"])


def selects(
    say: Words, question: Question, lists: FilterLists, months: Sequence[str]
) -> tuple[Select, ...]:
    """Return month, source, class and region as form fields."""
    return (
        Select("month", say("filter.month"), (_months(say, question, months),)),
        Select("district", say("filter.district"), _regions(say, question, lists)),
        Select("category", say("filter.category"), _categories(say, question, lists)),
        Select("source", say("filter.source"), (_sources(say, question, lists),)),
    )


def _months(say: Words, question: Question, months: Sequence[str]) -> OptionGroup:
    known = list(months)
    if question.month is not None and question.month not in known:
        known = sorted([*known, question.month], reverse=True)
    return OptionGroup("", tuple(_option(m, say.month(m), question.month) for m in known))


def _sources(say: Words, question: Question, lists: FilterLists) -> OptionGroup:
    named = [(str(entry["code"]), own_name(say, entry)) for entry in lists.sources]
    if question.source is not None and all(code != question.source for code, _ in named):
        named.append((question.source, question.source))
    return OptionGroup("", (
        _option("", say("filter.all"), question.source or ""),
        *(_option(code, name, question.source) for code, name in named),
    ))  # fmt: skip


def _regions(say: Words, question: Question, lists: FilterLists) -> tuple[OptionGroup, ...]:
    groups = [OptionGroup("", (_option("", say("filter.all"), question.district or ""),))]
    titles = lists.group_titles(say)
    for group in dict.fromkeys(str(region["group"]) for region in lists.regions):
        options = tuple(
            _option(str(r["code"]), say.place(str(r["name"]), str(r["code"])), question.district)
            for r in lists.regions if str(r["group"]) == group
        )  # fmt: skip
        groups.append(OptionGroup(titles.get(group, ""), options))
    return tuple(groups)


def _categories(say: Words, question: Question, lists: FilterLists) -> tuple[OptionGroup, ...]:
    """All, each kind (first letter), then each big class with its subcategories."""
    chosen = question.category
    kinds = dict.fromkeys((str(c["code"])[0], str(c["kind"])) for c in lists.categories)
    first = [_option("", say("filter.all"), chosen or "")]
    first += [_option(letter, say(f"kind.all.{kind}"), chosen) for letter, kind in kinds]
    groups = [OptionGroup("", tuple(first))]
    parents = dict.fromkeys((str(c["parent_code"]), str(c["parent_name"]), str(c["kind"]))
                            for c in lists.categories)  # fmt: skip
    for parent, name, kind in parents:
        children = [c for c in lists.categories if c["parent_code"] == parent]
        options = [_option(str(c["code"]), f"{c['name']} {c['code']}", chosen) for c in children]
        if all(str(child["code"]).startswith(parent) for child in children):
            whole = say("filter.whole_class", name=name, code=parent)
            options.insert(0, _option(parent, whole, chosen))
        label = say("filter.class_group", kind=say(f"kind.{kind}"), name=name, code=parent)
        groups.append(OptionGroup(label, tuple(options)))
    return tuple(groups)


def _option(value: str, text: str, chosen: str | None) -> Option:
    return Option(value, text, selected=value == chosen)
