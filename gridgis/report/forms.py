"""
The forms of a report: page, PDF, DOCX, XLSX and JSON, from one model (报告各式文件).

A form shows what the model says; none computes a figure. Nothing is fetched. The writers are
imported when they write: matplotlib and WeasyPrint take a second to load.
"""

from __future__ import annotations

import json
import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from gridgis.errors import InputError
from gridgis.model.report import Chart
from gridgis.report.arrangement import pictured
from gridgis.report.plain import DEFAULT_LANGUAGE, form_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import geopandas as gpd

    from gridgis.model.report import ReportModel
    from gridgis.report.canvas import Picture

FORMATS = ("html", "pdf", "docx", "xlsx", "json")
MEDIA_TYPES = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
PICTURED = {"html", "pdf", "docx"}


def write_report(
    model: ReportModel, shapes: gpd.GeoDataFrame, *, formats: Iterable[str], folder: Path
) -> list[Path]:
    """
    Write forms of a report into a folder and return their paths (写出月报).

    All forms are made before the first is written, and each file appears whole or not at all.

    Parameters
    ----------
    shapes : GeoDataFrame
        The regions of its maps, as `staticmap.draw_map` takes them; it may be empty.
    formats : iterable of str
        Some of `html pdf docx xlsx json`.

    Raises
    ------
    InputError
        If a format is unknown, or the folder cannot be written to.
    """
    made = report_forms(model, shapes, formats)
    paths = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for form, content in made.items():
            path = folder / file_name(model, form)
            _write_whole(path, content)
            paths.append(path)
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name another") from error
    return paths


def report_forms(
    model: ReportModel, shapes: gpd.GeoDataFrame, formats: Iterable[str]
) -> dict[str, bytes]:
    """Return forms of a report by format, in the order asked for (生成各式文件)."""
    wanted = tuple(dict.fromkeys(formats))
    for name in wanted:
        if name not in FORMATS:
            raise InputError(f"format {name!r}: expected {', '.join(FORMATS)}")
    pictures = draw_pictures(model, shapes) if PICTURED & set(wanted) else {}
    return {name: _form(name, model, pictures) for name in wanted}


def draw_pictures(model: ReportModel, shapes: gpd.GeoDataFrame) -> dict[str, Picture]:
    """Return the charts and maps of a report by the key of their block (绘图)."""
    from gridgis.report import charts, staticmap  # noqa: PLC0415 - see above

    say = form_words(model.language)
    notice = say("synthetic.short") if model.synthetic else ""
    return {
        block.key: charts.draw_chart(block, say, notice=notice)
        if isinstance(block, Chart)
        else staticmap.draw_map(block, shapes, say, notice=notice)
        for block in pictured(model)
    }


def file_name(model: ReportModel, form: str) -> str:
    """Return the name of a file, such as `kunming-2024-11-report.docx`."""
    city = re.sub(r"[^a-z0-9]+", "-", model.city_en.lower()).strip("-") or "city"
    region = re.sub(r"[^A-Za-z0-9]+", "-", model.region or "").strip("-")
    language = "" if model.language == DEFAULT_LANGUAGE else model.language
    parts = filter(None, (city, model.month, region, "report", language))
    return f"{'-'.join(parts)}.{form}"


def _form(name: str, model: ReportModel, pictures: Mapping[str, Picture]) -> bytes:
    match name:
        case "html":
            from gridgis.report.page import report_page  # noqa: PLC0415 - see above

            return report_page(model, pictures).encode()
        case "pdf":
            from gridgis.report.pdf import report_pdf  # noqa: PLC0415

            return report_pdf(model, pictures)
        case "docx":
            from gridgis.report.docx import report_docx  # noqa: PLC0415

            return report_docx(model, pictures)
        case "xlsx":
            from gridgis.report.xlsx import report_xlsx  # noqa: PLC0415

            return report_xlsx(model)
        case _:
            return (json.dumps(model.to_dict(), ensure_ascii=False, indent=1) + "\n").encode()


def _write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name first: whoever reads the folder sees no half of it."""
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)
    except BaseException:
        with suppress(OSError):
            part.unlink()
        raise
