"""`/api/v1/report/{month}`: the monthly report and the rows behind its figures (月报)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api import schemas
from api.answers import answer
from api.deps import City, known_parameters
from api.parameters import FigureParameters, ReportParameters
from api.problems import DOCUMENTED
from gridgis.services import report

router = APIRouter(
    prefix="/api/v1/report",
    tags=["report"],
    dependencies=[Depends(known_parameters)],
    responses=DOCUMENTED,
)


@router.get("/{month}", response_model=schemas.Report)
def read_report(
    request: Request, city: City, month: str, asked: Annotated[ReportParameters, Query()]
) -> Response:
    """
    Read an issue of the report of a month: sections and all figures (月报).

    A report is made by `gridgis report`, never by a request.
    """
    return answer(
        request,
        city,
        lambda: report.read_report(city, month, region=asked.region, issue=asked.issue).to_dict(),
    )


@router.get("/{month}/figures/{key}/rows", response_model=schemas.FigureRows)
def read_figure_rows(
    request: Request,
    city: City,
    month: str,
    key: str,
    asked: Annotated[FigureParameters, Query()],
) -> Response:
    """
    Read the rows of a figure's numerator or denominator, in its own unit (指标明细).

    All pages together sum to the number, in base_cases by `weight`.
    """
    return answer(
        request,
        city,
        lambda: report.figure_rows(
            city,
            month,
            key,
            part=asked.part,
            region=asked.region,
            issue=asked.issue,
            after=asked.after,
            limit=asked.limit,
        ),
    )
