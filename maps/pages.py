"""Pages as HTML: frozen page models through autoescaping templates (网页)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.errors import GridgisError, InputError, NotFoundError
from maps import vendor
from maps.map_page import build_map_page, default_language
from maps.page_model import Link
from maps.question import language_of, read_question
from maps.rendering import render
from maps.text import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gridgis.services.context import Context


def map_page(context: Context, pairs: Sequence[tuple[str, str]]) -> tuple[bool, str]:
    """
    Return whether there is a result to show, and the map page (热点地图).

    Parameters
    ----------
    pairs : sequence of (name, value)
        The parameters of the address.

    Raises
    ------
    InputError
        If one of them has a value that means nothing.
    RunNotFound
        If the run asked for does not exist.
    """
    question = read_question(pairs, time_zone=context.city.time_zone)
    page = build_map_page(context, question)
    html = render(
        "map.html", words(page.lang), page=page, title=f"{page.title} {page.month}".strip(),
        maplibre=vendor.folder("maplibre-gl"),
    )  # fmt: skip
    return page.found, html


def error_page(
    error: GridgisError,
    pairs: Sequence[tuple[str, str]],
    *,
    address: str,
    context: Context | None = None,
) -> str:
    """
    Return the page of an error in the reader's language (错误页).

    Parameters
    ----------
    address : str
        Where the reader is: a failing database is worth another try there.
    """
    default = default_language(context) if context else "zh-CN"
    say = words(language_of(pairs, default))
    kind, again = "other", Link("/map", say("error.home"))
    values: dict[str, object] = {}
    text, detail = error.message, ""
    if "parameter" in error.context:
        kind, values = "400", {"name": error.context["parameter"], "value": error.context["value"]}
    elif isinstance(error, NotFoundError):
        kind = "404"
    elif not isinstance(error, InputError):
        kind, again = "503", Link(address, say("error.retry"))
    if kind != "other":
        text, detail = say(f"error.{kind}.text", **values), error.message
    heading = say(f"error.{kind}.title")
    return render(
        "error.html", say, title=heading, heading=heading, text=text, detail=detail, again=again
    )
