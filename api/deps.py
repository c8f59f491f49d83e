"""What routes are handed: the open city, and a guard over the parameters (依赖)."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.dependencies.models import Dependant
from pydantic import BaseModel

from gridgis.errors import InputError
from gridgis.services.context import Context, open_context, refreshed

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
        """Return the city as it is now; one that is away is tried again by the next request."""
        if self._context is None:
            with self._lock:
                if self._context is None:
                    self._context = open_context(
                        self._settings, statement_timeout_s=STATEMENT_TIMEOUT_S
                    )
        return refreshed(self._context)


def open_city(request: Request) -> Context:
    """Return the city of this service."""
    source: CitySource = request.app.state.city
    return source()


City = Annotated[Context, Depends(open_city)]


def known_parameters(request: Request) -> None:
    """
    Refuse parameters that the route does not have, and repeated ones (参数检查).

    A misspelt filter would otherwise be ignored, and the answer would hold too much.
    """
    known = sorted(_names(request.scope["route"].dependant))
    given = [name for name, _ in request.query_params.multi_items()]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise InputError(
            f"unknown parameter {', '.join(map(repr, unknown))}: this address takes "
            f"{', '.join(known) or 'none'}"
        )
    repeated = sorted({name for name in given if given.count(name) > 1})
    if repeated:
        raise InputError(f"parameter {', '.join(map(repr, repeated))}: given more than once")


def _names(dependant: Dependant) -> Iterator[str]:
    """Yield the query parameters of a route and of what it depends on."""
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (part.alias or name for name, part in model.model_fields.items())
        else:
            yield field.alias
    for part in dependant.dependencies:
        yield from _names(part)
