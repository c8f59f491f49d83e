"""
The month beside earlier ones: changes, and whether they may be called a trend (环比、同比).

A count changes by percent, a rate by percentage points. Across a change of the reporting regime
the report says so in sentence, table and chart.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from gridgis.model.measure import NO_RATE
from gridgis.model.report import Cell, Table
from gridgis.report.indicators import closing_key
from gridgis.report.material import EARLIER, month_before, month_text
from gridgis.report.regimes import tell_changes
from gridgis.report.scope import CITY_KEY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gridgis.model.figures import Figure
    from gridgis.model.report import Paragraph
    from gridgis.report.material import Earlier, Material
    from gridgis.report.wording import Said, Words

HUNDREDTH = Decimal("0.01")
ROWS = {
    "accepted": "intake.accepted",
    "self_handled": "intake.self_handled",
    "volume": f"volume.{CITY_KEY}",
    "tasks": f"dispatch.{CITY_KEY}.due",
    "dispatch": f"dispatch.{CITY_KEY}",
    "cumulative": f"closing.{CITY_KEY}.cumulative",
    "closure_rate": f"closing.{CITY_KEY}.closure_rate",
    "on_time_closure_rate": f"closing.{CITY_KEY}.on_time_closure_rate",
    "closure_rate_std": f"closing.{CITY_KEY}.closure_rate_std",
    "substandard": f"quality.{CITY_KEY}.substandard",
    "response": f"response.{CITY_KEY}.due",
    "responded": f"response.{CITY_KEY}.responded",
    "satisfied": f"response.{CITY_KEY}.satisfied",
    "whistles": f"whistle.{CITY_KEY}",
    "key_cases": f"key_cases.{CITY_KEY}",
}
"""Rows of the table of the city, and their figures."""
BY_REGION = ("volume.{area}", "dispatch.{area}", "{closing}.closure_rate",
             "{closing}.on_time_closure_rate")  # fmt: skip
TOLD = ("accepted", "dispatch", "closure_rate", "on_time_closure_rate")
"""Rows that the sentence tells."""


def change_text(m: Material, name: str, key: str) -> str:
    """
    Return how a figure changed since an earlier month, as it is printed.

    Returns
    -------
    str
        Percent of a count, points of a rate, half up; `—` if either month has no such figure.
    """
    now, then = m.fig(key), m.fig(f"{name}.{key}")
    known = now.over.fact in m.facts and now.over.fact in m.earlier[name].facts
    if not known or now.value is None or then.value is None:
        return NO_RATE
    if now.denominator is not None:
        return _signed(m.words, "points", (now.value - then.value) * 100)
    if then.value == 0:
        return NO_RATE
    return _signed(m.words, "relative", (now.value - then.value) * 100 / then.value)


def _signed(words: Words, template: str, difference: Decimal) -> str:
    size = abs(difference).quantize(HUNDREDTH, ROUND_HALF_UP)
    if size == 0:
        return words.say("no_change").text
    sign = "+" if difference > 0 else "-"
    return words.say(template, sign=sign, points=str(size), percent=str(size)).text


def told(m: Material) -> Iterator[Paragraph]:
    """Yield a paragraph per earlier month: the main changes, or that it was not imported."""
    for name, months in EARLIER.items():
        before = month_text(m.words, month_before(m.scope.month, months))
        key = f"compare.{name}"
        if name in m.earlier:
            yield m.paragraph(key, regime_note(m, m.earlier[name]), _told(m, name))
        else:
            what = m.words.word(name)
            yield m.paragraph(key, m.words.say("compare_missing", before=before, what=what))


def _told(m: Material, name: str) -> Said:
    words, before = m.words, month_text(m.words, m.earlier[name].month)
    parts = [
        words.say(
            "changed_count", name=words.word(row, "row"), n=m.fig(key), change=change
        ).telling(f"{name}.{key}")
        for row, key in ROWS.items()
        if row in TOLD and (change := change_text(m, name, key)) != NO_RATE
    ]
    if not parts:
        return words.say("compare_nothing", before=before)
    return words.say(f"compare_{name}", before=before, parts=words.join("commas", parts))


def regime_note(m: Material, earlier: Earlier) -> Said | None:
    """Return the sentence that keeps a change across regimes from being read as a trend."""
    if not earlier.changes:
        return None
    return m.words.say(
        "regime_break",
        changes=tell_changes(m.words, earlier.changes),
        months=month_text(m.words, earlier.month),
        month=month_text(m.words, m.scope.month),
    )


def city_table(m: Material, shown: Iterable[str] = ROWS) -> Table:
    """Return main figures of the month and of earlier ones, with their changes."""
    words = m.words
    title, first = words.table("compare")
    columns, notes = [first, month_text(words, m.scope.month)], []
    for name, earlier in m.earlier.items():
        columns += [month_text(words, earlier.month), words.word(name)]
        if note := regime_note(m, earlier):
            notes.append(note)
    rows = tuple(
        (
            Cell(words.word(row, "row")),
            _shown(m, key),
            *(
                cell
                for name in m.earlier
                for cell in (_shown(m, f"{name}.{key}"), Cell(change_text(m, name, key)))
            ),
        )
        for row, key in ((row, ROWS[row]) for row in shown)
    )
    return Table("compare", title, tuple(columns), rows, words.join("sentences", notes).text)


def _shown(m: Material, key: str) -> Cell:
    """Return a figure, or a dash if its month has no rows of the fact."""
    name = key.partition(".")[0]
    facts = m.earlier[name].facts if name in EARLIER else m.facts
    return m.cell(key) if m.fig(key).over.fact in facts else Cell(NO_RATE)


def region_table(m: Material, name: str = "previous") -> Table:
    """Return figures of each region and their change since an earlier month."""
    before = m.earlier[name]
    title, *columns = m.words.table("compare_regions", before=month_text(m.words, before.month))
    rows = []
    for area in (*m.scope.regions, *m.scope.rest, m.scope.city):
        keys = [key.format(area=area.key, closing=closing_key(area)) for key in BY_REGION]
        cells = [c for key in keys for c in (_shown(m, key), Cell(change_text(m, name, key)))]
        rows.append((Cell(area.name), *cells))
    note = regime_note(m, before)
    return Table("compare_regions", title, tuple(columns), tuple(rows), note.text if note else "",
                 total_rows=1)  # fmt: skip


def falls(m: Material, name: str) -> tuple[int, int]:
    """Return how many regions have a lower closure rate than in an earlier month, and a higher."""
    pairs: list[tuple[Figure, Figure]] = [
        (m.fig(f"{closing_key(a)}.closure_rate"), m.fig(f"{name}.{closing_key(a)}.closure_rate"))
        for a in m.scope.regions
    ]
    known = [(now.value, then.value) for now, then in pairs]
    both = [(now, then) for now, then in known if now is not None and then is not None]
    return sum(now < then for now, then in both), sum(now > then for now, then in both)
