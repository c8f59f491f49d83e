"""The report of November 2024 from imported rows: every printed figure to the printed digit."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from gridgis.model.report import Paragraph
from gridgis.report.forms import write_report
from gridgis.services.report import figure_rows, make_report, rectification, report_shapes

MONTH = "2024-11"
KNOWN = json.loads(
    (Path(__file__).resolve().parents[1] / "data" / "report_2024_11.json").read_text("utf-8")
)


@pytest.fixture(scope="module")
def made(kunming):
    """Return the report of November."""
    return make_report(kunming[0], MONTH)


def sentences(model):
    """Return all that the report says in sentences."""
    blocks = [block for section in model.sections for block in section.blocks]
    return "\n".join(block.shown for block in blocks if isinstance(block, Paragraph))


def test_no_record_of_the_demo_is_rejected(kunming):
    """Events, tasks, complaints, call-backs, whistles and checks of the demo all go in."""
    _, manifest, results = kunming
    records = [entry for entry in manifest.files if entry.kind != "cases"]
    assert {entry.kind for entry in records} == {
        "events", "tasks", "complaints", "callbacks", "whistles", "checks",
    }  # fmt: skip
    assert sum(results[entry.path].rejected for entry in records) == 0


@pytest.mark.parametrize("figure", KNOWN["figures"], ids=lambda figure: figure["key"])
def test_a_printed_figure_is_reproduced(figure, made):
    """Text, numerator and denominator are those of the city's own report."""
    assert made.texts[figure["key"]] == figure["printed"]
    found = made.figures[figure["key"]]
    for part in ("numerator", "denominator"):
        if part in figure:
            assert getattr(found, part) == figure[part]


@pytest.mark.parametrize("part", ["figures", "superlatives", "findings"])
def test_the_report_says_it_in_its_sentences(part, made):
    """Each printed figure, superlative and finding stands in a sentence of the report."""
    text = sentences(made)
    missing = [e["said"] for e in KNOWN[part] if e.get("said", "") not in text]
    assert missing == []


def test_later_parts_are_labelled_placeholders(made):
    """Recurrent places and missed reports are not printed as if they were known."""
    keys = [
        block.key
        for section in made.sections
        for block in section.blocks
        if isinstance(block, Paragraph) and block.placeholder
    ]
    assert {"recurrence", "missed"} <= set(keys)


def test_the_pdf_prints_every_figure(kunming, made, tmp_path):
    """The text of the PDF holds every printed figure, and no character that has no glyph."""
    (pdf,) = write_report(made, report_shapes(kunming[0]), formats=("pdf",), folder=tmp_path)
    done = subprocess.run(  # noqa: S603 - a fixed program
        ["/usr/bin/pdftotext", "-layout", pdf, "-"], capture_output=True, text=True, check=True
    )
    text = re.sub(r"\s+", "", done.stdout)
    assert "�" not in text
    missing = [f["printed"] for f in KNOWN["figures"] if f["printed"] not in text]
    assert missing == []


def test_rows_behind_the_closing_rate_sum_to_it(kunming, made):
    """442,027 base cases are rows, each with its weight."""
    figure = made.figures["closing.total.closure_rate"]
    for part, total in (("numerator", 433_775), ("denominator", 442_027)):
        assert getattr(figure, part) == total
        found = figure_rows(kunming[0], MONTH, figure.key, part=part, limit=None)
        assert sum(row["weight"] for row in found["rows"]) == total


def test_october_has_its_own_figures(kunming):
    """The month before is another month: full, and different."""
    october = make_report(kunming[0], "2024-10")
    assert october.texts["intake.accepted"] != "166595"
    assert october.figures["closing.total.closure_rate"].denominator > 400_000


@pytest.mark.parametrize(("region", "pages"), [("5301Z3", 2), ("530102", 2), ("leaders", 1)])
def test_briefs_keep_to_their_pages(region, pages, kunming, tmp_path):
    """A district brief has two pages, the leaders' one; both say what the report says."""
    brief = make_report(kunming[0], MONTH, region=region)
    (pdf,) = write_report(brief, report_shapes(kunming[0]), formats=("pdf",), folder=tmp_path)
    done = subprocess.run(  # noqa: S603 - a fixed program
        ["/usr/bin/pdfinfo", pdf], capture_output=True, text=True, check=True
    )
    assert re.search(r"Pages:\s+(\d+)", done.stdout)[1] == str(pages)
    whole = make_report(kunming[0], MONTH)
    assert brief.texts.items() <= whole.texts.items()


def test_the_rectification_list_holds_open_and_late_cases(kunming):
    """The list of a region is its unclosed and its late cases, each once."""
    listed = {row["case_no"] for row in rectification(kunming[0], MONTH, "530125")}
    wanted = set()
    for key in ("unclosed", "overdue"):
        figure = f"closing.region.530125.{key}"
        found = figure_rows(kunming[0], MONTH, figure, limit=None)
        wanted |= {row["case_no"] for row in found["rows"]}
    assert listed == wanted
    assert len(listed) > 20
