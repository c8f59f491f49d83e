"""Drafts, signed issues and analysts' texts of a report (月报签发)."""

import pytest

from gridgis.errors import InputError, NotFoundError, PeriodError
from gridgis.model.report import Paragraph, ReportModel
from gridgis.services import report
from gridgis.store.city import bump_data_version
from gridgis.store.engine import begin

MONTH = "2024-03"


@pytest.fixture
def city(cluster, loaded_template):
    """Return a loaded toy city of this test's own."""
    from gridgis.services.context import open_context  # noqa: PLC0415

    name = cluster.clone(loaded_template)
    context = open_context(cluster.settings(name))
    yield context
    context.engine.dispose()
    cluster.drop(name)


def paragraph(model, key=None):
    """Return a paragraph of a report, the first one by default."""
    found = [b for s in model.sections for b in s.blocks if isinstance(b, Paragraph)]
    return next(b for b in found if key in {None, b.key})


def test_a_draft_is_read_back_as_it_was_made(city):
    """The stored draft has every section, figure and text; made again it takes its place."""
    made = report.make_report(city, MONTH)
    assert report.read_report(city, MONTH) == made
    assert ReportModel.from_dict(made.to_dict()) == made
    assert (made.issue.number, made.issue.status) == (1, "draft")
    assert report.make_report(city, MONTH).issue.number == 1
    assert made.synthetic
    assert made.texts["intake.accepted"] == "271" or "intake.accepted" in made.figures


def test_a_signed_issue_stays(city):
    """After signing, the report made again is the next issue, and the first one can be read."""
    first = report.make_report(city, MONTH)
    signed = report.sign_report(city, MONTH, signed_by="A. Leader")
    assert (signed.issue.status, signed.issue.signed_by) == ("signed", "A. Leader")
    assert signed.sections == first.sections
    with begin(city.engine) as tx:
        bump_data_version(tx)
    second = report.make_report(city, MONTH)
    assert (second.issue.number, second.issue.status) == (2, "draft")
    assert report.read_report(city, MONTH, issue=1) == signed
    with pytest.raises(NotFoundError, match="no draft to sign"):
        report.sign_report(city, "2024-04", signed_by="A. Leader")
    with pytest.raises(InputError, match="signed by somebody"):
        report.sign_report(city, MONTH, signed_by=" ")


def test_a_reissue_says_what_changed(city):
    """Only figures that print differently are listed, with both texts."""
    from sqlalchemy import text  # noqa: PLC0415

    report.make_report(city, MONTH)
    report.sign_report(city, MONTH, signed_by="A. Leader")
    same = report.make_report(city, MONTH)
    assert same.issue.changes == ()
    with begin(city.engine) as tx:
        tx.execute(text(
            "UPDATE core.case_record SET accepted_at = accepted_at + interval '2 months' "
            "WHERE case_no = (SELECT min(case_no) FROM core.case_record WHERE month = 202403 "
            "AND NOT self_handled)"
        ))  # fmt: skip
    changed = report.make_report(city, MONTH).issue.changes
    assert changed
    assert all(" → " in line for line in changed)


def test_an_analysts_text_survives(city):
    """A paragraph that was edited keeps the text when the report is made again."""
    key = paragraph(report.make_report(city, MONTH)).key
    edited = report.edit_report(city, MONTH, paragraph=key, edited="My words.", author="An")
    assert paragraph(edited, key).shown == "My words."
    assert paragraph(report.make_report(city, MONTH), key).shown == "My words."
    back = report.edit_report(city, MONTH, paragraph=key, edited=None, author="An")
    assert paragraph(back, key).shown == paragraph(back, key).text
    with pytest.raises(NotFoundError, match="paragraph 'none'"):
        report.edit_report(city, MONTH, paragraph="none", edited="x", author="An")


def test_rows_of_every_figure_sum_to_it(city):
    """Numerator and denominator of each figure are the sums of the rows it names."""
    made = report.make_report(city, MONTH)
    for key, figure in made.figures.items():
        for part, total in (("numerator", figure.numerator), ("denominator", figure.denominator)):
            if total is None:
                continue
            found = report.figure_rows(city, MONTH, key, part=part, limit=None)
            assert sum(row.get("weight", 1) for row in found["rows"]) == total, (key, part)


def test_rows_come_in_pages_and_know_new_data(city):
    """Pages follow each other by key; rows of an older report say that data changed."""
    report.make_report(city, MONTH)
    first = report.figure_rows(city, MONTH, "intake.accepted", limit=100)
    rest = report.figure_rows(city, MONTH, "intake.accepted", after=first["next"], limit=1000)
    whole = report.figure_rows(city, MONTH, "intake.accepted", limit=None)
    assert first["rows"] + rest["rows"] == whole["rows"]
    assert rest["next"] is None
    assert not whole["outdated"]
    with begin(city.engine) as tx:
        bump_data_version(tx)
    assert report.figure_rows(city, MONTH, "intake.accepted", limit=1)["outdated"]


def test_wrong_questions_are_named(city):
    """No report, no figure, no part, no region, no month: each says so."""
    with pytest.raises(NotFoundError, match="gridgis report --month 2024-03"):
        report.read_report(city, MONTH)
    report.make_report(city, MONTH)
    with pytest.raises(NotFoundError, match="no such figure"):
        report.figure_rows(city, MONTH, "none")
    with pytest.raises(InputError, match="expected numerator or denominator"):
        report.figure_rows(city, MONTH, "intake.accepted", part="top")
    with pytest.raises(NotFoundError, match="region '530102'"):
        report.make_report(city, MONTH, region="530102")
    with pytest.raises(PeriodError):
        report.make_report(city, "2024-13")


def test_an_empty_month_has_a_report(city):
    """A month without a case prints zeros and dashes, never NaN."""
    made = report.make_report(city, "2031-01")
    assert "NaN" not in str(made.to_dict())
    assert made.texts["intake.accepted"] == "0"
