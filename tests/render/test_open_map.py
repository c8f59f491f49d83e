"""The offline map of open work: every located item is on it, the rest is counted beside it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import text

from gridgis.errors import InputError, PeriodError
from gridgis.services import open_work as work
from gridgis.store.engine import begin
from maps import open_map as drawing
from maps.open_map import COLOURS, open_map

AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
AT = "2024-03-20T12:00:00"


@pytest.fixture
def opened(served, visit, tmp_path):
    """Return a way to draw a file and open it from disk with the network off."""

    def start(*, context=served.context, lang=None, **asked):
        drawn = open_map(context, work.work_filter(context, **asked), at=AT, lang=lang)
        path = tmp_path / "map.html"
        path.write_text(drawn.html, "utf-8")
        seen = visit(f"file://{tmp_path}", offline=True)
        seen.page.goto(path.as_uri())
        return drawn, seen

    return start


def points(seen):
    """Return fill and stroke of the points on the map, from below."""
    return seen.page.evaluate(
        "() => [...document.querySelectorAll('path.leaflet-interactive')]"
        ".map((p) => [p.getAttribute('fill'), p.getAttribute('stroke')])"
    )


def test_every_located_item_is_a_point(opened, served):
    """Points and items without one sum to the list; each state has its colour."""
    drawn, seen = opened()
    items = served.get("/api/v1/open-work", at=AT, limit=1000)["items"]
    located = [item for item in items if item["lon"] is not None]
    fills = [fill for fill, _ in points(seen)]
    assert len(fills) == drawn.drawn == len(located)
    assert drawn.drawn + drawn.unlocated == len(items)
    assert sorted(fills) == sorted(COLOURS[item["state"]] for item in located)
    # the most urgent is drawn last, on top
    assert fills[-1] == COLOURS[located[0]["state"]]


def test_tables_count_tasks_and_cases_apart(opened, served):
    """States sum to the list; regions give overdue over those with a limit, as the API has it."""
    _, seen = opened(lang="zh-CN")
    counts = served.get("/api/v1/open-work", at=AT)["counts"]
    shown = seen.page.locator("table.legend tbody:not(.rest) tr").all_inner_texts()
    assert sum(int(line.split("\t")[-1].replace(",", "")) for line in shown) == sum(
        row["items"] for row in counts
    )
    unlocated = sum(row["unlocated"] for row in counts)
    rest = seen.text("table.legend tbody.rest tr")
    assert rest.split() == ["其中未定位，不在图上", "0", str(unlocated)]
    (stage,) = served.get(
        "/api/v1/open-work/summary", at=AT, by="region", stage="dispose"
    )["stages"]  # fmt: skip
    rows = seen.page.locator("section:nth-of-type(2) tbody tr").all_inner_texts()
    told = {line.split("\t")[0]: line.split("\t")[-1] for line in rows}
    assert told == {
        r["name"]: f"{r['numerator']} / {r['denominator']}" if r["denominator"] else "—"
        for r in stage["rows"]
    }


def test_it_says_what_it_is(opened):
    """Moment, reach of the data, synthetic mark and rules stand on it, in both languages."""
    _, seen = opened(lang="zh-CN", category="Litter")
    body = seen.text("body")
    for part in ("时点 2024-03-20 12:00", "数据截至", "合成数据", "category = S0101", "近似边界"):
        assert part in body, part
    _, seen = opened(lang="en")
    assert "Open work in Toyville" in seen.page.title()


def test_hover_tells_one_item(opened, served):
    """A tooltip gives number, place, limit, hours and proposal."""
    _, seen = opened(state="overdue", lang="en")
    (item,) = served.get("/api/v1/open-work", at=AT, state="overdue", limit=1)["items"]
    seen.page.locator("path.leaflet-interactive").last.hover(force=True)
    seen.wait("() => document.querySelector('.foliumtooltip')")
    shown = [cell.strip() for cell in seen.page.locator(".foliumtooltip td").all_inner_texts()]
    assert shown[1] == item["case_no"]
    assert shown[6] == f"overdue by {item['hours_late']:,} h"
    assert shown[5] == item["limit_at"][:16].replace("T", " ")


def test_it_passes_axe(opened):
    """The file has no serious or critical finding."""
    _, seen = opened()
    seen.page.evaluate(AXE.read_text("utf-8"))
    found = seen.page.evaluate("async () => (await axe.run()).violations")
    assert [v["id"] for v in found if v["impact"] in {"serious", "critical"}] == []


def test_hostile_texts_are_inert(own, opened):
    """What stands in the data is text on the map, never script."""
    bad = "${alert(1)}`</script><script>alert(2)</script>https://example.org"
    with begin(own.context.engine) as tx:
        tx.execute(text("UPDATE core.case_record SET disposing_org = :bad"), {"bad": bad})
    _, seen = opened(context=own.context)
    seen.page.locator("path.leaflet-interactive").last.hover(force=True)
    seen.wait("() => document.querySelector('.foliumtooltip')")
    assert bad in seen.page.locator(".foliumtooltip").inner_text()


def test_tasks_are_rings_and_stuck_items_marked(own, opened):
    """A task is a ring round the disc of its case; what is stuck is dashed or dark."""
    with begin(own.context.engine) as tx:
        number = tx.scalar(
            text("""SELECT case_no FROM core.case_record WHERE geom IS NOT NULL AND due_at < :at
                AND NOT self_handled AND (closed_at IS NULL OR closed_at > :at)
                AND accepted_at < :at ORDER BY due_at LIMIT 1"""), {"at": f"{AT}+02:00"},
        )  # fmt: skip
        for task in ("a", "b"):
            tx.execute(
                text("""INSERT INTO core.dispatch_task (task_no, case_no, due_at, is_rework,
                    is_hand_back, file_id, row_no) VALUES (:task, :number, :at, false, true, 1, 1)
                    """), {"task": task, "number": number, "at": f"{AT}+02:00"},
            )  # fmt: skip
    _, seen = opened(context=own.context, stuck=True)
    paths = seen.page.evaluate(
        "() => [...document.querySelectorAll('path.leaflet-interactive')].map((p) => "
        "[p.getAttribute('fill'), p.getAttribute('stroke'), p.getAttribute('stroke-dasharray')])"
    )
    assert paths == [
        ["none", COLOURS["due_soon"], "3 3"],
        ["none", COLOURS["due_soon"], "3 3"],
        [COLOURS["overdue"], drawing.DARK, None],
    ]


def test_points_beyond_the_cap_are_counted(served, monkeypatch):
    """The most urgent are drawn, and the file says how many are not."""
    monkeypatch.setattr(drawing, "MAX_POINTS", 5)
    drawn = open_map(served.context, work.work_filter(served.context), at=AT, lang="en")
    assert drawn.drawn == 5
    assert f"{drawn.left_out} more with a later limit are not drawn" in drawn.html
    assert drawn.left_out > 5


def test_nothing_open_is_a_map_too(served):
    """Without an item the map shows the regions."""
    chosen = work.work_filter(served.context)
    drawn = open_map(served.context, chosen, at="2001-01-01")
    assert (drawn.drawn, drawn.unlocated) == (0, 0)


def test_wrong_options_are_named(served):
    """Language and moment are checked."""
    chosen = work.work_filter(served.context)
    with pytest.raises(InputError, match="fr"):
        open_map(served.context, chosen, lang="fr")
    with pytest.raises(PeriodError, match="noon"):
        open_map(served.context, chosen, at="noon")


def test_command_writes_the_file(served, tmp_path):
    """`gridgis map open` writes the file and says what is on it and what is not."""
    url = served.context.engine.url.render_as_string(hide_password=False)

    def run(*words):
        return subprocess.run(  # noqa: S603 - our own command
            [str(Path(sys.executable).parent / "gridgis"), "map", "open", *words],
            capture_output=True, text=True, check=False,
            env={"GRIDGIS_DATABASE_URL": url, "PATH": ""},
        )  # fmt: skip

    out = tmp_path / "map.html"
    done = run("--out", str(out), "--at", AT, "--stage", "dispose")
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"[0-9]+ points at 2024-03-20 12:00, [0-9]+ items without a point", done.stdout
    )
    assert out.read_text("utf-8").startswith("<!doctype html>")
    done = run("--out", str(tmp_path / "no" / "map.html"))
    assert (done.returncode, "does not exist" in done.stderr) == (2, True)
