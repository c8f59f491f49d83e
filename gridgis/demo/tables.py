"""The records of a ledger under the city's own headers, month by month (台账表)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.demo.book import Fate, Track
from gridgis.demo.clock import NEVER
from gridgis.model.ledger import CHECK_RESULTS, RECORD_FIELDS, STAGE_NAMES, WHISTLE_LEVELS, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridgis.demo.ledger import Ledger
    from gridgis.demo.plan import CaseLedger
    from gridgis.demo.spec import DemoSpec
    from gridgis.model.profile import CityProfile

NATURE = ("数据性质", "合成数据")
PASSED = CHECK_RESULTS["pass"]
CLERK = "合成经办人"
CHECKER = "合成抽查组"
_FLAGS = {True: "是", False: "否"}


def labelled(kind: str, table: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """Return some columns under the headers of a kind, and the label of synthetic data."""
    labels = {entry.name: entry.label_zh for entry in RECORD_FIELDS[kind]}
    columns = {labels[name]: table[name] for name in names}
    return pd.DataFrame({**columns, NATURE[0]: NATURE[1]})


def event_table(ledger: CaseLedger, part: Ledger, month: int) -> pd.DataFrame:
    """Return the stage times of a month's cases, a row a case (阶段时间)."""
    book = ledger.book
    own = book.month == month
    rows = part.rows.iloc[book.row[own]]
    acted = (book.track == Track.ACT_FIRST)[own]
    table = rows[["case_no", "reported_at", "verified_at", "accepted_at", "filed_at"]].assign(
        dispatched_at=book.dispatched[own], due_at=book.stated_due[own], org=rows["disposing_org"]
    )
    for name, times in (("disposed_at", book.disposed), ("checked_at", book.checked),
                        ("closed_at", book.closed)):  # fmt: skip
        table[name] = np.where(acted, NEVER, times[own])
    table["result"] = np.where(table["checked_at"].notna(), PASSED, "")
    return labelled("events", table, (
        "case_no", "reported_at", "verified_at", "accepted_at", "filed_at", "dispatched_at",
        "due_at", "disposed_at", "checked_at", "closed_at", "result", "org",
    ))  # fmt: skip


def log_table(ledger: CaseLedger, part: Ledger, month: int) -> pd.DataFrame:
    """Return what the row of a case does not hold, a row an event (操作日志)."""
    book = ledger.book
    log = pd.concat([*book.log.parts, *_acted(ledger)], ignore_index=True)
    log = log[book.month[log["case"]] == month].sort_values(["case", "at"], kind="stable")
    case = log["case"].to_numpy()
    log["case_no"] = book.case_no[case]
    log["org"] = part.rows["disposing_org"].to_numpy()[book.row[case]]
    log["actor"] = CLERK
    stem = part.month.replace("-", "")
    log["event_no"] = [f"LS{stem}{number:06d}" for number in range(1, len(log) + 1)]
    log["stage"] = log["stage"].map({str(stage): name for stage, name in STAGE_NAMES.items()})
    return labelled("events", log, ("case_no", "event_no", "stage", "at", "due_at", "result",
                                    "org", "actor", "note"))  # fmt: skip


def _acted(ledger: CaseLedger) -> list[pd.DataFrame]:
    """Return the last stages of cases that were never dispatched: only the log tells them."""
    book = ledger.book
    own = np.flatnonzero(book.track == Track.ACT_FIRST)
    parts = [
        pd.DataFrame({"case": own, "stage": str(stage), "at": times[own], "result": result})
        for stage, times, result in (
            (Stage.DISPOSED, book.disposed, None), (Stage.CHECKED, book.checked, PASSED),
            (Stage.CLOSED, book.closed, None),
        )
    ]  # fmt: skip
    return [rows[rows["at"].notna()] for rows in parts]


def task_table(ledger: CaseLedger, part: Ledger, month: int) -> pd.DataFrame:
    """Return the dispatch tasks of a month's cases (派遣任务)."""
    book = ledger.book
    table = ledger.tasks[ledger.tasks["month"] == month].copy()
    case = table["case"].to_numpy()
    number = table["turn"].astype(str).str.zfill(2)
    table["case_no"] = book.case_no[case]
    table["task_no"] = table["case_no"].astype(str) + "-" + number
    org = part.rows["disposing_org"].iloc[book.row[case]].set_axis(table.index)
    table["dispatcher_org"] = org.str.replace("处置单位", "派遣中心")
    ownerless = table["is_hand_back"] & (book.fate[case] == Fate.OPEN)
    table["disposing_org"] = org.mask(ownerless, "")
    for name in ("is_rework", "is_hand_back"):
        table[name] = table[name].map(_FLAGS)
    return labelled("tasks", table, ("task_no", "case_no", "due_at", "dispatched_at",
                                     "dispatcher_org", "disposing_org", "is_rework",
                                     "is_hand_back"))  # fmt: skip


def complaint_table(
    profile: CityProfile, spec: DemoSpec, ledger: CaseLedger, part: Ledger, month: int
) -> pd.DataFrame:
    """Return citizens' complaints about a month's cases, and those that became none (投诉)."""
    book, regions = ledger.book, {region.code: region.name for region in profile.regions}
    table = ledger.citizens.complaints
    table = table[table["month"] == month].copy()
    case = table["case"].to_numpy()
    known = case >= 0
    rows = part.rows.iloc[np.where(known, book.row[case], 0)]
    table["case_no"] = np.where(known, book.case_no[case], "")
    table["source"] = table["source"].map({source.code: source.name for source in profile.sources})
    table["stated_region"] = table["region"].map(regions)
    point = table["repeat_point"].to_numpy()
    names = np.array([*(point.name for point in spec.repeat_points), ""], dtype=object)
    place = np.where(point >= 0, names[point], rows["address_text"])
    table["place"] = np.where(known, place, "")
    table["description"] = np.where(known, rows["description"], "合成数据：咨询")
    return labelled("complaints", table, ("complaint_no", "case_no", "source", "complained_at",
                                          "response_due_at", "responded_at", "stated_region",
                                          "place", "description"))  # fmt: skip


def callback_table(ledger: CaseLedger, month: int) -> pd.DataFrame:
    """Return the call-backs about a month's complaints (回访)."""
    table = ledger.citizens.callbacks
    return labelled("callbacks", table[table["month"] == month].assign(note=None),
                    ("complaint_no", "called_at", "disposed", "satisfied", "note"))  # fmt: skip


def check_table(ledger: CaseLedger, month: int) -> pd.DataFrame:
    """Return the spot checks of a month's cases (抽查)."""
    table = ledger.checks[ledger.checks["month"] == month]
    table = table.assign(case_no=ledger.book.case_no[table["case"]], checker=CHECKER)
    return labelled("checks", table, ("case_no", "checked_at", "result", "problem", "checker"))


def whistle_table(profile: CityProfile, spec: DemoSpec, ledger: CaseLedger) -> pd.DataFrame:
    """Return the whistles of both months (吹哨)."""
    regions = {region.code: region.name for region in profile.regions}
    table = pd.DataFrame({
        "whistle_no": whistle.number, "level": WHISTLE_LEVELS[whistle.level],
        "stated_region": regions[whistle.region], "blown_at": whistle.blown_at,
        "title": whistle.title, "participants": whistle.participants, "cases": "、".join(cases),
        "resolved_at": whistle.resolved_at,
    } for whistle, cases in zip(spec.ledger.whistles, ledger.whistle_cases, strict=True)
    )  # fmt: skip
    return labelled("whistles", table, table.columns)
