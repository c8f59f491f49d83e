"""`/report/{month}`: the stored report as a page, and its files over real HTTP."""

import io
import zipfile

import pytest

from gridgis.services.report import make_report

MONTH = "2024-03"


@pytest.fixture(scope="module")
def reported(served):
    """Return the served city with a draft of March."""
    make_report(served.context, MONTH)
    return served


def test_the_page_shows_the_stored_report(reported):
    """The page names the month and its nature, and leads to the rows of figures."""
    answer = reported.client.get(f"/report/{MONTH}")
    assert answer.status_code == 200
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "合成数据" in answer.text
    assert f"/api/v1/report/{MONTH}/figures/intake.accepted/rows" in answer.text
    assert "<script" not in answer.text
    assert " style=" not in answer.text
    assert reported.client.get("/report.css").headers["content-type"].startswith("text/css")


@pytest.mark.parametrize(("form", "start"), [("pdf", b"%PDF-"), ("docx", b"PK"), ("xlsx", b"PK")])
def test_files_are_sent(form, start, reported):
    """Each form is a file of its kind under a name that says city and month."""
    answer = reported.client.get(f"/report/{MONTH}/files/{form}")
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    assert f"toyville-2024-03-report-en.{form}" in answer.headers["content-disposition"]
    if form != "pdf":
        assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


def test_wrong_addresses_are_named(reported):
    """No report, no such form, no such parameter: a page or a problem says so."""
    missing = reported.client.get("/report/2031-01")
    assert missing.status_code == 404
    assert "gridgis report --month 2031-01" in missing.text
    assert reported.client.get(f"/report/{MONTH}/files/odt").status_code == 400
    assert reported.client.get(f"/report/{MONTH}?issue=x").status_code == 400
    assert reported.client.get(f"/report/{MONTH}?month=x").status_code == 400
    assert reported.client.get("/report/2024-13").status_code == 400
