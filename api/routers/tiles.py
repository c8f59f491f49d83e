"""`/tiles/…`: vector tiles of stored runs (矢量瓦片)."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api import schemas
from api.answers import answer, matches, nature_header, tag
from api.deps import City, known_parameters
from api.kept import Kept
from api.parameters import TileParameters
from api.problems import DOCUMENTED
from gridgis.services import lookup
from gridgis.services.context import Context
from gridgis.store.metrics import Row

router = APIRouter(
    prefix="/tiles",
    tags=["tiles"],
    dependencies=[Depends(known_parameters)],
    responses=DOCUMENTED,
)
MVT = "application/vnd.mapbox-vector-tile"
FOREVER = "public, max-age=31536000, immutable"
ANSWERS: dict[int | str, dict[str, object]] = {
    200: {"description": "A gzipped vector tile.", "content": {MVT: {}}},
    204: {"description": "Nothing lies in this tile."},
    304: {"description": "The kept copy is current."},
}
MOVED: dict[int | str, dict[str, object]] = {
    307: {"description": "`latest`: go to the number of the newest run."}
}
MIN_ZOOMS = {"cells": 9, "streets": 0, "districts": 0, "base": 0}
TOP_ZOOM = 14
"""Deeper zooms are drawn from these tiles."""
FIELDS = {
    "cells": {"cells": {"n": "cases"}},
    "streets": {
        "streets": {
            "code": "street",
            "n": "cases",
            "v": "cases per km² of land",
            "a": "1: approximate border",
        }
    },
    "districts": {
        "districts": {
            "code": "region",
            "k": "district or zone",
            "n": "cases",
            "v": "cases per km² of land",
            "a": "1: approximate border",
        }
    },
    "base": {
        "borders": {"kind": "region or street", "a": "1: approximate border"},
        "water": {},
        "names": {"code": "code", "name": "name", "kind": "kind"},
    },
}
LATEST = "latest"
Run = Annotated[
    str,
    Path(
        pattern=r"^(latest|[0-9]{1,9})$",
        examples=["1", LATEST],
        description="Number of a stored run; `latest` redirects to the newest (of `month`).",
    ),
]
Filters = Annotated[TileParameters, Query()]


@dataclass(frozen=True, slots=True)
class Address:
    """Which tile of which run."""

    run: str
    layer: str
    z: int
    x: int
    y: int


def _address(run: Run, layer: str, z: int, x: int, y: int) -> Address:
    return Address(run, layer, z, x, y)


@router.get("/{run}/{layer}/tilejson.json", response_model=schemas.TileJson, responses=MOVED)
def read_tilejson(request: Request, city: City, run: Run, layer: str, asked: Filters) -> Response:
    """Read where the tiles of a layer are and what they hold (TileJSON 3)."""
    lookup.check_layer(layer)
    facts = _find_run(city, run, asked)
    if run == LATEST:
        return _to_run(request, facts, asked)

    def build() -> dict[str, object]:
        query = urlencode({**_given(asked), "v": facts["mark"]})
        return {
            "tilejson": "3.0.0",
            "name": f"{layer} {facts['month']}",
            "tiles": [f"{request.base_url}tiles/{run}/{layer}/{{z}}/{{x}}/{{y}}.mvt?{query}"],
            "minzoom": MIN_ZOOMS[layer],
            "maxzoom": TOP_ZOOM,
            "bounds": lookup.grid_bounds(city) or city.city.extent,
            "vector_layers": [
                {"id": name, "fields": fields} for name, fields in FIELDS[layer].items()
            ],
            "run": facts,
            "synthetic": bool(city.city.synthetic),
        }

    return answer(request, city, build)


@router.get(
    "/{run}/{layer}/{z}/{x}/{y}.mvt", response_class=Response, responses={**ANSWERS, **MOVED}
)
def read_tile(
    request: Request, city: City, at: Annotated[Address, Depends(_address)], asked: Filters
) -> Response:
    """Read one tile of counts; with `v` it never changes, so it may be kept for good (矢量瓦片)."""
    lookup.check_layer(at.layer)
    facts = _find_run(city, at.run, asked)
    if at.run == LATEST:
        return _to_run(request, facts, asked)
    etag = tag(request, str(facts["mark"]))
    headers = {
        "ETag": etag,
        "Cache-Control": FOREVER,
        "Vary": "Accept-Encoding",
        **nature_header(city),
    }
    if matches(request, etag):
        return Response(status_code=304, headers=headers)

    def make() -> bytes:
        chosen = lookup.named_filter(city, **asked.filters())
        return lookup.tile(city, int(at.run), at.layer, at.z, at.x, at.y, chosen=chosen)

    kept: Kept = request.app.state.tiles
    content = kept.get(etag, make)
    if not content:
        return Response(status_code=204, headers=headers)
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(content, media_type=MVT, headers={**headers, "Content-Encoding": "gzip"})
    return Response(gzip.decompress(content), media_type=MVT, headers=headers)


def _find_run(city: Context, run: str, asked: TileParameters) -> Row:
    number = None if run == LATEST else int(run)
    return lookup.find_run(city, month=asked.month, run=number)


def _to_run(request: Request, facts: Row, asked: TileParameters) -> Response:
    """Redirect from `latest` to the number of the run; the month has done its work."""
    path = request.url.path.replace(f"/{LATEST}/", f"/{facts['id']}/", 1)
    query = urlencode(_given(asked))
    return RedirectResponse(
        f"{path}?{query}" if query else path, status_code=307, headers={"Cache-Control": "no-cache"}
    )


def _given(asked: TileParameters) -> dict[str, str]:
    filters = {**asked.filters(), "v": asked.v}
    return {name: value for name, value in filters.items() if value is not None}
