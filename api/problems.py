"""
Errors as `application/problem+json` (RFC 9457, 错误响应).

One table from error classes to status codes. Bodies hold a stable `code` and a sentence for a
person; never SQL, driver text or a stack trace.
"""

from __future__ import annotations

import json
import logging
import uuid
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

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
    errors.StoreError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ConcurrentRun: HTTPStatus.CONFLICT,
}
_log = logging.getLogger("gridgis.api")


def status_of(error: errors.GridgisError) -> HTTPStatus:
    """Return the status of an error: the one of its nearest class in the table."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(status: int, code: str, detail: str, **extra: object) -> Response:
    """Return one problem document."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": detail,
        **extra,
    }
    headers = {"Cache-Control": "no-store"}
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER_S)
    content = json.dumps(jsonable_encoder(body), ensure_ascii=False)
    return Response(content, status_code=status, media_type=MEDIA_TYPE, headers=headers)


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
    faults = [
        f"{'.'.join(str(part) for part in fault['loc'][1:]) or fault['loc'][0]}: {fault['msg']}"
        for fault in error.errors()
    ]
    return problem(HTTPStatus.BAD_REQUEST, errors.InputError.code, "; ".join(faults))


def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    return problem(error.status_code, f"http_{error.status_code}", str(error.detail))


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
