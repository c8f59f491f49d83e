"""Every code can be discovered, and the OpenAPI document says what answers look like."""

import json

import pytest

from api import schemas
from api.problems import STATUSES, status_of
from gridgis import errors

API = "/api/v1"
ANSWERS = {
    f"{API}/cases": schemas.CasePage,
    f"{API}/cases?f=geojson": schemas.CaseCollection,
    f"{API}/density?level=cell": schemas.Density,
    f"{API}/density?level=street&per=none": schemas.Density,
    f"{API}/density?level=district": schemas.Density,
    f"{API}/density?level=admin": schemas.Density,
    f"{API}/density?level=city&category=S": schemas.Density,
    f"{API}/density/legend?level=cell": schemas.Legend,
    f"{API}/density/legend?level=block500": schemas.Legend,
    f"{API}/density/legend?level=district": schemas.Legend,
    f"{API}/meta/regions": schemas.Regions,
    f"{API}/meta/streets": schemas.Streets,
    f"{API}/meta/categories": schemas.Categories,
    f"{API}/meta/sources": schemas.Sources,
    f"{API}/meta/statuses": schemas.Names,
    f"{API}/meta/months": schemas.Months,
    f"{API}/meta/runs": schemas.Runs,
    f"{API}/locate?lon=24.945&lat=60.3": schemas.Located,
    f"{API}/districts/990901": schemas.RegionDetail,
    f"{API}/districts/9909Z1": schemas.RegionDetail,
    "/tiles/1/cells/tilejson.json": schemas.TileJson,
    "/tiles/1/base/tilejson.json": schemas.TileJson,
    "/health/live": schemas.Health,
    "/health/ready": schemas.Health,
}


@pytest.mark.parametrize("path", ANSWERS)
def test_answers_have_the_documented_shape(served, path):
    """Each answer has every field of its schema, of its type, and no other."""
    answer = served.client.get(path)
    assert answer.status_code == 200
    ANSWERS[path].model_validate_json(answer.content)


def test_cases_and_cells_have_the_documented_shape(served):
    """Single things too."""
    case = served.get(f"{API}/cases", limit=1)["cases"][0]["case_no"]
    schemas.CaseDetail.model_validate(served.get(f"{API}/cases/{case}"))
    code = served.get(f"{API}/density", level="cell")["rows"][0]["code"]
    cell = schemas.Cell.model_validate(served.get(f"{API}/cells/{code}"))
    assert cell.counts is not None
    assert cell.counts.cases > 0


def test_document_has_no_loose_ends(served):
    """Every reference resolves; errors are problems, never FastAPI's own; examples are given."""
    document = served.get("/openapi.json")
    known = document["components"]["schemas"]
    text = json.dumps(document)
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(known)
    assert "HTTPValidationError" not in text
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (path, method)
            if path.startswith("/api/"):
                for status in ("400", "404", "503"):
                    content = operation["responses"][status]["content"]
                    example = content["application/problem+json"]["example"]
                    schemas.Problem.model_validate(example)


def test_document_names_every_filter(served):
    """The list documents all parameters that it takes, with `from` and `to` under their names."""
    operation = served.get("/openapi.json")["paths"][f"{API}/cases"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert names == {
        "bbox", "near", "radius_m", "crs", "cell", "district", "street", "month", "from", "to",
        "updated_since", "category", "source", "status", "f", "limit", "cursor",
    }  # fmt: skip
    assert set(operation["responses"]["200"]["content"]) == {
        "application/json", "application/geo+json", "text/csv",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "parameter"), [
    ("regions", "district"), ("streets", "street"), ("categories", "category"),
    ("sources", "source"), ("statuses", "status"),
])  # fmt: skip
def test_codes_that_are_listed_are_filters(served, name, parameter):
    """Whatever a list offers, the case list takes; the sum over a partition is the whole."""
    items = served.get(f"{API}/meta/{name}")["items"]
    totals = {
        item["code"]: served.get(f"{API}/cases", limit=1, **{parameter: item["code"]})["total"]
        for item in items
    }
    assert any(totals.values())
    if name in {"categories", "sources", "statuses"}:
        assert sum(totals.values()) == 277


def test_months_and_runs_that_are_listed_answer(served):
    """A month and a run from the lists give their densities."""
    month = served.get(f"{API}/meta/months")["items"][0]
    found = served.get(f"{API}/density", month=month["month"])
    assert (found["run"]["id"], found["total"]) == (month["run"], month["cases"])
    for run in served.get(f"{API}/meta/runs")["items"]:
        assert served.get(f"{API}/density", run=run["run"])["run"]["month"] == run["month"]


def test_rest_of_the_density_is_a_row(served):
    """Numerators of all rows sum to the total: cases without a place are rows of kind rest."""
    for level in ("cell", "street", "district", "admin", "city"):
        found = served.get(f"{API}/density", level=level)
        assert sum(row["numerator"] for row in found["rows"]) == found["total"] == 271
    rest = {
        row["code"]: row["numerator"]
        for row in served.get(f"{API}/density", level="district")["rows"]
        if row["kind"] == "rest"
    }
    assert rest == {"cross_area": 4, "unlocated": 6}


def test_point_is_located_in_all_areas(served):
    """A point of the zone has its cell, street, administrative district and the zone as region."""
    found = served.get(f"{API}/locate", lon=24.983397, lat=60.292433)
    assert found["region"]["code"] == "9909Z1"
    assert found["district"]["code"] == "990903"
    assert found["street"]["code"] == "990903001"
    cell = served.get(f"{API}/cells/{found['cell_code']}")
    assert cell["region_code"] == "9909Z1"
    assert cell["street_code"] == "990903001"


def test_every_error_class_has_a_status():
    """The table of statuses reaches every class of the error tree by its branch."""

    def leaves(kind):
        return [kind, *(leaf for part in kind.__subclasses__() for leaf in leaves(part))]

    for kind in leaves(errors.GridgisError):
        assert any(base in STATUSES for base in kind.__mro__)
        assert 400 <= status_of(kind.__new__(kind)) < 600
