"""The pages a person sees, and their files (网页)."""

from __future__ import annotations

import gzip
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from api.deps import open_city
from api.problems import RETRY_AFTER_S, status_of
from gridgis.errors import GridgisError
from gridgis.report.forms import MEDIA_TYPES
from maps import pages, report_page

if TYPE_CHECKING:
    from os import PathLike, stat_result

    from starlette.types import Scope

router = APIRouter(include_in_schema=False)

PACKED = {".css": "text/css", ".js": "text/javascript", ".mjs": "text/javascript"}
"""What is sent gzipped. Python 3.11 calls `.mjs` application/javascript."""
FOREVER = "public, max-age=31536000, immutable"
"""For files whose folder carries their version."""


@router.get("/")
def home() -> Response:
    """Go to the map (首页)."""
    return RedirectResponse("/map", status_code=HTTPStatus.TEMPORARY_REDIRECT)


@router.get("/map")
def show_map(request: Request) -> HTMLResponse:
    """Show where cases are (热点地图)."""
    pairs = request.query_params.multi_items()
    context = None
    try:
        context = open_city(request)
        found, html = pages.map_page(context, pairs)
        return _page(html, HTTPStatus.OK if found else HTTPStatus.NOT_FOUND)
    except GridgisError as error:
        status = status_of(error)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        address = f"/map?{request.url.query}"
        return _page(pages.error_page(error, pairs, address=address, context=context), status)


@router.get("/report/{month}")
def show_report(request: Request, month: str) -> HTMLResponse:
    """Show the report of a month (月报)."""
    pairs = request.query_params.multi_items()
    context = None
    try:
        context = open_city(request)
        return _page(report_page.report_html(context, month, pairs), HTTPStatus.OK)
    except GridgisError as error:
        status = status_of(error)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        address = f"{request.url.path}?{request.url.query}"
        return _page(pages.error_page(error, pairs, address=address, context=context), status)


@router.get("/report/{month}/files/{form}")
def send_report(request: Request, month: str, form: str) -> Response:
    """Send a file of a stored report (下载月报)."""
    pairs = request.query_params.multi_items()
    name, content = report_page.report_file(open_city(request), month, form, pairs)
    return Response(
        content,
        media_type=MEDIA_TYPES[form],
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
            "Cache-Control": "no-store",
        },
    )


@router.get("/report.css")
def report_style() -> Response:
    """Send the stylesheet of reports."""
    return Response(
        report_page.report_style(), media_type="text/css", headers={"Cache-Control": "no-cache"}
    )


def _page(html: str, status: HTTPStatus) -> HTMLResponse:
    headers = {"Cache-Control": "no-cache"}
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    return HTMLResponse(html, status_code=status, headers=headers)


def static_files(folder: str) -> StaticFiles:
    """Return the application that serves scripts, styles and vendored assets (静态文件)."""
    return Assets(directory=folder)


class Assets(StaticFiles):
    """Static files: own ones are revalidated, vendored ones kept; text is sent gzipped."""

    def file_response(
        self,
        full_path: str | PathLike[str],
        stat_result: stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer with one file."""
        path = Path(full_path)
        answer = super().file_response(full_path, stat_result, scope, status_code)
        vendored = path.is_relative_to(Path(str(self.directory)) / "vendor")
        answer.headers["Cache-Control"] = FOREVER if vendored else "no-cache"
        media_type = PACKED.get(path.suffix)
        if media_type is None:
            return answer
        answer.headers["Content-Type"] = f"{media_type}; charset=utf-8"
        answer.headers["Vary"] = "Accept-Encoding"
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
        if answer.status_code != HTTPStatus.OK or b"gzip" not in accepted:
            return answer
        headers = {k: v for k, v in answer.headers.items() if k != "content-length"}
        packed = _packed(str(path), stat_result.st_mtime)
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"})


@lru_cache(maxsize=64)
def _packed(path: str, _modified: float) -> bytes:
    return gzip.compress(Path(path).read_bytes(), compresslevel=6, mtime=0)
