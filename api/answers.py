"""Answers: JSON that says its nature and is revalidated, and streamed files (响应)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from datetime import date
from importlib.metadata import version
from itertools import chain
from threading import BoundedSemaphore
from urllib.parse import quote

from anyio import CancelScope
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

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
    """
    Return what `build` makes, or 304 without making it if the client has it already.

    An address says all only of a GET: what is posted has no entity tag.
    """
    kept = {"Cache-Control": "private, no-cache", **nature_header(city)}
    if request.method == "GET":
        kept["ETag"] = etag = tag(request, stamp(city))
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


class FileAnswer(StreamingResponse):
    """
    A file that is streamed while it is read from the database.

    The first part is made before the answer starts, so that an error that comes with the first
    rows is an answer of its own. At the end, or when the client leaves, the parts are closed at
    once: left to the garbage collector, a half-read COPY could block any thread.
    """

    def __init__(
        self, parts: Iterator[bytes], *, media_type: str, name: str, headers: dict[str, str]
    ) -> None:
        if not EXPORTS.acquire(blocking=False):
            raise StoreUnavailable("other exports are under way: try again when one is done")
        self._parts = _releasing(parts)
        super().__init__(
            chain([next(self._parts)], self._parts),
            media_type=media_type,
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
                "Cache-Control": "no-store",
                **headers,
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with CancelScope(shield=True):
                await run_in_threadpool(self._parts.close)


def _releasing(parts: Iterator[bytes]) -> Generator[bytes]:
    """Yield the parts; give the place back when they are closed."""
    try:
        yield from parts
    finally:
        EXPORTS.release()
