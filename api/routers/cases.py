"""`/api/v1/cases`: cases by place, time and class (案件检索)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from api import schemas
from api.answers import FileAnswer, answer, nature_header
from api.deps import City, known_parameters
from api.parameters import CaseListParameters, CaseSearch
from api.problems import DOCUMENTED
from gridgis.errors import InputError
from gridgis.model.query import CaseFilter
from gridgis.services import find
from gridgis.services.context import Context
from gridgis.services.exports import feature, nature
from gridgis.store.metrics import Row

router = APIRouter(
    prefix="/api/v1/cases",
    tags=["cases"],
    dependencies=[Depends(known_parameters)],
    responses=DOCUMENTED,
)
GEOJSON = "application/geo+json"
CSV = "text/csv; charset=utf-8"
FORMATS: dict[int | str, dict[str, object]] = {
    200: {
        "description": "One page of cases, or a file of all of them.",
        "headers": {
            "X-Total-Count": {"description": "Cases of all pages.", "schema": {"type": "integer"}},
            "Link": {"description": "rel=next: the next page.", "schema": {"type": "string"}},
            "X-Gridgis-Synthetic": {"description": "true: 合成数据.", "schema": {"type": "string"}},
        },
        "content": {
            GEOJSON: {"schema": {"$ref": "#/components/schemas/CaseCollection"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.get("", response_model=schemas.CasePage, responses=FORMATS)
def list_cases(
    request: Request, city: City, asked: Annotated[CaseListParameters, Query()]
) -> Response:
    """List cases that match every filter, in the order of `listed_at` (案件列表)."""
    return _answer(request, city, asked)


@router.post("/search", response_model=schemas.CasePage, responses=FORMATS)
def search_cases(request: Request, city: City, asked: CaseSearch) -> Response:
    """List cases as GET does, also `within` a polygon; the next page needs `cursor` (案件检索)."""
    return _answer(request, city, asked)


@router.get("/{case_no:path}", response_model=schemas.CaseDetail)
def read_case(request: Request, city: City, case_no: str) -> Response:
    """Read one case with its original coordinates (案件详情)."""
    return answer(request, city, lambda: {**find.read_case(city, case_no), **_nature(city)})


def _answer(request: Request, city: Context, asked: CaseListParameters) -> Response:
    chosen = find.case_filter(city, **asked.question())
    if asked.f == "csv" and asked.paged:
        raise InputError(f"{', '.join(asked.paged)}: f=csv is not paged, it holds every case")
    if asked.f != "json" and not asked.paged:
        return _file(city, chosen, asked.f)
    return answer(
        request,
        city,
        lambda: _page(request, city, chosen, asked),
        media_type=GEOJSON if asked.f == "geojson" else "application/json",
        headers=_headers,
    )


def _page(request: Request, city: Context, chosen: CaseFilter, asked: CaseListParameters) -> Row:
    page = find.find_cases(city, chosen, limit=asked.limit, cursor=asked.cursor)
    following = _next(request, page.cursor) if request.method == "GET" else None
    head = _head(city, chosen, page.total, len(page.rows), cursor=page.cursor, following=following)
    if asked.f == "geojson":
        features = [feature(row) for row in page.rows]
        return {"type": "FeatureCollection", **head, "features": features}
    return {**head, "cases": page.rows}


def _head(
    city: Context,
    chosen: CaseFilter,
    total: int,
    returned: int,
    *,
    cursor: str | None = None,
    following: str | None = None,
) -> Row:
    return {
        **_nature(city),
        "crs": "wgs84",
        "filters": find.described(chosen),
        "total": total,
        "returned": returned,
        "cursor": cursor,
        "next": following,
    }


def _headers(page: Mapping[str, object]) -> dict[str, str]:
    headers = {"X-Total-Count": str(page["total"])}
    if page["next"]:
        headers["Link"] = f'<{page["next"]}>; rel="next"'
    return headers


def _next(request: Request, cursor: str | None) -> str | None:
    """Return the address of the next page, relative to the host."""
    if cursor is None:
        return None
    same = [pair for pair in request.query_params.multi_items() if pair[0] != "cursor"]
    return f"{request.url.path}?{urlencode([*same, ('cursor', cursor)])}"


def _file(city: Context, chosen: CaseFilter, shape: str) -> Response:
    """Return every case of a filter as a file."""
    total = find.count_cases(city, chosen)
    name = f"cases-synthetic-合成数据.{shape}" if city.city.synthetic else f"cases.{shape}"
    headers = {"X-Total-Count": str(total), **nature_header(city)}
    if shape == "csv":
        return FileAnswer(find.csv_parts(city, chosen), media_type=CSV, name=name, headers=headers)
    parts = find.geojson_parts(city, chosen, _head(city, chosen, total, total))
    return FileAnswer(parts, media_type=GEOJSON, name=name, headers=headers)


def _nature(city: Context) -> Row:
    return nature(synthetic=bool(city.city.synthetic))
