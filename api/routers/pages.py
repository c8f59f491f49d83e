"""The pages a person sees, and their files (网页)."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

router = APIRouter(include_in_schema=False)


@router.get("/")
def home() -> Response:
    """Go to the map (首页)."""
    return RedirectResponse("/map", status_code=307)


def static_files(folder: str) -> StaticFiles:
    """Serve scripts, styles and vendored assets (静态文件)."""
    return StaticFiles(directory=folder, check_dir=False)
