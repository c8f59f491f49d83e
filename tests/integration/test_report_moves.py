"""One changed event moves exactly the figures that it belongs to (指标联动)."""

import pytest

from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file
from gridgis.services.report import make_report

MONTH = "2024-03"
CASES = """Case number,Subcategory,Source,Stated region,Reported,Accepted,Due,Closed
A-1,Litter,City inspector,North Side,2024-03-01 08:00,2024-03-01 09:00,2024-03-05 09:00,
A-2,Litter,City inspector,North Side,2024-03-01 08:00,2024-03-01 09:00,2024-03-05 09:00,
A-3,Graffiti,Phone line,South Side,2024-03-01 08:00,2024-03-01 09:00,2024-03-06 09:00,
"""
EVENTS = """Case number,Accepted,Filed,Dispatched,Disposed,Checked,Closed,Check result
A-1,2024-03-01 09:00,2024-03-01 09:10,2024-03-01 10:00,2024-03-04 08:00,2024-03-04 09:00,{0},pass
A-3,2024-03-01 09:00,2024-03-01 09:10,2024-03-01 10:00,,,,
"""
COMPLAINT = """Complaint number,Case number,Source,Complained,Response due,Responded
C-1,A-3,Phone line,2024-03-01 07:00,2024-03-02 07:00,2024-03-01 12:00
"""


@pytest.fixture
def city(toy, tmp_path):
    """Return a toy city with three cases, and a way to import more."""

    class City:
        context = toy

        def bring(self, kind, content):
            path = tmp_path / f"{kind}.csv"
            path.write_text(content)
            request = ImportRequest(kind=kind, mapping="standard")
            assert import_file(toy, path, request).rejected == 0

        def moved(self, kind, content):
            """Return the figures that print differently after an import, with both texts."""
            before = make_report(toy, MONTH).texts
            self.bring(kind, content)
            after = make_report(toy, MONTH).texts
            keys = {*before, *after}
            return {k: (before.get(k), after.get(k)) for k in keys if before.get(k) != after.get(k)}

    made = City()
    made.bring("cases", CASES)
    made.bring("events", EVENTS.format("2024-03-04 10:00"))
    return made


def test_a_case_closed_late_moves_on_time_figures_alone(city):
    """Due, closed and cumulative stay; on time and overdue of its regions and totals move."""
    moved = city.moved("events", EVENTS.format("2024-03-06 10:00"))
    assert moved["closing.total.on_time"] == ("1", "0")
    assert moved["closing.total.overdue"] == ("2", "3")
    assert all(("on_time" in key or "overdue" in key) for key in moved), moved
    assert not any("990902" in key for key in moved), moved


def test_a_complaint_moves_complaint_figures_alone(city):
    """No case, task or closing figure moves."""
    moved = city.moved("complaints", COMPLAINT)
    assert moved["response.total.due"][1] == "1"
    assert all(key.startswith(("response.", "complaints.")) for key in moved), moved


def test_a_voided_case_leaves_every_closing_figure(city):
    """A void case is due no more; it still counts as accepted."""
    moved = city.moved("events", "Case number,Stage,Time\nA-3,voided,2024-03-02 09:00\n")
    assert moved["closing.total.due"] == ("3", "2")
    assert not any(key.startswith(("intake.", "volume.", "class.")) for key in moved), moved


def test_nothing_moves_when_the_same_comes_again(city):
    """The report of the same rows is the same."""
    assert city.moved("events", EVENTS.format("2024-03-04 10:00")) == {}
