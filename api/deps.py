"""What routes are handed: the open city and the filters of a question (依赖)."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from gridgis.services.context import Context, open_context

if TYPE_CHECKING:
    from gridgis.config import Settings

STATEMENT_TIMEOUT_S = 10.0
"""Cap of one query of the service."""


class CitySource:
    """Opens the city database at the first request that needs it (按需连接)."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = Lock()
        self._context: Context | None = None

    def __call__(self) -> Context:
        """Return the open city; a database that is away is tried again by the next request."""
        if self._context is None:
            with self._lock:
                if self._context is None:
                    self._context = open_context(
                        self._settings, statement_timeout_s=STATEMENT_TIMEOUT_S
                    )
        return self._context


def open_city(request: Request) -> Context:
    """Return the city of this service."""
    source: CitySource = request.app.state.city
    return source()


City = Annotated[Context, Depends(open_city)]
