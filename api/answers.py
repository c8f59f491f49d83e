"""Answers: JSON that says its nature and is revalidated, and streamed files (响应)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.metadata import version
from threading import BoundedSemaphore
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from gridgis.errors import StoreUnavailable
from gridgis.services.context import Context
from gridgis.services.lookup import stamp

EXPORTS = BoundedSemaphore(3)
"""Files streamed at once: each holds a database connection as long as the client reads."""


def answer(
    request: Request,
    city: Context,
    build: Callable[[], Mapping[str, object]],
    *,
    media_type: str = "application/json",
    headers: Callable[[Mapping[str, object]], dict[str, str]] = lambda _: {},
) -> Response:
    """Return what `build` makes, or 304 without making it if the client has it already."""
    etag = tag(request, stamp(city))
    kept = {"ETag": etag, "Cache-Control": "private, no-cache", **nature_header(city)}
    if matches(request, etag):
        return Response(status_code=304, headers=kept)
    body = build()
    content = json.dumps(body, ensure_ascii=False, default=_iso)
    return Response(content, media_type=media_type, headers={**kept, **headers(body)})


def _iso(value: object) -> str:
    """Return times and dates as text."""
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value))


def tag(request: Request, state: str) -> str:
    """Return the entity tag of an address: it changes with the state behind it and the code."""
    parts = (state, version("gridgis"), request.url.path, request.url.query)
    return f'W/"{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:24]}"'


def matches(request: Request, etag: str) -> bool:
    """Tell whether the client's copy is current (If-None-Match, weak comparison)."""
    given = request.headers.get("if-none-match", "")
    wanted = etag.removeprefix("W/")
    return any(entry.strip().removeprefix("W/") in {wanted, "*"} for entry in given.split(","))


def nature_header(city: Context) -> dict[str, str]:
    """Return the header by which every answer says whether its data are synthetic (合成数据)."""
    return {"X-Gridgis-Synthetic": "true" if city.city.synthetic else "false"}


def file_answer(
    chunks: Iterator[bytes], *, media_type: str, name: str, headers: dict[str, str]
) -> Response:
    """
    Return a streamed file; the first part is made before the answer starts.

    So an error that comes with the first rows is still an answer of its own.
    """
    if not EXPORTS.acquire(blocking=False):
        raise StoreUnavailable("other exports are under way: try again when one is done")
    parts = _releasing(chunks)
    first = next(parts)
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return StreamingResponse(
        _chained(first, parts),
        media_type=media_type,
        headers={"Content-Disposition": disposition, "Cache-Control": "no-store", **headers},
    )


def _releasing(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the parts; give the place back at the end, or when the client leaves."""
    try:
        yield from chunks
    finally:
        EXPORTS.release()


def _chained(first: bytes, parts: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from parts
