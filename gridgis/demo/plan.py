"""The ledger of the last two months: stages, tasks, complaints, checks (台账生成)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gridgis.demo.book import make_book
from gridgis.demo.citizens import Citizens, make_citizens
from gridgis.demo.clock import NEVER
from gridgis.demo.closing import plan_closing
from gridgis.demo.dispatch import plan_dispatch
from gridgis.demo.quality import draw_key_cases, make_checks, whistle_cases
from gridgis.demo.stages import set_stages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.demo.book import Book
    from gridgis.demo.detours import Detours
    from gridgis.demo.dispatch import Dispatch
    from gridgis.demo.ledger import Ledger
    from gridgis.demo.spec import DemoSpec
    from gridgis.model.profile import CityProfile

    Booleans = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class CaseLedger:
    """Everything beside the cases, in columns that name cases by their place in the book (台账)."""

    book: Book
    key: Booleans
    tasks: pd.DataFrame
    citizens: Citizens
    checks: pd.DataFrame
    whistle_cases: list[list[str]]


def make_ledger(profile: CityProfile, spec: DemoSpec, ledgers: tuple[Ledger, Ledger]) -> CaseLedger:
    """
    Decide what became of the cases of two months, so that the targets of the last one are met.

    Raises
    ------
    ProfileInvalid
        Naming the target that the cases cannot meet.
    """
    rng = np.random.default_rng([spec.seed, len(ledgers)])
    book = make_book(profile, spec.ledger, ledgers)
    plan_closing(book, rng)
    dispatch = plan_dispatch(profile, book, rng)
    detours = set_stages(book, dispatch, rng)
    key = draw_key_cases(book, rng)
    return CaseLedger(
        book, key, _tasks(book, dispatch, detours), make_citizens(book, rng),
        make_checks(book, detours, rng), whistle_cases(book, rng),
    )  # fmt: skip


def _tasks(book: Book, dispatch: Dispatch, detours: Detours) -> pd.DataFrame:
    """Return all dispatch tasks: the first ones, and those after a hand-back or a rework."""
    first = np.flatnonzero(dispatch.task)
    again = np.concatenate(detours.cases)
    rework = np.concatenate(detours.rework)
    none = np.zeros(len(first), dtype=bool)
    table = pd.DataFrame({
        "case": np.concatenate([first, again]),
        "due_at": np.concatenate([dispatch.due[first], *detours.due]),
        "dispatched_at": np.concatenate([book.dispatched[first], *detours.dispatched]),
        "is_rework": np.concatenate([none, rework]),
        "is_hand_back": np.concatenate([none, ~rework]),
    })  # fmt: skip
    table = table.sort_values(["case", "due_at"], kind="stable", ignore_index=True)
    turn = table.groupby("case").cumcount() + 1
    return table.assign(month=book.month[table["case"]], turn=turn)


def set_stamps(ledgers: tuple[Ledger, Ledger], ledger: CaseLedger) -> None:
    """Write the final stage times of the accepted cases into the rows of their months."""
    book = ledger.book
    disposed = np.where(np.isnat(book.disposed), book.disposed_before, book.disposed)
    checked = np.where(np.isnat(book.checked), book.checked_before, book.checked)
    stamps = {"dispatched_at": book.dispatched, "due_at": book.due, "disposed_at": disposed,
              "checked_at": checked, "closed_at": book.closed}  # fmt: skip
    for month, part in enumerate(ledgers):
        own = book.month == month
        at, count = book.row[own], len(part.rows)
        for name, times in stamps.items():
            column = np.full(count, NEVER)
            if name in part.rows:
                column = part.rows[name].to_numpy(dtype="datetime64[s]", copy=True)
            column[at] = times[own]
            part.rows[name] = column
        key = np.zeros(count, dtype=bool)
        key[at] = ledger.key[own]
        part.rows["is_key"] = key
