"""`/health/*`: whether the process lives and whether it can serve (健康检查)."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from api.deps import open_city
from api.problems import problem
from gridgis.errors import ConfigError
from gridgis.services import lookup

router = APIRouter(prefix="/health", tags=["health"])


@router.get("/live")
async def live() -> Response:
    """Say that the process runs; neither a database nor a free thread is needed (存活)."""
    return JSONResponse({"status": "live"}, headers={"Cache-Control": "no-store"})


@router.get("/ready")
def ready(request: Request) -> Response:
    """Say whether the database answers with the right schema and a finished run (就绪)."""
    try:
        serving = lookup.ready(open_city(request))
    except ConfigError as error:
        return problem(503, "not_ready", error.message)
    if not serving:
        return problem(
            503,
            "not_ready",
            "no finished run is stored yet: `gridgis analyse density --month YYYY-MM`",
        )
    return JSONResponse({"status": "ready"}, headers={"Cache-Control": "no-store"})
