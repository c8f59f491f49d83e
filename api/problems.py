"""
Errors as `application/problem+json` (RFC 9457, 错误响应).

One table from error classes to status codes. Bodies hold a stable `code` and a sentence for a
person; never SQL, driver text or a stack trace.
"""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.schemas import Problem
from gridgis import errors

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

STATUSES: dict[type[errors.GridgisError], HTTPStatus] = {
    errors.GridgisError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ConfigError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InputError: HTTPStatus.BAD_REQUEST,
    errors.GeometryError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.LimitExceeded: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.GeocodingError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.AnalysisError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnitMismatch: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.StoreError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.MigrationRequired: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ConcurrentRun: HTTPStatus.CONFLICT,
}
_log = logging.getLogger("gridgis.api")


def status_of(error: errors.GridgisError) -> HTTPStatus:
    """Return the status of an error: the one of its nearest class in the table."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **extra: object,
) -> Response:
    """Return one problem document."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        **extra,
    }
    kept = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        kept["Retry-After"] = str(RETRY_AFTER_S)
    text = json.dumps(jsonable_encoder(body), ensure_ascii=False)
    # half a surrogate pair in a given value stays an escape, which JSON reads back
    content = text.encode("utf-8", "backslashreplace")
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=kept)


def install(app: FastAPI) -> None:
    """Answer every failure of an app with a problem document."""
    app.add_exception_handler(errors.GridgisError, _gridgis)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unexpected)


def _gridgis(_request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.GridgisError)  # noqa: S101 - registered for this class
    status = status_of(error)
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        return _logged(error)
    return problem(status, error.code, error.message)


def _validation(_request: Request, error: Exception) -> Response:
    """FastAPI's own checks: a wrong value is 400, in the words of the other errors."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    faults = [_fault(fault) for fault in error.errors()]
    return problem(HTTPStatus.BAD_REQUEST, errors.InputError.code, "; ".join(faults))


def _fault(fault: Mapping[str, object]) -> str:
    where = fault["loc"]
    assert isinstance(where, tuple)  # noqa: S101 - so documented by pydantic
    name = ".".join(str(part) for part in where[1:]) or str(where[0])
    if fault["type"] == "extra_forbidden":
        return f"{name}: unknown parameter"
    given = fault.get("input")
    shown = f" {given!r}" if isinstance(given, str | int | float) else ""
    return f"{name}{shown}: {fault['msg']}"


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    return problem(
        error.status_code, f"http_{error.status_code}", str(error.detail), headers=error.headers
    )


def _unexpected(_request: Request, error: Exception) -> Response:
    return _logged(error)


def _logged(error: Exception) -> Response:
    """Say nothing to the client but a number that finds the log entry."""
    number = uuid.uuid4().hex[:12]
    _log.error("request %s failed", number, exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        f"gridgis failed; its log has the details under {number}",
        request_id=number,
    )


def _example(status: int, code: str, detail: str) -> dict[str, object]:
    """Return the documentation of one kind of error."""
    title = HTTPStatus(status).phrase
    value = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return {
        "description": title,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": f"#/components/schemas/{Problem.__name__}"},
                "example": value,
            }
        },
    }


DOCUMENTED: dict[int | str, dict[str, object]] = {
    400: _example(400, "period_error", "month '2024-13': expected YYYY-MM, for example 2024-11"),
    404: _example(
        404,
        "run_not_found",
        "no finished density run for 2031-01: compute it with "
        "`gridgis analyse density --month 2031-01`",
    ),
    422: _example(422, "geometry_error", "within: Self-intersection[102.7 25]; mend the polygon"),
    503: _example(
        503,
        "store_unavailable",
        "the database does not answer: start it with `gridgis "
        "db start`, or check GRIDGIS_DATABASE_URL",
    ),
}
"""Errors that every route documents."""
