"""The page of the monthly report and its files, from a stored issue (月报页)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from gridgis.errors import InputError
from gridgis.report.forms import FORMATS, draw_pictures, file_name, report_forms
from gridgis.report.page import Link, Setting, report_page, stylesheet
from gridgis.services.report import read_report, report_shapes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gridgis.model.report import ReportModel
    from gridgis.report.canvas import Picture
    from gridgis.services.context import Context

STYLE = "/report.css"
FILES = ("docx", "pdf", "xlsx")
KNOWN = ("region", "issue")
_KEPT: dict[tuple[str, ...], Mapping[str, Picture]] = {}
MOST_KEPT = 8
ISSUE = re.compile(r"[1-9][0-9]{0,5}")


def report_html(context: Context, month: str, pairs: Sequence[tuple[str, str]]) -> str:
    """
    Return the page of a stored report (月报页).

    Raises
    ------
    InputError
        If a parameter means nothing.
    NotFoundError
        If there is no such report.
    """
    model = stored(context, month, pairs)
    asked = f"?{urlencode(pairs)}" if pairs else ""
    links = [Link(f"/report/{month}/files/{form}{asked}", form.upper()) for form in FILES]
    links.append(Link(f"/map?month={month}", "地图" if model.language.startswith("zh") else "Map"))
    setting = Setting(stylesheet=STYLE, rows="/api/v1/report", links=links)
    return report_page(model, _pictures(context, model), setting)


def report_file(
    context: Context, month: str, form: str, pairs: Sequence[tuple[str, str]]
) -> tuple[str, bytes]:
    """Return name and content of a file of a stored report (月报文件)."""
    if form not in FORMATS:
        raise InputError(f"format {form!r}: expected {', '.join(FORMATS)}")
    model = stored(context, month, pairs)
    made = report_forms(model, report_shapes(context), (form,))
    return file_name(model, form), made[form]


def stored(context: Context, month: str, pairs: Sequence[tuple[str, str]]) -> ReportModel:
    """Return the issue that an address means."""
    asked = dict(pairs)
    for name in asked:
        if name not in KNOWN:
            raise InputError(f"parameter {name!r}: expected {', '.join(KNOWN)}")
    number = asked.get("issue")
    if number is not None and not ISSUE.fullmatch(number):
        raise InputError(f"issue {number!r}: expected a whole number")
    return read_report(
        context,
        month,
        region=asked.get("region") or None,
        issue=None if number is None else int(number),
    )


@lru_cache(maxsize=1)
def report_style() -> str:
    """Return the stylesheet of the page."""
    return stylesheet()


def _pictures(context: Context, model: ReportModel) -> Mapping[str, Picture]:
    """Return the drawn charts and maps of an issue; they never change, so some are kept."""
    issue = model.issue
    key = (
        context.engine.url.database or "",
        model.month,
        model.region or "",
        f"{issue.number} {issue.made_at}" if issue else "",
    )
    kept = _KEPT.get(key)
    if kept is None:
        kept = draw_pictures(model, report_shapes(context))
        if len(_KEPT) >= MOST_KEPT:
            _KEPT.clear()
        _KEPT[key] = kept
    return kept
