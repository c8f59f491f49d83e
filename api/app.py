"""The application: routes, security headers, problem documents (应用)."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException

from api import problems
from api.deps import CitySource
from api.kept import Kept
from api.routers import cases, density, health, meta, open_work, pages, report, tiles
from api.schemas import CaseCollection, Problem, WorkCollection

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gridgis.config import Settings

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
MAX_BODY_BYTES = 5_000_000
CSP = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self'; style-src 'self'; "
    "script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "form-action 'self'"
)


def create_app(settings: Settings) -> FastAPI:
    """Return the service of one city database; it starts and stays up without it."""
    app = FastAPI(
        title="gridgis",
        version=version("gridgis"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.city = CitySource(settings)
    app.state.tiles = Kept()
    problems.install(app)
    app.mount("/static", pages.static_files(str(files("maps") / "static")), name="static")
    for module in (pages, cases, density, open_work, report, meta, tiles, health):
        app.include_router(module.router)
    app.add_middleware(Guard)
    app.openapi = lambda: _with_schemas(FastAPI.openapi(app))  # type: ignore[method-assign]
    return app


def _with_schemas(document: dict[str, Any]) -> dict[str, Any]:
    """Add the schemas that answers name by reference: FastAPI lists only those of JSON bodies."""
    _, found = models_json_schema(
        [(shape, "serialization") for shape in (Problem, CaseCollection, WorkCollection)],
        ref_template="#/components/schemas/{model}",
    )
    document["components"]["schemas"].update(found["$defs"])
    return document


class Guard:
    """Refuses foreign hosts (DNS rebinding) and sends the security headers (安全响应头)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = _refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                for name, value in _SECURITY_HEADERS:
                    if name not in names:
                        message["headers"].append((name, value))
            await send(message)

        if scope["method"] == "HEAD":
            # the server leaves the body out: only the headers of the GET are sent
            scope = {**scope, "method": "GET"}
        await self.app(scope, _limited(receive), guarded)


_SECURITY_HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


def _limited(receive: Receive) -> Receive:
    """Stop reading a body that is too large."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY_BYTES:
            raise HTTPException(413, f"a body has at most {MAX_BODY_BYTES:,} bytes")
        return message

    return counted


def _refusal(scope: Scope) -> Response | None:
    """Return the answer to a request that another site makes through a person's browser."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    if not _is_loopback(headers.get(b"host", "")):
        return problems.problem(
            421, "foreign_host", "this service answers to loopback addresses only"
        )
    origin = headers.get(b"origin")
    if origin and scope["method"] not in SAFE_METHODS and origin != _own_origin(scope, headers):
        return problems.problem(403, "foreign_origin", "requests of other sites are refused")
    return None


def _own_origin(scope: Scope, headers: dict[bytes, str]) -> str:
    return f"{scope['scheme']}://{headers[b'host']}"


def _is_loopback(host: str) -> bool:
    """Tell whether a Host header names this machine: localhost, 127.0.0.0/8 or [::1]."""
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]")
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
