"""The report as PDF: the page on paper, by WeasyPrint, without any request (PDF)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import weasyprint
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from gridgis.report.canvas import SANS, SERIF, known_characters
from gridgis.report.page import Setting, report_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gridgis.model.report import ReportModel
    from gridgis.report.canvas import Picture


def report_pdf(model: ReportModel, pictures: Mapping[str, Picture]) -> bytes:
    """
    Return the report as PDF: text, tables and headings stay text; fonts are embedded (PDF).

    A character that the fonts do not have is printed as 〓, never as a box.

    Raises
    ------
    MissingExtra
        If there is no Chinese font.
    """
    html = known_characters(report_page(model, pictures, Setting(lean=True)), SERIF, SANS)
    document = weasyprint.HTML(string=html, url_fetcher=Enclosed()).render(
        font_config=FontConfiguration()
    )
    return cast("bytes", document.write_pdf())


class Enclosed(URLFetcher):  # type: ignore[misc]
    """Answers for what the document itself holds (`data:`), and for nothing else."""

    def __init__(self) -> None:
        super().__init__(allowed_protocols=("data",), allow_redirects=False)
