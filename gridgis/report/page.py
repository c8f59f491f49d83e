"""The report as a page: one template for screen and print (网页与打印稿)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gridgis.report.arrangement import arranged, definitions, spans
from gridgis.report.plain import (
    clean,
    form_words,
    is_brief,
    is_marked,
    is_number,
    issue_line,
    number_text,
    text_width,
    titles,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gridgis.model.report import ReportModel, Table
    from gridgis.report.canvas import Picture

NARROW, TIGHT = 8, 12
"""Tables of more columns are set smaller."""
MOST_KEPT = 10
"""A table of so few rows stays on one page."""
UNBROKEN = 8
"""Half-width characters of a text in a cell that stays on one line."""
NAMED_FIGURES = 3


@dataclass(frozen=True, slots=True)
class Link:
    """A file or page that the head of the page leads to."""

    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a page stands and what it leads to."""

    stylesheet: str | None = None
    """Address of the stylesheet; None: it is in the page, which a strict policy would refuse."""
    rows: str | None = None
    """Address below which the rows of figures are, such as `/api/v1/report`; None: figures lead
    to their definitions in the page."""
    links: Sequence[Link] = ()
    lean: bool = False
    """Without what no paper shows: lists of all figures, the data of charts."""


def report_page(
    model: ReportModel, pictures: Mapping[str, Picture], setting: Setting | None = None
) -> str:
    """
    Return the report as an HTML document without script, inline style or outside address (网页).

    Parameters
    ----------
    pictures : mapping
        The drawn charts and maps by the key of their block.
    setting : Setting, optional
        By default the page is a file that stands for itself.
    """
    chosen = setting or Setting()
    say = form_words(model.language)
    known = definitions(model)
    title, subtitle = titles(model, say)
    brief = is_brief(model)
    if brief and chosen.lean:
        known = ()
    return _templates().get_template("report.html").render(
        model=model, say=say, lang=say.language, parts=arranged(model, say),
        definitions=known, pictures=pictures, setting=chosen, style=stylesheet(),
        title=title, subtitle=subtitle, issue=issue_line(model, say), spans=spans,
        address=_address(model, chosen, {f.key: d.anchor for d in known for f in d.figures}),
        size=_size, look=_look, marked=is_marked, data_uri=_data_uri, number_text=number_text,
        named=NAMED_FIGURES, brief=brief, changes=model.issue.changes if model.issue else (),
    )  # fmt: skip


def stylesheet() -> str:
    """Return the stylesheet of the page, for screen and print (样式)."""
    return (files("gridgis.report") / "templates" / "report.css").read_text("utf-8")


def _address(
    model: ReportModel, setting: Setting, anchors: Mapping[str, str]
) -> Callable[[str], str | None]:
    """Return the function from the key of a figure to where it leads."""
    issue = model.issue
    signed = issue.number if issue and issue.status == "signed" else None  # a draft is the newest
    asked = {"region": model.region, "issue": signed}
    given = {name: value for name, value in asked.items() if value}
    which = f"?{urlencode(given)}" if given else ""

    def address(key: str) -> str | None:
        if key not in anchors:
            return None
        if setting.rows is None:
            return f"#{anchors[key]}"
        return f"{setting.rows}/{model.month}/figures/{quote(key, safe='')}/rows{which}"

    return address


def _size(table: Table) -> str:
    """Return the classes of a table that say how small it is set, and whether it stays whole."""
    count = len(table.columns)
    width = " tight" if count > TIGHT else " narrow" if count > NARROW else ""
    return width if len(table.rows) > MOST_KEPT else f"{width} short"


def _look(text: str) -> str:
    """Return the class of a cell: a number stands right, what is short does not break."""
    return "n" if is_number(text) else "k" if text_width(text) <= UNBROKEN else ""


def _data_uri(picture: Picture) -> str:
    return f"data:image/png;base64,{b64encode(picture.png).decode('ascii')}"


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("gridgis.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
        finalize=_clean,
    )  # fmt: skip


def _clean(value: object) -> object:
    """Return a text without control characters; the template's own markup has none."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
