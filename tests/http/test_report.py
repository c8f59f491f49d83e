"""`/api/v1/report/{month}`: the stored report and the rows behind its figures."""

import pytest

from api import schemas
from gridgis.services.report import make_report, sign_report

MONTH = "2024-03"
REPORT = f"/api/v1/report/{MONTH}"


@pytest.fixture(scope="module")
def reported(served):
    """Return the served city with a draft of March."""
    make_report(served.context, MONTH)
    return served


def test_the_report_is_the_stored_one(reported):
    """The answer has the documented shape, says its nature and every figure's numbers."""
    body = reported.get(REPORT)
    found = schemas.Report.model_validate(body)
    assert found.issue.status == "draft"
    assert body["synthetic"] is True
    accepted = body["figures"]["intake.accepted"]
    assert accepted["denominator"] is None
    share = next(f for f in body["figures"].values() if f["denominator"])
    assert share["value"] == pytest.approx(share["numerator"] / share["denominator"], abs=1e-6)


def test_rows_of_a_figure_page_to_its_number(reported):
    """All pages together hold each row once, as many as the figure counts."""
    body = reported.get(REPORT)
    wanted = body["figures"]["intake.accepted"]["numerator"]
    seen, after = [], ""
    while True:
        page = reported.get(f"{REPORT}/figures/intake.accepted/rows", limit=100, after=after)
        schemas.FigureRows.model_validate(page)
        seen += [row["case_no"] for row in page["rows"]]
        after = page["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == wanted


def test_no_request_makes_a_report(served):
    """A month without a report is 404 and says how to make one; wrong questions are 400."""
    answer = served.client.get("/api/v1/report/2031-01")
    assert answer.status_code == 404
    assert "gridgis report --month 2031-01" in answer.json()["detail"]
    assert served.client.get("/api/v1/report/2024-13").status_code == 400
    assert served.client.get(REPORT, params={"issues": 1}).status_code == 400
    bad = served.client.get(f"{REPORT}/figures/none/rows")
    assert bad.status_code in {400, 404}


def test_a_new_issue_is_a_new_answer(own):
    """A kept copy is revalidated: signing changes the entity tag."""
    make_report(own.context, MONTH)
    tag = own.client.get(REPORT).headers["etag"]
    again = own.client.get(REPORT, headers={"If-None-Match": tag})
    assert again.status_code == 304
    sign_report(own.context, MONTH, signed_by="A. Leader")
    signed = own.client.get(REPORT, headers={"If-None-Match": tag})
    assert signed.status_code == 200
    assert signed.json()["issue"]["signed_by"] == "A. Leader"
