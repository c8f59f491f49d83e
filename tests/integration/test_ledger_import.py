"""Events and records beside the cases: what goes in, what is refused, what follows (台账导入)."""

import csv
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file
from gridgis.store.engine import begin
from gridgis.store.ledger import ledger_digest

ZONE = ZoneInfo("Europe/Helsinki")
CASES = (
    "Ticket,Kind,Channel,Text,Where,Area,X,Y,Handled by,Fixed on the spot,Reported,Taken in,Sent,"
    "Deadline,Fixed,Closed"
)
LOG = "Case number,Stage,Time,Due,Check result"
WIDE = "Case number,Accepted,Filed,Dispatched,Disposed,Checked,Closed,Due,Check result"
GOOD = (
    "T-1,2024-03-05 09:00,2024-03-05 09:10,2024-03-05 10:00,"
    "2024-03-06 08:00,2024-03-06 09:00,2024-03-06 10:00,2024-03-07 10:00,pass"
)


@pytest.fixture
def city(toy, tmp_path):
    """Return the toy city with three cases and a way to import more."""
    path = tmp_path / "cases.csv"
    rows = [
        f"T-{n},Litter,app,,,North Side,,,,no,05.03.2024 08:30,05.03.2024 09:00,,08.03.2024 09:00,,"
        for n in (1, 2, 3)
    ]
    path.write_text("\n".join([CASES, *rows]) + "\n")
    import_file(toy, path, ImportRequest(crs="wgs84"))

    class City:
        context = toy

        def bring(self, kind, header, *rows, mapping=None):
            target = tmp_path / f"{kind}.csv"
            target.write_text("\n".join([header, *rows]) + "\n")
            request = ImportRequest(kind=kind, mapping=mapping, rejects=tmp_path / "rejects.csv")
            return import_file(toy, target, request)

        def log(self, *rows):
            return self.bring("events", LOG, *rows, mapping="event-log")

        def case(self, number="T-1"):
            with begin(toy.engine) as tx:
                return tx.execute(
                    text("SELECT * FROM core.case_record WHERE case_no = :n"), {"n": number}
                ).one()

        def count(self, table):
            with begin(toy.engine) as tx:
                return tx.scalar(text(f"SELECT count(*) FROM core.{table}"))  # noqa: S608 - ours

        def digest(self):
            with begin(toy.engine) as tx:
                return ledger_digest(tx)

        def rejects(self):
            with (tmp_path / "rejects.csv").open(encoding="utf-8-sig", newline="") as handle:
                return list(csv.DictReader(handle))

    return City()


def local(text_):
    """Return a local moment of the toy city."""
    return datetime.fromisoformat(text_).replace(tzinfo=ZONE)


def test_a_wide_row_becomes_events(city):
    """Each stage with a time is an event, and the case shows it; again changes nothing."""
    first = city.bring("events", WIDE, GOOD)
    assert (first.accepted, first.inserted, city.count("case_event")) == (1, 1, 6)
    case = city.case()
    assert case.closed_at == local("2024-03-06 10:00")
    assert case.due_at == local("2024-03-07 10:00")
    assert (case.status, case.check_result) == ("closed", "pass")
    again = city.bring("events", WIDE, GOOD)
    assert (again.inserted, again.updated, again.unchanged) == (0, 0, 1)
    assert city.count("case_event") == 6


def test_a_correction_is_a_further_revision(city):
    """A changed time of a stage keeps the old event and counts as changed."""
    city.bring("events", WIDE, GOOD)
    later = GOOD.replace("2024-03-06 10:00", "2024-03-08 10:00")
    result = city.bring("events", WIDE, later)
    assert (result.inserted, result.updated) == (0, 1)
    assert city.count("case_event") == 7
    assert city.case().closed_at == local("2024-03-08 10:00")


def test_events_tell_the_stages_of_a_case_that_comes_again(city, tmp_path):
    """A case row that is imported again does not undo what its events tell."""
    city.bring("events", WIDE, GOOD)
    path = tmp_path / "cases.csv"
    path.write_text(path.read_text().replace("T-1,Litter,app,,", "T-1,Litter,app,again,"))
    result = import_file(city.context, path, ImportRequest(crs="wgs84"))
    assert (result.updated, result.unchanged) == (1, 2)
    case = city.case()
    assert case.description == "again"
    assert case.closed_at == local("2024-03-06 10:00")


def test_a_life_with_detours(city):
    """Hand-back, rework, suspension, extension and reopening are told by the log."""
    city.log(
        "T-1,立案,2024-03-05 09:10,2024-03-07 09:10,",
        "T-1,dispatched,2024-03-05 10:00,,",
        "T-1,returned,2024-03-05 11:00,,",
        "T-1,dispatched,2024-03-05 12:00,,",
        "T-1,extended,2024-03-05 13:00,2024-03-08 09:10,",
        "T-1,suspended,2024-03-06 08:00,,",
        "T-1,resumed,2024-03-06 20:00,,",
        "T-1,disposed,2024-03-07 08:00,,",
        "T-1,checked,2024-03-07 09:00,,substandard",
        "T-1,disposed,2024-03-07 12:00,,",
        "T-1,checked,2024-03-07 13:00,,合格",
        "T-1,closed,2024-03-07 14:00,,",
    )
    case = city.case()
    assert case.due_at == local("2024-03-08 21:10")  # extended, and 12 hours of rest
    assert case.status == "closed"
    city.log("T-1,reopened,2024-03-09 08:00,,", "T-1,dispatched,2024-03-09 09:00,,")
    assert city.case().status == "open"


def test_disposed_again_waits_for_its_check(city):
    """After rework the earlier check no longer stands: the stages of the case stay in order."""
    city.log(
        "T-1,filed,2024-03-05 09:10,,",
        "T-1,dispatched,2024-03-05 10:00,,",
        "T-1,disposed,2024-03-05 12:00,,",
        "T-1,checked,2024-03-05 13:00,,substandard",
        "T-1,disposed,2024-03-05 14:00,,",
    )
    case = city.case()
    assert (case.checked_at, case.check_result) == (None, "substandard")
    assert case.disposed_at == local("2024-03-05 14:00")


@pytest.mark.parametrize(
    ("rows", "accepted", "rules"),
    [
        (["T-1,closed,2024-03-06 10:00,,"], 0, ["illegal_transition"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-1,closed,2024-03-06 10:00,,"], 1,
         ["illegal_transition"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-1,disposed,2024-03-06 10:00,,",
          "T-1,checked,2024-03-06 11:00,,"], 1, ["illegal_transition", "after_refused"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-1,resumed,2024-03-06 10:00,,"], 1,
         ["illegal_transition"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-1,voided,2024-03-06 10:00,,",
          "T-1,extended,2024-03-07 10:00,,"], 2, ["illegal_transition"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-9,filed,2024-03-05 09:10,,"], 1, ["unknown_case"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-1,filed,2024-03-05 09:10,,"], 1, ["repeated_record"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-2,field,2024-03-05 09:10,,"], 1, ["unknown_stage"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-2,filed,,,"], 1, ["required"]),
        (["T-1,filed,2024-03-05 09:10,,", "T-2,filed,2024-03-05 09:10,,fine"], 1,
         ["unknown_result"]),
    ],
)  # fmt: skip
def test_illegal_events_are_refused_with_their_rule(rows, accepted, rules, city):
    """What cannot follow is rejected, and what comes after it; the events before go in."""
    if not accepted:
        with pytest.raises(Exception, match=rules[0]):
            city.log(*rows)
        assert city.count("case_event") == 0
        return
    result = city.log(*rows)
    assert (result.accepted, result.rejected) == (accepted, len(rules))
    assert [row["Rejected by"] for row in city.rejects()] == rules
    assert city.count("case_event") == accepted


def test_a_refusal_names_both_stages_and_the_time(city):
    """The remedy says what came before, what came, and when."""
    city.log("T-1,filed,2024-03-05 09:10,,", "T-1,closed,2024-03-06 10:00,,")
    (row,) = city.rejects()
    assert row["Remedy"].startswith("closed cannot follow filed (2024-03-06 10:00:00)")
    assert (row["Rejected column"], row["Rejected value"]) == ("Stage", "closed")
    assert row["Case number"] == "T-1"


def test_stored_events_cannot_become_illegal(city):
    """A late event that would make a stored one illegal is refused itself."""
    city.bring("events", WIDE, GOOD)
    before = city.digest()
    with pytest.raises(Exception, match="illegal_transition"):
        city.log("T-1,voided,2024-03-05 09:30,,")
    assert city.digest() == before


def test_a_log_that_comes_again_with_a_void_inside_is_refused(city):
    """Rows that equal stored events are those events: what makes them illegal is refused alone."""
    rows = [
        "T-1,filed,2024-03-05 09:10,,",
        "T-1,dispatched,2024-03-05 10:00,,",
        "T-1,disposed,2024-03-05 12:00,,",
    ]
    city.log(*rows)
    before = city.digest()
    result = city.log(*rows, "T-1,voided,2024-03-05 09:30,,")
    assert (result.unchanged, result.rejected) == (3, 1)
    assert [row["Stage"] for row in city.rejects()] == ["voided"]
    assert city.digest() == before


NUMBERED = "Case number,Event number,Stage,Time,Organisation"


def numbered(city, *rows):
    """Import events with numbers of their own."""
    return city.bring("events", NUMBERED, *rows, mapping="standard")


def test_a_refused_correction_lets_the_stored_event_stand(city):
    """What is refused uncovers the event it was to correct, which then is judged again."""
    numbered(city, "T-1,1,filed,2024-03-05 09:10,", "T-1,2,dispatched,2024-03-05 10:00,A")
    before = city.digest()
    with pytest.raises(Exception, match="illegal_transition"):
        numbered(city, "T-1,3,voided,2024-03-05 09:30,", "T-1,2,dispatched,2024-03-05 11:00,A")
    assert city.digest() == before


def test_numbers_tell_events_of_one_time_apart(city):
    """Two events of one stage and time keep their own rest, however often they come."""
    rows = [
        "T-1,1,filed,2024-03-05 09:10,",
        "T-1,2,dispatched,2024-03-05 10:00,A",
        "T-1,3,dispatched,2024-03-05 10:00,B",
    ]
    numbered(city, *rows)
    before = city.digest()
    for _ in range(2):
        assert numbered(city, *rows).unchanged == 3
    assert city.digest() == before
    later = [rows[0], rows[1].replace("10:00", "11:00"), rows[2].replace("10:00", "12:00")]
    assert numbered(city, *later).updated == 2
    assert numbered(city, *later).unchanged == 3


def test_a_column_that_a_file_lacks_changes_nothing(city):
    """A shorter log does not take away what an earlier one said of the same events."""
    city.log("T-1,filed,2024-03-05 09:10,2024-03-09 09:10,")
    result = numbered(city, "T-1,,filed,2024-03-05 09:10,")
    assert (result.updated, result.unchanged) == (0, 1)
    assert city.case().due_at == local("2024-03-09 09:10")


def test_events_of_one_minute_stand_in_the_order_of_their_rows(city):
    """A log that tells minutes alone tells the order by its rows."""
    result = city.log(
        "T-1,filed,2024-03-05 09:10,,",
        "T-1,dispatched,2024-03-05 10:00,,",
        "T-1,returned,2024-03-05 10:30,,",
        "T-1,dispatched,2024-03-05 10:30,,",
    )
    assert result.rejected == 0


def test_a_rest_after_the_deadline_does_not_move_it(city):
    """A suspension makes a deadline longer only if it begins before the deadline is over."""
    city.log(
        "T-1,filed,2024-03-05 09:10,2024-03-07 09:10,",
        "T-1,suspended,2024-03-06 09:00,,",
        "T-1,resumed,2024-03-06 19:00,,",
        "T-1,suspended,2024-03-10 09:00,,",
        "T-1,resumed,2024-03-12 09:00,,",
    )
    assert city.case().due_at == local("2024-03-07 19:10")


def test_a_value_without_its_stage_is_refused(city):
    """A check result without a check would be lost: the row says so."""
    with pytest.raises(Exception, match="no_stage_of_value"):
        city.bring("events", WIDE, "T-1,,2024-03-05 09:10,,,,,,pass")


def test_events_cannot_be_changed_or_deleted(city):
    """The service role can add events and nothing else."""
    city.bring("events", WIDE, GOOD)
    for statement in ("DELETE FROM core.case_event", "UPDATE core.case_event SET at = now()"):
        with pytest.raises(Exception, match="42501"), begin(city.context.engine) as tx:
            tx.execute(text(statement))


RECORDS = {
    "tasks": (
        "Task number,Case number,Dispatch due,Dispatched,Rework,After a hand-back",
        "K-1,T-1,2024-03-05 11:00,2024-03-05 10:00,no,no",
        "K-1,T-1,2024-03-05 11:00,2024-03-05 12:00,no,yes",
        "K-2,T-9,2024-03-05 11:00,,no,no",
        "unknown_case",
    ),
    "complaints": (
        "Complaint number,Case number,Source,Complained,Response due,Responded,Stated region",
        "C-1,T-1,phone,2024-03-05 08:00,2024-03-06 08:00,2024-03-05 12:00,North Side",
        "C-1,,phone,2024-03-05 08:00,2024-03-06 08:00,2024-03-05 12:00,North Side",
        "C-2,T-1,letter,2024-03-05 08:00,,,",
        "unknown_source",
    ),
    "whistles": (
        "Whistle number,Level,Stated region,Blown,Title",
        "W-1,street,North Side,2024-03-05 08:00,Manhole",
        "W-1,区级,North Side,2024-03-05 08:00,Manhole",
        "W-2,village,North Side,2024-03-05 08:00,",
        "unknown_level",
    ),
    "checks": (
        "Case number,Checked,Result,Problem",
        "T-1,2024-03-05 08:00,pass,",
        "T-1,2024-03-05 08:00,不合格,dirty",
        "T-9,2024-03-05 08:00,pass,",
        "unknown_case",
    ),
}


@pytest.mark.parametrize("kind", RECORDS)
def test_records_go_in_once(kind, city):
    """A record is new, then unchanged, then changed; a bad one is rejected with its rule."""
    header, row, changed, bad, rule = RECORDS[kind]
    assert city.bring(kind, header, row).inserted == 1
    digest = city.digest()
    assert city.bring(kind, header, row).unchanged == 1
    assert city.digest() == digest
    result = city.bring(kind, header, changed, bad)
    assert (result.updated, result.rejected, result.reject_rules) == (1, 1, {rule: 1})
    assert city.digest() != digest


def test_call_backs_belong_to_complaints(city):
    """A call-back needs its complaint; nobody asked is not the same as not satisfied."""
    header, row, *_ = RECORDS["complaints"]
    city.bring("complaints", header, row)
    result = city.bring(
        "callbacks", "Complaint number,Called,Disposed,Satisfied",
        "C-1,2024-03-07 08:00,yes,", "C-1,2024-03-08 08:00,yes,no", "C-7,2024-03-08 08:00,yes,no",
    )  # fmt: skip
    assert result.reject_rules == {"unknown_complaint": 1}
    with begin(city.context.engine) as tx:
        answers = tx.scalars(text("SELECT satisfied FROM core.call_back ORDER BY called_at"))
        assert list(answers) == [None, False]


def test_a_mapping_of_another_kind_is_refused(city):
    """Tasks are not imported by the mapping of checks."""
    with pytest.raises(Exception, match="is for checks, not for tasks"):
        city.bring("tasks", *RECORDS["tasks"][:2], mapping="checks")
