"""`/api/v1/open-work`: lists, sums and files of what is open at a moment (待办接口)."""

import csv
import json
from datetime import datetime

import pytest

from api import schemas
from gridgis.services import open_work as work

WORK = "/api/v1/open-work"
SUMMARY, LATENESS = f"{WORK}/summary", f"{WORK}/report-lateness"
AT = "2024-03-20T12:00:00"
ANSWERS = {
    WORK: schemas.WorkPage,
    f"{WORK}?at={AT}&state=overdue&stage=dispose&limit=5": schemas.WorkPage,
    f"{WORK}?at={AT}&format=geojson": schemas.WorkCollection,
    f"{WORK}?at={AT}&format=geojson&limit=3": schemas.WorkCollection,
    SUMMARY: schemas.WorkSummary,
    **{f"{SUMMARY}?by={by}&at={AT}": schemas.WorkSummary for by in work.GROUPINGS},
    f"{LATENESS}?month=2024-03": schemas.ReportLateness,
    f"{LATENESS}?month=2031-01": schemas.ReportLateness,
}
HOSTILE = ["'; DROP TABLE core.case_record; --", "\x00", "%", "_", "$1", "%(x)s", ":x", "NaN", "-1",
           "9" * 400, "\ud800", "null", "[]", "0001-01-01", "9999-12-31", "infinity"]  # fmt: skip
PARAMETERS = {
    WORK: ["stage", "state", "stuck", "district", "street", "category", "at", "limit", "after",
           "format"],
    SUMMARY: ["stage", "state", "stuck", "district", "street", "category", "at", "by"],
    LATENESS: ["month"],
}  # fmt: skip


@pytest.mark.parametrize("path", ANSWERS)
def test_answers_have_the_documented_shape(served, path):
    """Each answer has every field of its schema, of its type, and no other."""
    answer = served.client.get(path)
    assert answer.status_code == 200, answer.text
    ANSWERS[path].model_validate_json(answer.content)
    assert answer.headers["x-gridgis-synthetic"] == "true"


def test_the_moment_is_in_every_answer(served):
    """Asked for or not, an answer says of which moment it is and how far the data reach."""
    now, then = served.get(WORK), served.get(WORK, at=AT)
    newest = served.scalar(
        "SELECT max(greatest(reported_at, accepted_at, dispatched_at, disposed_at, closed_at)) "
        "FROM core.case_record"
    )
    assert now["at"] == now["as_of"] == then["as_of"]
    assert datetime.fromisoformat(now["at"]) == newest
    assert then["at"] == "2024-03-20T12:00:00+02:00"
    assert served.get(SUMMARY, at=AT)["at"] == then["at"]


def test_links_lead_through_all_items(served):
    """Following rel=next gives every item once, and X-Total-Count is their number."""
    seen, address = [], f"{WORK}?at={AT}&limit=7"
    while address:
        answer = served.client.get(address)
        seen += [(i["stage"], i["task_no"] or i["case_no"]) for i in answer.json()["items"]]
        total = int(answer.headers["x-total-count"])
        address = answer.links.get("next", {}).get("url")
    assert len(seen) == len(set(seen)) == total > 20
    whole = served.get(WORK, at=AT, limit=1000)["items"]
    assert seen == [(i["stage"], i["task_no"] or i["case_no"]) for i in whole]


def test_open_items_agree_with_the_cases(served):
    """The list holds as many cases as stand open in the table at that moment."""
    count = served.scalar(
        """SELECT count(*) FROM core.case_record WHERE NOT self_handled AND accepted_at <= :at
        AND (closed_at IS NULL OR closed_at > :at)""", at=f"{AT}+02:00",
    )  # fmt: skip
    assert served.get(WORK, at=AT)["total"] == count > 0
    late = served.scalar(
        """SELECT count(*) FROM core.case_record WHERE NOT self_handled AND accepted_at <= :at
        AND (closed_at IS NULL OR closed_at > :at) AND due_at < :at""", at=f"{AT}+02:00",
    )  # fmt: skip
    assert served.get(WORK, at=AT, state="overdue")["total"] == late > 0


@pytest.mark.parametrize("by", work.GROUPINGS)
def test_sums_are_those_of_the_list(served, by):
    """Rows of a summary sum to the list's total."""
    (stage,) = served.get(SUMMARY, by=by, at=AT, stage="dispose")["stages"]
    total = served.get(WORK, at=AT, stage="dispose")["total"]
    assert sum(row["items"] for row in stage["rows"]) == stage["total"]["items"] == total


def test_files_hold_every_item(served):
    """CSV and GeoJSON are files of the whole list, named as synthetic, without formulas."""
    numbers = [i["case_no"] for i in served.get(WORK, at=AT, limit=1000)["items"]]
    answer = served.client.get(WORK, params={"at": AT, "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "synthetic" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(answer.content.decode("utf-8-sig").splitlines()))
    assert [row["case_no"] for row in rows] == numbers
    assert {row["synthetic"] for row in rows} == {"true"}
    found = json.loads(served.client.get(WORK, params={"at": AT, "format": "geojson"}).content)
    assert [f["properties"]["case_no"] for f in found["features"]] == numbers
    assert (found["total"], found["returned"], found["after"]) == (len(numbers), len(numbers), None)


def test_a_current_copy_is_not_sent_again(served):
    """An entity tag spares the work until data change."""
    first = served.client.get(WORK, params={"at": AT})
    again = served.client.get(
        WORK, params={"at": AT}, headers={"If-None-Match": first.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(("path", "params", "words"), [
    (WORK, {"stage": "close"}, "stage"), (WORK, {"state": "late"}, "overdue"),
    (WORK, {"stuck": "perhaps"}, "stuck"), (WORK, {"at": "noon"}, "at 'noon'"),
    (WORK, {"at": "1800-01-01"}, "expected a year"), (WORK, {"limit": 0}, "limit"),
    (WORK, {"limit": 1001}, "limit"), (WORK, {"after": "x"}, "after:"),
    (WORK, {"format": "xlsx"}, "format"), (WORK, {"format": "csv", "limit": 5}, "format=csv"),
    (WORK, {"district": "Nowhere"}, "/api/v1/meta/regions"), (WORK, {"f": "csv"}, "'f'"),
    (SUMMARY, {"by": "person"}, "organisation"), (SUMMARY, {"limit": 5}, "'limit'"),
    (LATENESS, {}, "month"), (LATENESS, {"month": "2024-13"}, "YYYY-MM"),
])  # fmt: skip
def test_bad_values_are_named(served, path, params, words):
    """A person reads which value is wrong and what there is."""
    answer = served.client.get(path, params=params)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "name"), [(p, n) for p, names in PARAMETERS.items() for n in names]
)
def test_hostile_values_are_bound_or_refused(served, path, name):
    """No value of any parameter breaks a query or shows what is behind it."""
    for value in HOSTILE:
        answer = served.client.get(path, params={name: value.encode("utf-8", "surrogatepass")})
        assert answer.status_code in {200, 400, 404, 422}, (value, answer.text[:200])
        if answer.status_code != 200:
            assert answer.headers["content-type"] == "application/problem+json"
            assert not any(leak in answer.text for leak in ("psycopg", "SELECT", "Traceback"))


def test_a_forged_position_does_no_harm(served):
    """A position that a client changed is refused, or answers a list; it never fails."""
    page = served.get(WORK, at=AT, limit=5)
    for end in range(1, len(page["after"]), 7):
        for forged in (page["after"][:end], page["after"][:end] + "A" + page["after"][end + 1 :]):
            answer = served.client.get(WORK, params={"after": forged, "limit": 5})
            assert answer.status_code in {200, 400}, answer.text


def test_the_document_lists_the_routes(served):
    """OpenAPI names all parameters and the shapes of both formats."""
    paths = served.get("/openapi.json")["paths"]
    for path, names in PARAMETERS.items():
        assert {p["name"] for p in paths[path]["get"]["parameters"]} == set(names)
    content = paths[WORK]["get"]["responses"]["200"]["content"]
    assert set(content) == {"application/json", "application/geo+json", "text/csv"}
