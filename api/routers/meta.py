"""`/api/v1/meta/*` and single places: every code can be discovered (目录与定位)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api import schemas
from api.answers import answer
from api.deps import City, known_parameters
from api.parameters import LocateParameters
from api.problems import DOCUMENTED
from gridgis.services import lookup, places
from gridgis.services.context import Context

router = APIRouter(
    prefix="/api/v1",
    tags=["meta"],
    dependencies=[Depends(known_parameters)],
    responses=DOCUMENTED,
)


def _listed(request: Request, city: Context, name: str) -> Response:
    synthetic = bool(city.city.synthetic)
    return answer(
        request, city, lambda: {"synthetic": synthetic, "items": lookup.read_list(city, name)}
    )


@router.get("/meta/regions", response_model=schemas.Regions)
def list_regions(request: Request, city: City) -> Response:
    """List management regions: districts and zones of today (管理区域)."""
    return _listed(request, city, "regions")


@router.get("/meta/streets", response_model=schemas.Streets)
def list_streets(request: Request, city: City) -> Response:
    """List streets of today (街道)."""
    return _listed(request, city, "streets")


@router.get("/meta/categories", response_model=schemas.Categories)
def list_categories(request: Request, city: City) -> Response:
    """List the catalogue of events and components (事件部件分类)."""
    return _listed(request, city, "categories")


@router.get("/meta/sources", response_model=schemas.Sources)
def list_sources(request: Request, city: City) -> Response:
    """List where cases come from (问题来源)."""
    return _listed(request, city, "sources")


@router.get("/meta/statuses", response_model=schemas.Names)
def list_statuses(request: Request, city: City) -> Response:
    """List the states of a case (案件状态)."""
    return _listed(request, city, "statuses")


@router.get("/meta/months", response_model=schemas.Months)
def list_months(request: Request, city: City) -> Response:
    """List months with a finished density run, newest first (已计算月份)."""
    return _listed(request, city, "months")


@router.get("/meta/runs", response_model=schemas.Runs)
def list_runs(request: Request, city: City) -> Response:
    """List stored runs, newest first (统计批次)."""
    return _listed(request, city, "runs")


@router.get("/locate", response_model=schemas.Located)
def locate(request: Request, city: City, asked: Annotated[LocateParameters, Query()]) -> Response:
    """Say in which cell, street and regions a point lies (坐标定位)."""
    return answer(request, city, lambda: places.locate(city, asked.lon, asked.lat, crs=asked.crs))


@router.get("/cells/{code}", response_model=schemas.Cell)
def read_cell(request: Request, city: City, code: str) -> Response:
    """Read one unit grid with its newest count (单元网格)."""
    return answer(request, city, lambda: places.read_cell(city, code))


@router.get("/districts/{code}", response_model=schemas.RegionDetail)
def read_district(request: Request, city: City, code: str) -> Response:
    """Read one district or zone with its newest count (区域)."""
    return answer(request, city, lambda: places.read_region(city, code))
