"""The application: routes, security headers, problem documents (应用)."""

from __future__ import annotations

from importlib.metadata import version
from importlib.resources import files
from ipaddress import ip_address
from typing import TYPE_CHECKING

from fastapi import FastAPI

from api import problems
from api.deps import CitySource
from api.routers import cases, density, health, meta, pages, tiles

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from gridgis.config import Settings

CSP = (
    "default-src 'self'; img-src 'self' data: blob:; worker-src 'self'; style-src 'self'; "
    "script-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'self'; "
    "form-action 'self'"
)


def create_app(settings: Settings) -> FastAPI:
    """Return the service of one city database; it starts and stays up without it."""
    app = FastAPI(
        title="gridgis", version=version("gridgis"), docs_url=None, redoc_url=None,
        openapi_url="/openapi.json",
    )  # fmt: skip
    app.state.city = CitySource(settings)
    problems.install(app)
    app.mount("/static", pages.static_files(str(files("maps") / "static")), name="static")
    for module in (pages, cases, density, meta, tiles, health):
        app.include_router(module.router)
    app.add_middleware(Guard)
    return app


class Guard:
    """Refuses foreign hosts (DNS rebinding) and sends the security headers (安全响应头)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        if not _is_loopback(headers.get(b"host", b"").decode("latin-1")):
            answer = problems.problem(
                421, "foreign_host", "this service answers to loopback addresses only"
            )
            await answer(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                names = {name.lower() for name, _ in message["headers"]}
                for name, value in _SECURITY_HEADERS:
                    if name not in names:
                        message["headers"].append((name, value))
            await send(message)

        await self.app(scope, receive, guarded)


_SECURITY_HEADERS = (
    (b"content-security-policy", CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


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
