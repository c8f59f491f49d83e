"""Random ledgers: at any moment the open cases are those whose own story says so (待办)."""

import csv
import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gridgis.services import open_work as work
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file

START = datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Helsinki"))
FIELDS = ("case_no", "subcategory", "source", "self_handled", "reported_at", "accepted_at",
          "closed_at", "suspended_at", "due_at")  # fmt: skip
MAPPING = "[columns]\n" + "".join(f'{name} = "{name}"\n' for name in FIELDS)
DAY = 24
LENGTHS = (1, 20, 100, 7 * DAY - 1, 7 * DAY, 7 * DAY + 1, 400)
"""Hours until a case is closed: those that lasted a week are found by another way."""


def stamp(hours):
    """Return a moment of the story as local text."""
    return f"{START + timedelta(hours=hours):%Y-%m-%d %H:%M}"


def told_by_columns(dice, began):
    """Return what a case went through that has no events: only the last of it is known."""
    if dice.random() < 0.7:
        return [(began, "accepted"), (began + dice.choice(LENGTHS), "closed")]
    return [(began, "accepted"), *([(began + 2, "suspended")] if dice.random() < 0.5 else [])]


def told_by_events(dice, began):
    """Return what a case went through: suspended, closed, reopened, closed again."""
    story = [(began, "accepted"), (began + 1, "dispatched")]
    if dice.random() < 0.5:
        story += [(began + 2, "suspended"), (began + 2 + dice.randrange(1, 40), "resumed")]
    for _ in range(dice.randrange(3)):
        done = story[-1][0] + dice.choice(LENGTHS)
        story += [(done, "disposed"), (done, "checked"), (done, "closed")]
        if dice.random() < 0.4:
            return story
        story += [(done + 5, "reopened"), (done + 6, "dispatched")]
    return story


def state_at(story, hours):
    """Return `open`, `suspended` or None at a moment, from the story alone."""
    state, resting = None, False
    for at, stage in story:
        if at > hours:
            break
        if stage in {"accepted", "reopened"}:
            state = "open"
        elif stage == "closed":
            state = None
        elif stage in {"suspended", "resumed"}:
            resting = stage == "suspended"
    return "suspended" if state and resting else state


def bring(context, folder, stories, with_events):
    """Import the stories: columns of a case, or a row an event."""
    (folder / "m.toml").write_text(MAPPING)
    with (folder / "cases.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, FIELDS, restval="")
        writer.writeheader()
        for number, story in stories.items():
            times = {f"{stage}_at": stamp(at) for at, stage in story if number not in with_events}
            began = stamp(story[0][0])
            writer.writerow({"case_no": number, "subcategory": "Litter", "source": "phone",
                             "self_handled": "no", "reported_at": began, "accepted_at": began,
                             **times})  # fmt: skip
    lines = ["Case number,Stage,Time,Due,Check result"]
    lines += [
        f"{number},{stage},{stamp(at)},,{'pass' if stage == 'checked' else ''}"
        for number in with_events
        for at, stage in stories[number]
    ]
    (folder / "events.csv").write_text("\n".join(lines) + "\n")
    request = ImportRequest(mapping=str(folder / "m.toml"))
    assert import_file(context, folder / "cases.csv", request).rejected == 0
    request = ImportRequest(kind="events", mapping="event-log")
    assert import_file(context, folder / "events.csv", request).rejected == 0


@pytest.mark.parametrize("seed", [1, 2])
def test_open_cases_are_those_of_their_stories(seed, toy, tmp_path):
    """At the moments of the stories and a minute before, no case is missing and none too many."""
    dice = random.Random(seed)  # noqa: S311 - a ledger, not a secret
    with_events = [f"E-{n}" for n in range(120)]
    stories = {number: told_by_events(dice, dice.randrange(50 * DAY)) for number in with_events}
    stories |= {f"C-{n}": told_by_columns(dice, dice.randrange(50 * DAY)) for n in range(120)}
    bring(toy, tmp_path, stories, with_events)
    chosen = {
        state: work.work_filter(toy, stage="dispose", state=state) for state in (None, "suspended")
    }
    moments = dice.sample(sorted({at for story in stories.values() for at, _ in story}), 30)
    for hours in [moment - back for moment in moments for back in (0, 1 / 60)]:
        for state, wanted in ((None, "open"), ("suspended", "suspended")):
            found = work.stream_work(toy, chosen[state], at=stamp(hours))
            expected = {n for n, story in stories.items() if state_at(story, hours) == wanted}
            assert {item["case_no"] for item in found} == expected, stamp(hours)
