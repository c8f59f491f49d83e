"""`/api/v1/density`: what a stored run counted (案件密度)."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from api import schemas
from api.answers import answer
from api.deps import City, known_parameters
from api.parameters import DensityParameters, LegendParameters
from api.problems import DOCUMENTED
from gridgis.services import lookup

router = APIRouter(
    prefix="/api/v1/density",
    tags=["density"],
    dependencies=[Depends(known_parameters)],
    responses=DOCUMENTED,
)


@router.get("", response_model=schemas.Density)
def read_density(
    request: Request, city: City, asked: Annotated[DensityParameters, Query()]
) -> Response:
    """
    Read cases and cases per km² of a stored run, per place of a level (案件密度).

    Cases without a place of the level are rows of kind `rest`, so the numerators sum to `total`.
    """

    def build() -> dict[str, object]:
        chosen = lookup.named_filter(city, **asked.filters())
        found = lookup.density(
            city, level=asked.level, month=asked.month, run=asked.run, chosen=chosen, per=asked.per
        )
        rows, rest = found["rows"], found.pop("rest")
        assert isinstance(rows, list)  # noqa: S101 - lists by construction
        assert isinstance(rest, list)  # noqa: S101 - lists by construction
        return {**found, "rows": [*rows, *rest]}

    return answer(request, city, build)


@router.get("/legend", response_model=schemas.Legend)
def read_legend(
    request: Request, city: City, asked: Annotated[LegendParameters, Query()]
) -> Response:
    """Read the classes of a map of one level; all classes and the rest sum to `total` (图例)."""
    return answer(
        request,
        city,
        lambda: lookup.legend(
            city,
            level=asked.level,
            month=asked.month,
            run=asked.run,
            chosen=lookup.named_filter(city, **asked.filters()),
            k=asked.k,
        ),
    )
