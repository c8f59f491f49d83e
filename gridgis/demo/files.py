"""Write the synthetic ledger as a city would hand it in (合成文件)."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pacsv
from openpyxl import Workbook

from gridgis.demo.ledger import Ledger, close_before, make_month, month_rng
from gridgis.demo.margins import vary
from gridgis.demo.places import read_ground
from gridgis.demo.plan import make_ledger, set_stamps
from gridgis.demo.spec import DemoSpec, read_spec
from gridgis.demo.tables import (
    NATURE,
    callback_table,
    check_table,
    complaint_table,
    event_table,
    log_table,
    task_table,
    whistle_table,
)
from gridgis.model.case import CASE_FIELDS, FieldKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gridgis.demo.places import Ground
    from gridgis.demo.plan import CaseLedger
    from gridgis.model.profile import CityProfile

_SOURCE = {"source": "source_name"}
_LEFT_OUT = {"crs", "voided_at", "suspended_at"}
_FIELDS = [entry for entry in CASE_FIELDS if entry.name not in _LEFT_OUT]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class DemoFile:
    """One file of the demo and how to import it."""

    path: str
    crs: str
    """Of cases; empty for other records."""
    rows: int
    """Data rows, repeats included."""
    month: str
    note: str
    sha256: str
    kind: str = "cases"
    """Of the records: `cases`, `events`, `tasks` …"""
    mapping: str = ""
    """Name of a mapping of the profile; empty: the one called like the kind."""


@dataclass(frozen=True, slots=True)
class DemoManifest:
    """All files of a demo, in the order of import."""

    city: str
    profile_version: str
    months: tuple[str, ...]
    files: tuple[DemoFile, ...]
    synthetic: bool = True

    def save(self, path: Path) -> None:
        """Write the manifest as JSON."""
        path.write_text(json.dumps(asdict(self), ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> DemoManifest:
        """Read a manifest."""
        given = json.loads(path.read_text(encoding="utf-8"))
        return cls(given["city"], given["profile_version"], tuple(given["months"]),
                   tuple(DemoFile(**entry) for entry in given["files"]))  # fmt: skip


def write_demo(
    profile: CityProfile,
    folder: Path,
    *,
    months: int = 3,
    progress: Progress = lambda _label, _done, _total: None,
) -> DemoManifest:
    """
    Write the synthetic cases of the last months, and the ledger of the last two (合成数据).

    The last month is calibrated. The same profile gives the same bytes, and what is written of a
    month does not depend on how many are. Files carry the city's own headers and a column that
    says 合成数据.

    Raises
    ------
    ProfileInvalid
        If the profile cannot meet the targets of its `demo.toml`.
    """
    spec = read_spec(profile)
    folder.mkdir(parents=True, exist_ok=True)
    progress("areas", 0, months)
    ground = read_ground(profile)
    last = np.datetime64(spec.last_month, "M")
    wanted = [str(last - back) for back in range(months - 1, -1, -1)]
    pair = (str(last - 1), str(last))
    files: list[DemoFile] = []
    for done, month in enumerate(wanted):
        progress(month, done, months)
        if month not in pair:
            part = _make(profile, spec, ground, month)
            close_before(part, pair[0], month_rng(spec, month, stream=1))
            files += _write_cases(folder, part, spec)
    first, second = (_make(profile, spec, ground, month) for month in pair)
    ledger = make_ledger(profile, spec, (first, second))
    set_stamps((first, second), ledger)
    kept = [(number, part) for number, part in enumerate((first, second)) if part.month in wanted]
    for _, part in kept:
        files += _write_cases(folder, part, spec)
    files += _write_ledger(profile, folder, spec, ledger, kept)
    manifest = DemoManifest(profile.code, profile.version, tuple(wanted), tuple(files))
    manifest.save(folder / "manifest.json")
    progress("done", months, months)
    return manifest


def _make(profile: CityProfile, spec: DemoSpec, ground: Ground, month: str) -> Ledger:
    rng = month_rng(spec, month)
    margins = spec if month == spec.last_month else vary(spec, rng)
    return make_month(profile, margins, ground, month, rng=rng)


def _write_ledger(
    profile: CityProfile,
    folder: Path,
    spec: DemoSpec,
    ledger: CaseLedger,
    parts: list[tuple[int, Ledger]],
) -> Iterator[DemoFile]:
    """Write everything beside the cases, kind by kind, in the order of import."""

    def by_month(
        kind: str, table: Callable[[Ledger, int], pd.DataFrame], stem: str, note: str
    ) -> Iterator[DemoFile]:
        for number, part in parts:
            path = folder / f"{stem}-{part.month}.csv"
            entry = _csv(path, table(part, number), "", part.month, note)
            yield replace(entry, kind=kind, mapping="" if stem == kind else stem)

    yield from by_month("events", partial(event_table, ledger), "events", "a row a case")
    yield from by_month("events", partial(log_table, ledger), "event-log", "a row an event")
    yield from by_month("tasks", partial(task_table, ledger), "tasks", "dispatch tasks")
    complaints = partial(complaint_table, profile, spec, ledger)
    yield from by_month("complaints", complaints, "complaints", "complaints")
    yield from by_month("callbacks", lambda _, n: callback_table(ledger, n), "callbacks",
                        "call-backs")  # fmt: skip
    whistles = whistle_table(profile, spec, ledger)
    entry = _csv(folder / "whistles.csv", whistles, "", spec.last_month, "whistles of two months")
    yield replace(entry, kind="whistles")
    yield from by_month("checks", lambda _, n: check_table(ledger, n), "checks", "spot checks")


def _write_cases(folder: Path, ledger: Ledger, spec: DemoSpec) -> Iterator[DemoFile]:
    """Hand the cases of a month in as several files; the calibrated one in many formats."""
    table, month, batch = _table(ledger.rows), ledger.month, ledger.batch
    calibrated = month == spec.last_month
    source = ledger.rows["source"].to_numpy()
    own_format = calibrated & (batch == "main")
    hotline, wechat = own_format & (source == "hotline_12345"), own_format & (source == "wechat")
    shifted, wrong = batch == "gcj02", batch == "wrong_datum"
    main = table[~(hotline | wechat | shifted | wrong)]
    if calibrated:
        main = pd.concat([main, _repeats(main, spec)], ignore_index=True)
    yield _csv(folder / f"cases-{month}.csv", main, "wgs84", month, "main")
    yield _csv(folder / f"cases-{month}-gcj02.csv", table[shifted], "gcj02", month, "GCJ-02 batch")
    yield _csv(folder / f"cases-{month}-survey.csv", table[wrong], "wgs84", month,
               "GCJ-02 numbers declared as WGS84, on purpose")  # fmt: skip
    if calibrated:
        yield _xlsx(folder / f"cases-{month}-12345.xlsx", table[hotline], month)
        yield _gb18030(folder / f"cases-{month}-wechat.csv", table[wechat], month)


def _table(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows under the city's own headers."""
    columns: dict[str, object] = {}
    for entry in _FIELDS:
        column = rows[_SOURCE.get(entry.name, entry.name)]
        if entry.kind is FieldKind.BOOL:
            column = column.map({True: "是", False: "否"})
        columns[entry.label_zh] = column
    columns[NATURE[0]] = NATURE[1]
    return pd.DataFrame(columns)


def _repeats(main: pd.DataFrame, spec: DemoSpec) -> pd.DataFrame:
    """Identical repeats, and rows that reuse a number with other content."""
    identical = main.iloc[:: max(1, len(main) // spec.defects.repeated_rows)]
    identical = identical.head(spec.defects.repeated_rows)
    conflicting = main.tail(spec.defects.conflicting_rows).copy()
    conflicting["问题描述"] = "合成数据：编号重复"
    return pd.concat([identical, conflicting])


def _csv(path: Path, table: pd.DataFrame, crs: str, month: str, note: str) -> DemoFile:
    arrow = pa.Table.from_pandas(_seconds(table), preserve_index=False)
    pacsv.write_csv(arrow, path, pacsv.WriteOptions(quoting_style="needed"))
    return _entry(path, crs, len(table), month, note)


def _gb18030(path: Path, table: pd.DataFrame, month: str) -> DemoFile:
    with path.open("w", encoding="gb18030", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(table.columns)
        writer.writerows(_texts(table))
    return _entry(path, "wgs84", len(table), month, "GB18030 csv")


def _xlsx(path: Path, table: pd.DataFrame, month: str) -> DemoFile:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("案件")
    sheet.append([f"{month} 12345 热线转办案件（合成数据）"])
    sheet.append(list(table.columns))
    for row in _texts(table):
        sheet.append(row)
    book.save(path)
    return _entry(path, "wgs84", len(table), month, "xlsx with a title row")


def _entry(path: Path, crs: str, rows: int, month: str, note: str) -> DemoFile:
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return DemoFile(path.name, crs, rows, month, note, digest)


def _texts(table: pd.DataFrame) -> list[list[str]]:
    plain = _seconds(table).astype(object)
    return [
        ["" if value is None or value is pd.NaT or value != value else str(value) for value in row]  # noqa: PLR0124
        for row in plain.itertuples(index=False, name=None)
    ]


def _seconds(table: pd.DataFrame) -> pd.DataFrame:
    """Return times to the second, so that files show no fraction."""
    times = [name for name in table.columns if pd.api.types.is_datetime64_any_dtype(table[name])]
    return table.assign(**{name: table[name].astype("datetime64[s]") for name in times})
