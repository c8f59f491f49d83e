"""`/api/v1/open-work`: tasks and cases that are due soon, overdue or stuck (待办)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from api import schemas
from api.answers import FileAnswer, answer, nature_header
from api.deps import City, known_parameters
from api.parameters import ReportLatenessParameters, WorkListParameters, WorkSummaryParameters
from api.problems import DOCUMENTED
from gridgis.errors import InputError
from gridgis.model.open_work import WorkFilter
from gridgis.services import open_work, open_work_files
from gridgis.services.context import Context
from gridgis.store.open_work import Row

router = APIRouter(
    prefix="/api/v1/open-work",
    tags=["open work"],
    dependencies=[Depends(known_parameters)],
    responses=DOCUMENTED,
)
GEOJSON = "application/geo+json"
CSV = "text/csv; charset=utf-8"
FORMATS: dict[int | str, dict[str, object]] = {
    200: {
        "description": "One page of open items, or a file of all of them.",
        "headers": {
            "X-Total-Count": {"description": "Items of all pages.", "schema": {"type": "integer"}},
            "Link": {"description": "rel=next: the next page.", "schema": {"type": "string"}},
            "X-Gridgis-Synthetic": {"description": "true: 合成数据.", "schema": {"type": "string"}},
        },
        "content": {
            GEOJSON: {"schema": {"$ref": "#/components/schemas/WorkCollection"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.get("", response_model=schemas.WorkPage, responses=FORMATS)
def list_open_work(
    request: Request, city: City, asked: Annotated[WorkListParameters, Query()]
) -> Response:
    """
    List tasks not dispatched and cases not closed at a moment, earliest limit first (待办列表).

    Suspended cases are listed only with state=suspended; `counts` has them apart.
    """
    chosen = open_work.work_filter(city, **asked.question())
    if asked.format == "csv" and asked.paged:
        raise InputError(f"{', '.join(asked.paged)}: format=csv is not paged, it holds every item")
    if asked.format != "json" and not asked.paged:
        return _file(city, chosen, asked)
    return answer(
        request,
        city,
        lambda: _page(request, city, chosen, asked),
        media_type=GEOJSON if asked.format == "geojson" else "application/json",
        headers=_headers,
    )


@router.get("/summary", response_model=schemas.WorkSummary)
def summarise_open_work(
    request: Request, city: City, asked: Annotated[WorkSummaryParameters, Query()]
) -> Response:
    """Sum open items up by hours of lateness, class, street, region or organisation (待办汇总)."""
    chosen = open_work.work_filter(city, **asked.question())
    return answer(
        request, city, lambda: open_work.work_summary(city, chosen, by=asked.by, at=asked.at)
    )


@router.get("/report-lateness", response_model=schemas.ReportLateness)
def read_report_lateness(
    request: Request, city: City, asked: Annotated[ReportLatenessParameters, Query()]
) -> Response:
    """Read how long after discovery the cases of a month were reported (上报时延)."""
    return answer(request, city, lambda: open_work.report_lateness(city, asked.month))


def _page(request: Request, city: Context, chosen: WorkFilter, asked: WorkListParameters) -> Row:
    page = open_work.open_work(city, chosen, at=asked.at, limit=asked.limit, after=asked.after)
    items = page.pop("items")
    page["next"] = _next(request, page["after"])
    if asked.format == "geojson":
        features = list(map(open_work_files.work_feature, items))  # type: ignore[call-overload]
        return {"type": "FeatureCollection", **page, "features": features}
    return {**page, "items": items}


def _headers(page: Mapping[str, object]) -> dict[str, str]:
    headers = {"X-Total-Count": str(page["total"])}
    if page["next"]:
        headers["Link"] = f'<{page["next"]}>; rel="next"'
    return headers


def _next(request: Request, after: object) -> str | None:
    """Return the address of the next page, relative to the host."""
    if after is None:
        return None
    same = [pair for pair in request.query_params.multi_items() if pair[0] != "after"]
    return f"{request.url.path}?{urlencode([*same, ('after', str(after))])}"


def _file(city: Context, chosen: WorkFilter, asked: WorkListParameters) -> Response:
    """Return every item of a filter as a file."""
    head = open_work.work_head(city, chosen, at=asked.at)
    nature = "-synthetic-合成数据" if city.city.synthetic else ""
    name = f"open-work{nature}.{asked.format}"
    headers = {"X-Total-Count": str(head["total"]), **nature_header(city)}
    if asked.format == "csv":
        parts = open_work_files.csv_parts(city, chosen, head)
        return FileAnswer(parts, media_type=CSV, name=name, headers=headers)
    whole = {**head, "returned": head["total"], "after": None, "next": None}
    parts = open_work_files.geojson_parts(city, chosen, head=whole)
    return FileAnswer(parts, media_type=GEOJSON, name=name, headers=headers)
