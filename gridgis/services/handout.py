"""Write cases and records as a city hands them in: files that import again (台账导出)."""

from __future__ import annotations

import csv
import itertools
from datetime import datetime
from itertools import chain, islice
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from gridgis.errors import InputError, LimitExceeded, NotFoundError
from gridgis.intake.rejects import XLSX_CHARACTERS, XLSX_ROWS, printable, protected
from gridgis.model.ledger import CHECK_RESULTS, RECORD_FIELDS, STAGE_NAMES, WHISTLE_LEVELS
from gridgis.model.period import Period
from gridgis.services.exports import NOTICE
from gridgis.store.engine import begin
from gridgis.store.handout import handed_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gridgis.services.context import Context

LOG = "event_log"
NATURE = {"zh": "数据性质", "en": "Nature of the data"}


def hand_out(
    context: Context,
    kind: str,
    path: Path,
    *,
    month: str | None = None,
    restricted: bool = False,
    progress: Callable[[Path, int], None] = lambda _path, _rows: None,
) -> list[tuple[Path, int]]:
    """
    Write one kind of records to files that `--mapping standard` imports (导出).

    Events are two files: one with a row a case, and `…-log` with the events that a row a case
    cannot hold. A workbook that is full goes on in the next, `…-2.xlsx`.

    Parameters
    ----------
    path : Path
        `.xlsx` or `.csv`.
    month : str, optional
        Only records of this month.
    restricted : bool
        Records of restricted classes (受限类) too: for a local analyst, never for others.

    Returns
    -------
    list of (Path, int)
        Each file and its number of rows.

    Raises
    ------
    InputError
        If the file is neither of these, or the kind is unknown.
    NotFoundError
        If there is no such record.
    """
    suffix = path.suffix.lower()
    if suffix not in _SAVERS:
        raise InputError(f"{path.name}: expected a file that ends in .xlsx or .csv")
    if kind not in RECORD_FIELDS:
        raise InputError(f"kind {kind!r}: expected {', '.join(RECORD_FIELDS)}")
    if month is not None:
        Period.month(month, context.city.time_zone)
    number = None if month is None else int(month.replace("-", ""))
    parts = [(kind, path)]
    if kind == "events":
        parts.append((LOG, path.with_stem(f"{path.stem}-log")))
    written: list[tuple[Path, int]] = []
    with begin(context.engine) as tx:
        for name, target in parts:
            fields, rows = handed_out(tx, name, number, restricted=restricted)
            sheet = _Sheet(context, "events" if name == LOG else name, fields)
            texts = map(sheet.texts, rows)
            first = next(texts, None)
            if first is None:
                continue
            for saved in _SAVERS[suffix](target, sheet.headers, chain([first], texts)):
                progress(*saved)
                written.append(saved)
    if not written:
        raise NotFoundError(f"there are no {kind}" + (f" of {month}" if month else ""))
    return written


def save_table(
    path: Path,
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    zone: ZoneInfo,
    synthetic: bool,
) -> int:
    """
    Write any table to one .xlsx or .csv file, labelled if it is synthetic; return its rows (导出).

    Raises
    ------
    InputError
        If the file is neither of these.
    """
    save = _SAVERS.get(path.suffix.lower())
    if save is None:
        raise InputError(f"{path.name}: expected a file that ends in .xlsx or .csv")
    notice = [NOTICE] if synthetic else []
    named = [*headers, *(["notice"] if synthetic else [])]
    texts = ([*(plain_text(value, zone) for value in row), *notice] for row in rows)
    first = next(texts, None)
    return sum(count for _, count in save(path, named, chain([first] if first else [], texts)))


def plain_text(value: object, zone: ZoneInfo) -> str:
    """Return a value as a text; times are local, without their offset."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).replace(tzinfo=None).isoformat(sep=" ")
    return str(value)


class _Sheet:
    """The headers of one kind in the language of the city, and values as texts."""

    def __init__(self, context: Context, kind: str, fields: tuple[str, ...]) -> None:
        self.chinese = context.city.language.startswith("zh")
        self._zone = ZoneInfo(context.city.time_zone)
        labels = {f.name: f.label_zh if self.chinese else f.label_en for f in RECORD_FIELDS[kind]}
        self._fields = fields
        self._notice = NOTICE if context.city.synthetic else ""
        self.headers = [labels[name] for name in fields]
        self.headers.append(NATURE["zh" if self.chinese else "en"])

    def texts(self, row: Mapping[Any, Any]) -> list[str]:
        """Return one row as texts that read back to the same values."""
        return [*(self._text(name, row[name]) for name in self._fields), self._notice]

    def _text(self, name: str, value: object) -> str:
        if isinstance(value, bool):
            return ("是" if value else "否") if self.chinese else ("yes" if value else "no")
        words: Mapping[str, str] = {
            "stage": STAGE_NAMES, "result": CHECK_RESULTS, "level": WHISTLE_LEVELS,
        }.get(name, {}) if self.chinese else {}  # type: ignore[assignment]  # fmt: skip
        text = plain_text(value, self._zone)
        return words.get(text, text)


def _save_csv(
    path: Path, headers: Sequence[str], rows: Iterable[list[str]]
) -> Iterator[tuple[Path, int]]:
    count = 0
    partial = path.with_name(f".partial-{path.name}")
    with partial.open("w", encoding="utf-8-sig", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(headers)
        for row in rows:
            writer.writerow(map(protected, row))
            count += 1
    partial.replace(path)
    yield path, count


def _save_xlsx(
    path: Path, headers: Sequence[str], rows: Iterable[list[str]]
) -> Iterator[tuple[Path, int]]:
    left = iter(rows)
    for number in itertools.count(1):
        first = next(left, None)
        if first is None and number > 1:
            return
        part = chain([] if first is None else [first], islice(left, XLSX_ROWS - 1))
        target = path if number == 1 else path.with_stem(f"{path.stem}-{number}")
        book = Workbook(write_only=True)
        page = book.create_sheet("gridgis")
        count = -1
        try:
            for row in chain([headers], part):
                cells = [WriteOnlyCell(page, value=_cell_text(value, target)) for value in row]
                for cell in cells:
                    cell.data_type = "s"  # never a formula, never a rounded number
                page.append(cells)
                count += 1
        except BaseException:
            page.close()  # ends the half-written sheet, which else complains when it is collected
            raise
        partial = target.with_name(f".partial-{target.name}")
        book.save(partial)
        partial.replace(target)
        yield target, count


def _cell_text(value: str, path: Path) -> str:
    """Return a text as a workbook can hold it; nothing is cut silently."""
    if len(value) > XLSX_CHARACTERS:
        raise LimitExceeded(
            f"{path.name}: a text of {len(value):,} characters, a cell holds {XLSX_CHARACTERS:,}: "
            "name a .csv file instead"
        )
    return printable(value)


_SAVERS = {".csv": _save_csv, ".xlsx": _save_xlsx}
