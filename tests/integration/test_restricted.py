"""Restricted classes: in every total, in no list, map or export (受限类)."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from gridgis.errors import CaseNotFound
from gridgis.model.figures import FACTS, sliced
from gridgis.model.period import Period
from gridgis.report.counts import Counts
from gridgis.services import find, lookup
from gridgis.services.context import open_context, refreshed
from gridgis.services.handout import hand_out
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file
from gridgis.services.monitor import measure_density
from gridgis.store.engine import begin
from gridgis.store.report import read_counts, read_rows

MONTH, CODE = "2024-03", "S0502"


@pytest.fixture(scope="module")
def city(cluster, loaded_template):
    """Return the loaded toy city in which street noise is restricted, with a run of March."""
    name = cluster.clone(loaded_template)
    context = open_context(cluster.settings(name))
    with begin(context.engine) as tx:
        tx.execute(
            text("UPDATE core.category SET restricted = true WHERE category_code = :code"),
            {"code": CODE},
        )
    context = refreshed(context)
    measure_density(context, period=Period.month(MONTH, context.city.time_zone))
    yield context
    context.engine.dispose()
    cluster.drop(name)


@pytest.fixture(scope="module")
def hidden(city):
    """Return the numbers of the cases that nobody may see, in March."""
    with begin(city.engine) as tx:
        rows = tx.scalars(
            text("SELECT case_no FROM core.case_record "
                 "WHERE subcategory_code = :code AND month = 202403"), {"code": CODE},
        )  # fmt: skip
        return set(rows)


def test_lists_and_details_do_not_hold_them(city, hidden):
    """A search finds none of them, not by class nor by number, but for a local analyst."""
    chosen = find.case_filter(city, month=MONTH)
    numbers = {str(row["case_no"]) for row in find.stream_cases(city, chosen, limit=None)}
    assert len(hidden) > 5
    assert not numbers & hidden
    assert find.count_cases(city, chosen) == len(numbers) == 271 - len(hidden)
    assert find.count_cases(city, find.case_filter(city, category=CODE)) == 0
    with pytest.raises(CaseNotFound):
        find.read_case(city, next(iter(hidden)))
    assert find.count_cases(city, replace(chosen, restricted=True)) == 271


@pytest.mark.parametrize("level", ["cell", "street", "district", "admin", "city"])
def test_density_has_one_row_for_them(level, city, hidden):
    """At every level the total stays whole; they are a rest row of their own."""
    found = lookup.density(city, level=level, month=MONTH)
    rest = {row["reason"]: row["cases"] for row in found["rest"]}
    counted = sum(row["numerator"] for row in found["rows"]) + sum(rest.values())
    assert found["total"] == counted == 271
    if level != "city":
        assert rest["restricted"] == len(hidden)


def test_figures_count_them_and_rows_do_not_show_them(city, hidden):
    """Region and class of a restricted case are one word in a fact; its row is left out."""
    period = Period.month(MONTH, city.city.time_zone)
    with begin(city.engine) as tx:
        counts = Counts.of({"intake": read_counts(tx, FACTS["intake"], period)})
        rows = read_rows(tx, sliced("intake", "n"), period, after=None, limit=None)
    assert counts.sum(sliced("intake", "n")) == 271
    assert counts.sum(sliced("intake", "n", region_key="restricted")) == len(hidden)
    assert counts.sum(sliced("intake", "n", subcategory_code=CODE)) == 0
    assert len(rows) == 271 - len(hidden)


def test_whistles_about_them_are_shown_to_nobody(city, hidden, tmp_path):
    """A whistle that names a restricted case counts, and is in no row and no export."""
    path = tmp_path / "whistles.csv"
    path.write_text(
        "Whistle number,Level,Stated region,Blown,Title,Cases\n"
        f"W-1,street,North Side,2024-03-05 08:00,Secret,{min(hidden)};N-1\n"
        "W-2,street,North Side,2024-03-05 08:00,Open,\n"
    )
    request = ImportRequest(kind="whistles", mapping="standard", synthetic=True)
    assert import_file(city, path, request).accepted == 2
    period = Period.month(MONTH, city.city.time_zone)
    with begin(city.engine) as tx:
        counts = Counts.of({"whistles": read_counts(tx, FACTS["whistles"], period)})
        rows = read_rows(tx, sliced("whistles", "n"), period, after=None, limit=None)
    assert counts.sum(sliced("whistles", "n")) == 2
    assert [row["whistle_no"] for row in rows] == ["W-2"]
    ((out, count),) = hand_out(city, "whistles", tmp_path / "w.csv")
    assert count == 1
    assert "Secret" not in out.read_text()


def test_exports_leave_them_out(city, hidden, tmp_path):
    """A file of cases has them only if a local analyst asks for them."""
    ((_, rows),) = hand_out(city, "cases", tmp_path / "a.csv", month=MONTH)
    ((_, all_rows),) = hand_out(city, "cases", tmp_path / "b.csv", month=MONTH, restricted=True)
    assert (rows, all_rows) == (271 - len(hidden), 271)
