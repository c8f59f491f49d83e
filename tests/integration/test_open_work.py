"""What is open at a moment, how late it is, and whether it is stuck: answers by hand (待办)."""

import csv
import json
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from gridgis.errors import CodeError, InputError, PeriodError
from gridgis.services import open_work as work
from gridgis.services.context import open_context
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file
from gridgis.services.open_work_files import ITEM_COLUMNS, write_work
from gridgis.store.engine import begin

ZONE = ZoneInfo("Europe/Helsinki")
AT = "2024-03-06 12:00"
FIELDS = (
    "case_no", "subcategory", "source", "stated_region", "x", "y", "disposing_org",
    "self_handled", "discovered_at", "reported_at", "accepted_at", "filed_at", "dispatched_at",
    "due_at", "closed_at", "voided_at", "suspended_at",
)  # fmt: skip
MAPPING = "[columns]\n" + "".join(f'{name} = "{name}"\n' for name in FIELDS)
POINT = {"x": "24.945", "y": "60.30"}
"""In Mill Street, North Side."""
CASES = {
    # due: a minute ago, now, at the end of the window of reminders, a minute later, never, long ago
    "late": {"due_at": "03-06 11:59"},
    "now": {"due_at": "03-06 12:00"},
    "soon": {"due_at": "03-06 16:00", **POINT},
    "far": {"due_at": "03-06 16:01"},
    "free": {},
    "old": {"due_at": "03-05 12:00", "subcategory": "Graffiti"},
    # open until the moment itself, and no longer
    "closes": {"due_at": "03-09 12:00", "closed_at": "03-06 12:01"},
    "shut": {"due_at": "03-09 12:00", "closed_at": "03-06 12:00"},
    "voids": {"due_at": "03-09 12:00", "voided_at": "03-06 12:01"},
    "void": {"due_at": "03-09 12:00", "voided_at": "03-06 12:00"},
    "comes": {"due_at": "03-09 12:00", "accepted_at": "03-06 12:00"},
    "future": {"due_at": "03-09 12:00", "accepted_at": "03-06 12:01"},
    "filed": {"due_at": "03-09 12:00", "accepted_at": "", "filed_at": "03-06 11:00"},
    "reported": {"due_at": "03-09 12:00", "accepted_at": ""},
    "own": {"accepted_at": "", "self_handled": "yes"},
    "rests": {"due_at": "03-05 12:00", "suspended_at": "03-06 12:00", **POINT},
    # nobody's for 24 hours and a minute, for 24 hours, somebody's
    "nobody": {"accepted_at": "03-05 11:59", "dispatched_at": "", "disposing_org": ""},
    "fresh": {"dispatched_at": "", "disposing_org": ""},
    "owned": {"accepted_at": "03-05 11:59", "dispatched_at": ""},
    "sent": {"accepted_at": "03-05 11:00", "disposing_org": ""},
    "thrown": {"due_at": "03-09 12:00"},
}
TASKS = {
    # case, due, dispatched, after a hand-back
    "t-late": ("late", "03-06 11:00", "", "no"),
    "t-soon": ("now", "03-06 12:30", "", "no"),
    "t-far": ("soon", "03-06 12:31", "", "no"),
    "t-now": ("far", "03-06 11:00", "03-06 12:00", "no"),
    "t-later": ("free", "03-06 11:00", "03-06 12:01", "no"),
    "t-shut": ("shut", "03-06 11:00", "", "no"),
    "t-rests": ("rests", "03-06 11:00", "", "no"),
    "t-reported": ("reported", "03-06 13:00", "", "no"),
    "t-thrown-1": ("thrown", "03-06 10:00", "03-06 09:00", "yes"),
    "t-thrown-2": ("thrown", "03-06 13:00", "", "yes"),
}
STATES = {
    "dispose": {
        "overdue": "late old",
        "due_soon": "now soon",
        "in_time": "closes comes far filed thrown voids",
        "no_limit": "free fresh nobody owned sent",
        "suspended": "rests",
    },
    "dispatch": {
        "overdue": "t-late t-later",
        "due_soon": "t-soon",
        "in_time": "t-far t-reported t-thrown-2",
        "suspended": "t-rests",
    },
}
HIDDEN = "S0102"


def local(moment):
    """Return a moment without its year as local time of 2024."""
    return f"2024-{moment}" if moment else ""


def write_cases(path, cases):
    """Write cases in the fields of an import; what is not said is usual."""
    usual = {
        "subcategory": "Litter", "source": "City inspector", "stated_region": "North Side",
        "self_handled": "no", "disposing_org": "Works", "reported_at": "03-05 11:00",
        "accepted_at": "03-05 12:00", "dispatched_at": "03-05 13:00",
    }  # fmt: skip
    with path.open("w", newline="") as handle:
        writer = csv.DictWriter(handle, FIELDS, restval="")
        writer.writeheader()
        for number, facts in cases.items():
            row = {"case_no": number, **usual, **facts}
            if not facts.get("dispatched_at") and row["accepted_at"] > "03-05 12:00":
                row["dispatched_at"] = ""
            if not row["accepted_at"]:
                row["dispatched_at"] = ""
            writer.writerow({k: local(v) if k.endswith("_at") else v for k, v in row.items()})


@pytest.fixture(scope="module")
def template(cluster, toy_template, tmp_path_factory):
    """Return a database of the toy city with these cases and tasks."""
    folder = tmp_path_factory.mktemp("open")
    name = cluster.clone(toy_template)
    context = open_context(cluster.settings(name))
    (folder / "m.toml").write_text(MAPPING)
    write_cases(folder / "cases.csv", CASES)
    request = ImportRequest(crs="wgs84", mapping=str(folder / "m.toml"), synthetic=True)
    assert import_file(context, folder / "cases.csv", request).rejected == 0
    lines = ["Task number,Case number,Dispatch due,Dispatched,Rework,After a hand-back"]
    lines += [
        f"{task},{case},{local(due)},{local(sent)},no,{back}"
        for task, (case, due, sent, back) in TASKS.items()
    ]
    (folder / "tasks.csv").write_text("\n".join(lines) + "\n")
    request = ImportRequest(kind="tasks", synthetic=True)
    assert import_file(context, folder / "tasks.csv", request).rejected == 0
    context.engine.dispose()
    return name


@pytest.fixture(scope="module")
def ledger(cluster, template):
    """Yield these cases and tasks; tests only read them."""
    name = cluster.clone(template)
    context = open_context(cluster.settings(name))
    yield context
    context.engine.dispose()
    cluster.drop(name)


@pytest.fixture
def own(cluster, template):
    """Yield these cases and tasks to a test that changes them."""
    name = cluster.clone(template)
    context = open_context(cluster.settings(name))
    yield context
    context.engine.dispose()
    cluster.drop(name)


def listed(context, at=AT, **asked):
    """Return the items of a question by their own number."""
    found = work.stream_work(context, work.work_filter(context, **asked), at=at)
    return {str(item["task_no"] or item["case_no"]): item for item in found}


@pytest.mark.parametrize("stage", STATES)
def test_states_by_hand(stage, ledger):
    """Each open item is in one state; at the very moment it is due it is not late yet."""
    for state, expected in STATES[stage].items():
        assert " ".join(sorted(listed(ledger, stage=stage, state=state))) == expected
    others = {state: e for state, e in STATES[stage].items() if state != "suspended"}
    whole = {number for expected in others.values() for number in expected.split()}
    assert set(listed(ledger, stage=stage)) == whole


def test_hours_and_levels_by_hand(ledger):
    """Hours late or left, and the reminder that holds now; a suspended clock stands still."""
    found = {**listed(ledger, stage="dispose"), **listed(ledger, state="suspended")}
    told = {
        number: (item["hours_late"], item["hours_left"], item["reminder_level"])
        for number, item in found.items()
    }
    assert told["late"] == (0.02, None, 2)
    assert told["now"] == (None, 0, 2)
    assert told["soon"] == (None, 4, 1)
    assert told["far"] == (None, 4.02, None)
    assert told["free"] == (None, None, None)
    assert told["old"] == (24, None, 3)
    assert told["rests"] == (24, None, None)
    tasks = listed(ledger, stage="dispatch")
    assert [tasks[n]["reminder_level"] for n in ("t-late", "t-soon", "t-far")] == [2, 1, None]
    assert found["late"]["reminder_name"] == "Level 2"


def test_stuck_items_and_what_is_proposed(ledger):
    """Nobody's for more than a day: act first; handed back twice: whistle; else nothing."""
    stuck = listed(ledger, stuck=True)
    proposals = {number: item["proposal"] for number, item in stuck.items()}
    assert proposals == {"nobody": "act_first", "thrown": "whistle", "t-thrown-2": "whistle"}
    assert stuck["thrown"]["hand_backs"] == 2
    assert set(listed(ledger)) - set(stuck) == set(listed(ledger, stuck=False))


def test_items_tell_place_and_owner_and_no_person(ledger):
    """An item names class, place, point and organisation, and nothing about people."""
    item = listed(ledger)["soon"]
    assert tuple(item) == ITEM_COLUMNS
    assert (item["region_key"], item["region_name"]) == ("990901", "North Side")
    assert (item["street_name"], item["subcategory_name"]) == ("Mill Street", "Litter")
    assert (item["lon"], item["lat"], item["disposing_org"]) == (24.945, 60.3, "Works")
    assert item["limit_at"] == "2024-03-06T16:00:00+02:00"
    assert not {"description", "address_text", "actor", "reporter_id"} & set(item)


def test_counts_have_units_and_the_unlocated(ledger):
    """Tasks and cases are counted apart; the suspended stand beside the total, not in it."""
    page = work.open_work(ledger, work.work_filter(ledger), at=AT)
    counts = {(row["stage"], row["state"]): row for row in page["counts"]}
    for (stage, state), row in counts.items():
        assert row["items"] == len(STATES[stage][state].split())
        assert row["unit"] == {"dispatch": "tasks", "dispose": "cases"}[stage]
        assert row["located"] + row["unlocated"] == row["items"]
    assert set(counts) == {(stage, state) for stage, states in STATES.items() for state in states}
    assert counts["dispose", "due_soon"]["located"] == 1
    shown = sum(row["items"] for row in page["counts"] if row["state"] != "suspended")
    assert page["total"] == page["returned"] == shown == 21
    only = work.open_work(ledger, work.work_filter(ledger, state="due_soon"), at=AT)
    assert (only["total"], only["counts"]) == (3, page["counts"])


def test_filters_narrow_by_place_and_class(ledger):
    """Names and codes both work, and a prefix of classes."""
    assert set(listed(ledger, category="Graffiti")) == {"old"}
    assert set(listed(ledger, street="Mill Street")) == {"soon", "t-far"}
    assert len(listed(ledger, category="S01", district="North Side")) == 21
    assert listed(ledger, district="South") == {}


@pytest.mark.parametrize("limit", [1, 2, 7, 20, 21, 1000])
def test_pages_sum_to_the_total(limit, ledger):
    """Every item is on one page, in the order of limits, whatever the size of pages."""
    chosen = work.work_filter(ledger)
    page = work.open_work(ledger, chosen, limit=limit, at=AT)
    items, counts = list(page["items"]), page["counts"]
    while page["after"]:
        page = work.open_work(ledger, chosen, limit=limit, after=page["after"])
        assert (page["total"], page["at"], page["counts"]) == (21, "2024-03-06T12:00:00+02:00",
                                                              counts)  # fmt: skip
        assert page["items"]
        items += page["items"]
    assert [i["task_no"] or i["case_no"] for i in items] == list(listed(ledger))
    limits = [item["limit_at"] or "9999" for item in items]
    assert limits == sorted(limits)


def test_a_position_belongs_to_its_list(ledger):
    """Garbage, another filter or another moment are refused; new data are counted again."""
    chosen = work.work_filter(ledger)
    after = work.open_work(ledger, chosen, at=AT, limit=1)["after"]
    for wrong in ("x", after[:-5], "bnVsbA", "W10", "WzEsMiwzLDQsNSw2LDdd"):
        with pytest.raises(InputError, match="not from a page of this list"):
            work.open_work(ledger, chosen, after=wrong)
    with pytest.raises(InputError, match="other filters"):
        work.open_work(ledger, work.work_filter(ledger, stage="dispose"), after=after)
    with pytest.raises(InputError, match="another moment"):
        work.open_work(ledger, chosen, at="2024-03-07", after=after)
    with begin(ledger.engine) as tx:
        tx.execute(text("UPDATE core.data_version SET version = version + 1"))
    assert work.open_work(ledger, chosen, after=after)["total"] == 21


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"stage": "close"}, InputError),
        ({"state": "late"}, InputError),
        ({"state": "restricted"}, InputError),
        ({"district": "Nowhere"}, CodeError),
        ({"category": "S9"}, CodeError),
        ({"street": "123"}, CodeError),
    ],
)
def test_wrong_filters_are_named(asked, error, ledger):
    """A value that means nothing is refused with its name."""
    with pytest.raises(error, match=next(iter(asked.values()))):
        work.work_filter(ledger, **asked)


def test_wrong_moments_and_limits_are_named(ledger):
    """A moment is a date or a time; a page has at most a thousand items."""
    chosen = work.work_filter(ledger)
    with pytest.raises(PeriodError, match="at 'noon'"):
        work.open_work(ledger, chosen, at="noon")
    with pytest.raises(InputError, match="limit 0"):
        work.open_work(ledger, chosen, limit=0)
    with pytest.raises(InputError, match="by 'person'"):
        work.work_summary(ledger, chosen, by="person")


def test_the_moment_is_the_newest_stage_time(ledger):
    """Without a moment the list is as of the data, and says so; the future does not count."""
    page = work.open_work(ledger, work.work_filter(ledger))
    assert page["at"] == page["as_of"] == "2024-03-06T12:01:00+02:00"
    later = work.open_work(ledger, work.work_filter(ledger), at="2024-03-08")
    assert (later["at"], later["as_of"]) == ("2024-03-08T00:00:00+02:00", page["as_of"])


def test_a_time_in_the_future_is_no_reach_of_the_data(own):
    """A typing error of a closing time neither moves the moment nor closes the case."""
    with begin(own.engine) as tx:
        tx.execute(text("UPDATE core.case_record SET closed_at = now() + interval '1 day' "
                        "WHERE case_no = 'late'"))  # fmt: skip
        tx.execute(text("UPDATE core.dispatch_task SET dispatched_at = now() + interval '1 day' "
                        "WHERE task_no = 't-soon'"))  # fmt: skip
    page = work.open_work(own, work.work_filter(own))
    assert page["as_of"] == page["at"] == "2024-03-06T12:01:00+02:00"
    assert {"late", "t-soon"} <= set(listed(own))


def test_events_beside_the_stages_reach_further(own):
    """A hand-back is the newest thing that happened, though no stage time of a case tells it."""
    with begin(own.engine) as tx:
        tx.execute(
            text("""
            INSERT INTO core.case_event (case_no, event_key, revision, stage, at, file_id, row_no)
            VALUES ('late', 'r', 1, 'returned', '2024-03-07 08:00+02', 1, 1)""")
        )
    assert work.open_work(own, work.work_filter(own))["as_of"] == "2024-03-07T08:00:00+02:00"


def test_an_empty_city_has_no_work(toy):
    """Nothing to do, as of nothing, by the built-in rules."""
    page = work.open_work(toy, work.work_filter(toy))
    assert (page["total"], page["items"], page["counts"], page["as_of"]) == (0, [], [], None)
    assert page["rules"]["origin"] == "built_in"
    summary = work.work_summary(toy, work.work_filter(toy), by="region")
    assert [stage["total"]["text"] for stage in summary["stages"]] == ["—", "—"]


def test_lateness_is_classed_by_hours(ledger):
    """A class holds its lower border; what is not late stands beside the classes."""
    found = work.work_summary(ledger, work.work_filter(ledger), by="lateness", at=AT)
    tasks, cases = found["stages"]
    assert [(r["code"], r["items"]) for r in tasks["rows"]] == [
        ("1-4", 2), ("due_soon", 1), ("in_time", 3),
    ]  # fmt: skip
    assert [(r["code"], r["items"], r["kind"]) for r in cases["rows"]] == [
        ("0-1", 1, "group"), ("24-72", 1, "group"), ("due_soon", 2, "rest"),
        ("in_time", 6, "rest"), ("no_limit", 5, "rest"),
    ]  # fmt: skip
    assert [(r["numerator"], r["denominator"]) for r in cases["rows"]] == [
        (1, 10), (1, 10), (2, 10), (6, 10), (0, 0),
    ]  # fmt: skip
    assert cases["rows"][1]["name"] == "24至不足72小时"
    assert cases["total"]["text"] == "20.00%"


@pytest.mark.parametrize("by", work.GROUPINGS)
@pytest.mark.parametrize("asked", [{}, {"state": "overdue"}, {"state": "suspended"}])
def test_groups_sum_to_the_total(by, asked, ledger):
    """Whatever the grouping, rows sum to the total, and that is the list's."""
    chosen = work.work_filter(ledger, **asked)
    found = work.work_summary(ledger, chosen, by=by, at=AT)
    for stage in found["stages"]:
        for name in work.NUMBERS:
            assert sum(row[name] for row in stage["rows"]) == stage["total"][name]
        assert stage["total"]["items"] == len(listed(ledger, stage=stage["stage"], **asked))
        if by != "lateness":
            assert sum(r["denominator"] for r in stage["rows"]) == stage["total"]["denominator"]


def test_groups_name_the_rest(ledger):
    """Items without a street or an organisation are a row, and the last one."""
    chosen = work.work_filter(ledger, stage="dispose")
    (streets,) = work.work_summary(ledger, chosen, by="street", at=AT)["stages"]
    assert [(r["code"], r["kind"], r["items"]) for r in streets["rows"]] == [
        ("990901001", "group", 1), ("unlocated", "rest", 14),
    ]  # fmt: skip
    (owners,) = work.work_summary(ledger, chosen, by="organisation", at=AT)["stages"]
    assert [(r["code"], r["items"], r["overdue"]) for r in owners["rows"]] == [
        ("Works", 12, 2), ("no_organisation", 3, 0),
    ]  # fmt: skip
    assert owners["rows"][0]["most_hours_late"] == 24
    assert owners["rows"][0]["median_hours_late"] == 12.01
    (classes,) = work.work_summary(ledger, chosen, by="subcategory", at=AT)["stages"]
    assert [(r["name"], r["text"]) for r in classes["rows"]] == [
        ("Litter", "11.11%"), ("Graffiti", "100.00%"),
    ]  # fmt: skip


def test_restricted_classes_are_counted_and_not_shown(own):
    """A hidden class is one row of every sum; no list, file, filter or group shows it."""
    with begin(own.engine) as tx:
        tx.execute(text("UPDATE core.category SET restricted = true WHERE category_code = :c"),
                   {"c": HIDDEN})  # fmt: skip
    chosen = work.work_filter(own)
    page = work.open_work(own, chosen, at=AT)
    counts = {(r["stage"], r["state"]): r["items"] for r in page["counts"]}
    assert counts["dispose", "restricted"] == 1
    assert page["total"] == 20
    assert "old" not in listed(own)
    for asked in ({"category": "Graffiti"}, {"district": "North"}):
        counted = work.work_head(own, work.work_filter(own, **asked), at=AT)["counts"]
        assert "restricted" not in {row["state"] for row in counted}
    for by in work.GROUPINGS:
        cases = work.work_summary(own, chosen, by=by, at=AT)["stages"][1]
        assert cases["total"]["items"] == 15
        assert {r["code"]: r["items"] for r in cases["rows"]}["restricted"] == 1
        assert HIDDEN not in {r["code"] for r in cases["rows"]}
    everything = replace(chosen, restricted=True)
    shown = {item["case_no"]: item for item in work.stream_work(own, everything, at=AT)}
    assert shown["old"]["region_key"] == "990901"


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "geojson"])
def test_files_hold_every_item(suffix, ledger, tmp_path):
    """A file has the items of the list in its order, and says that they are synthetic."""
    path = tmp_path / f"work.{suffix}"
    head = write_work(ledger, work.work_filter(ledger), path, at=AT)
    numbers = list(listed(ledger))
    assert head["total"] == len(numbers)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    if suffix == "csv":
        rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))
        assert [row["task_no"] or row["case_no"] for row in rows] == numbers
        assert {(row["at"], row["synthetic"]) for row in rows} == {
            ("2024-03-06T12:00:00+02:00", "true")
        }
    elif suffix == "geojson":
        found = json.loads(path.read_text())
        assert [f["id"].partition(":")[2] for f in found["features"]] == numbers
        assert (found["synthetic"], found["as_of"]) == (True, "2024-03-06T12:01:00+02:00")
        assert sum(f["geometry"] is not None for f in found["features"]) == 2
    else:
        book = load_workbook(path)
        table = list(book["Open work"].iter_rows(values_only=True))
        assert [row[2] or row[1] for row in table[1:]] == numbers
        assert {row[-1] for row in table[1:]} == {"合成数据 / synthetic data"}
        late = dict(zip(table[0], table[1 + numbers.index("old")], strict=True))
        assert (late["State"], late["Hours late"], late["Due"]) == (
            "overdue", 24, "2024-03-05 12:00:00",
        )  # fmt: skip
        about = list(book["About"].iter_rows(values_only=True))
        assert about[1][:2] == ("Moment", "2024-03-06 12:00:00")


def test_files_run_no_formula(own, tmp_path):
    """Texts that a spreadsheet would run are texts."""
    with begin(own.engine) as tx:
        tx.execute(
            text("UPDATE core.case_record SET disposing_org = :org WHERE case_no = 'late'"),
            {"org": "=1+1\x07"},
        )
    write_work(own, work.work_filter(own), tmp_path / "a.xlsx", at=AT)
    write_work(own, work.work_filter(own), tmp_path / "a.csv", at=AT)
    cells = [c for row in load_workbook(tmp_path / "a.xlsx")["Open work"].iter_rows() for c in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert "=1+1" in {cell.value for cell in cells}
    assert ",'=1+1" in (tmp_path / "a.csv").read_text("utf-8-sig")


def test_other_files_are_refused(ledger, tmp_path):
    """Endings and folders that cannot be written are named."""
    with pytest.raises(InputError, match="ends in"):
        write_work(ledger, work.work_filter(ledger), tmp_path / "a.pdf")
    with pytest.raises(InputError, match="cannot be written"):
        write_work(ledger, work.work_filter(ledger), tmp_path / "no" / "a.csv")


def test_report_lateness_by_hand(toy, tmp_path):
    """Median and 90th percentile of the minutes from discovery to report, by source and region."""
    minutes = {"a": 10, "b": 20, "c": 60, "d": None, "e": 30}
    start = datetime(2024, 3, 5, 11, tzinfo=ZONE)
    cases = {
        number: {
            "discovered_at": f"{start - timedelta(minutes=late):%m-%d %H:%M}" if late else "",
            "source": "Area warden" if number == "e" else "City inspector",
            "stated_region": "" if number == "c" else "North Side",
        }
        for number, late in minutes.items()
    }  # fmt: skip
    (tmp_path / "m.toml").write_text(MAPPING)
    write_cases(tmp_path / "cases.csv", cases)
    request = ImportRequest(crs="wgs84", mapping=str(tmp_path / "m.toml"))
    import_file(toy, tmp_path / "cases.csv", request)
    found = work.report_lateness(toy, "2024-03")
    assert (found["total"]["cases"], found["total"]["known"]) == (5, 4)
    assert (found["total"]["median_minutes"], found["total"]["p90_minutes"]) == (25, 51)
    assert found["total"]["text"] == "80.00%"
    sources = {r["code"]: (r["cases"], r["known"], r["median_minutes"]) for r in found["by_source"]}
    assert sources == {"city_supervisor": (4, 3, 20), "district_supervisor": (1, 1, 30)}
    regions = {r["code"]: (r["kind"], r["cases"], r["p90_minutes"]) for r in found["by_region"]}
    assert regions == {"990901": ("group", 4, 28), "unlocated": ("rest", 1, 60)}
    empty = work.report_lateness(toy, "2024-04")
    assert (empty["total"]["text"], empty["total"]["median_minutes"]) == ("—", None)
    assert empty["by_source"] == empty["by_region"] == []


def test_corrected_events_do_not_count(toy, tmp_path):
    """A hand-back that was entered by mistake and corrected makes no case stuck."""
    (tmp_path / "m.toml").write_text(MAPPING)
    write_cases(tmp_path / "cases.csv", {"late": {"dispatched_at": ""}})
    import_file(toy, tmp_path / "cases.csv",
                ImportRequest(crs="wgs84", mapping=str(tmp_path / "m.toml")))  # fmt: skip
    log = ["Case number,Stage,Time,Due,Check result"]
    moves = {12: "accepted", 13: "dispatched", 14: "returned", 15: "dispatched", 16: "returned"}
    log += [f"late,{stage},2024-03-05 {hour}:00,," for hour, stage in moves.items()]
    (tmp_path / "log.csv").write_text("\n".join(log) + "\n")
    import_file(toy, tmp_path / "log.csv", ImportRequest(kind="events", mapping="event-log"))
    assert listed(toy, stage="dispose")["late"]["proposal"] == "whistle"
    assert listed(toy, at="2024-03-05 15:59", stage="dispose")["late"]["hand_backs"] == 1
    with begin(toy.engine) as tx:
        tx.execute(
            text("""
            INSERT INTO core.case_event (case_no, event_key, revision, stage, at, file_id, row_no)
            SELECT case_no, event_key, 2, 'act_first', at, file_id, row_no FROM core.case_event
            WHERE stage = 'returned' AND at = '2024-03-05 16:00+02'""")
        )
    item = listed(toy, stage="dispose")["late"]
    assert (item["hand_backs"], item["proposal"]) == (1, None)


def test_an_organisation_may_stand_in_tasks_or_events_only(toy, tmp_path):
    """The owner of a case is whom it was dispatched to last, at the moment in question."""
    (tmp_path / "m.toml").write_text(MAPPING)
    write_cases(tmp_path / "cases.csv", {"late": {"dispatched_at": "", "disposing_org": ""}})
    import_file(toy, tmp_path / "cases.csv",
                ImportRequest(crs="wgs84", mapping=str(tmp_path / "m.toml")))  # fmt: skip
    assert listed(toy, at="2024-03-07", stage="dispose")["late"]["proposal"] == "act_first"
    with begin(toy.engine) as tx:
        file = tx.scalar(text("SELECT max(file_id) FROM core.import_file"))
        for key, at, org in (("a", "2024-03-06 09:00+02", "Parks"), ("b", "2024-03-06 10:00+02",
                                                                     "Roads")):  # fmt: skip
            tx.execute(text("""
                INSERT INTO core.case_event (case_no, event_key, revision, stage, at, org, file_id,
                    row_no) VALUES ('late', :key, 1, 'dispatched', :at, :org, :file, 1)"""),
                {"key": key, "at": at, "org": org, "file": file})  # fmt: skip
        tx.execute(text("UPDATE core.case_record SET dispatched_at = '2024-03-06 09:00+02'"))
    assert listed(toy, at="2024-03-06 09:30")["late"]["disposing_org"] == "Parks"
    found = listed(toy, at="2024-03-07")["late"]
    assert (found["disposing_org"], found["proposal"]) == ("Roads", None)
    with begin(toy.engine) as tx:
        tx.execute(text("""
            INSERT INTO core.dispatch_task (task_no, case_no, due_at, dispatched_at, disposing_org,
                is_rework, is_hand_back, file_id, row_no) VALUES ('t', 'late',
                '2024-03-06 12:00+02', '2024-03-06 11:00+02', 'Works', false, false, :file, 1)"""),
            {"file": file})  # fmt: skip
    assert listed(toy, at="2024-03-07")["late"]["disposing_org"] == "Works"
