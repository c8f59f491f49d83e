"""Import files of cases: read, place, store, all or nothing (案件导入)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridgis.errors import InputError, SchemaError
from gridgis.intake.mapping import CaseMapping, load_mapping
from gridgis.intake.points import datum_check
from gridgis.intake.read_cases import CaseFile
from gridgis.intake.rejects import Reject, RejectWriter
from gridgis.intake.validate import CASE_SCHEMA
from gridgis.store.cases import (
    CaseLoad,
    FileFacts,
    RejectRow,
    content_digest,
    file_digests,
    region_polygons,
)
from gridgis.store.city import claim_nature
from gridgis.store.engine import begin

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gridgis.model.profile import CityProfile
    from gridgis.services.context import Context

    FloatArray = NDArray[np.float64]

DATUM_SAMPLE = 20_000
KEPT_REJECTS = 100_000
"""Rejects kept in the database per file; the rejects file holds all."""

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """How one file is to be imported (导入参数)."""

    crs: str | None
    mapping: str = "cases"
    sheet: str | None = None
    encoding: str | None = None
    dry_run: bool = False
    rejects: Path | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What became of a file: rows_in = accepted + rejected (导入结果)."""

    file: str
    rows_in: int
    accepted: int
    rejected: int
    inserted: int
    updated: int
    unchanged: int
    placement: dict[str, int]
    reject_rules: dict[str, int]
    rejects_file: str | None
    warnings: list[dict[str, object]]
    dry_run: bool

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


class _DryRunDone(Exception):  # noqa: N818 - not an error: it rolls the trial back
    """Carries the result of a dry run out of its transaction."""

    def __init__(self, result: ImportResult) -> None:
        super().__init__("dry run")
        self.result = result


def import_cases(
    context: Context,
    path: Path,
    request: ImportRequest,
    *,
    progress: Progress = lambda _: None,
) -> ImportResult:
    """
    Import one file of cases in one transaction (导入案件).

    Raises
    ------
    SchemaError
        If the file or the mapping is unusable, or if every row is rejected; nothing is stored.
    CrsError
        If no CRS is declared.
    """
    profile = context.profile()
    mapping = find_mapping(profile, request.mapping)
    source = CaseFile(path, mapping=mapping, profile=profile, crs=request.crs,
                      sheet=request.sheet, encoding=request.encoding)  # fmt: skip
    facts = FileFacts(
        kind="cases", name=path.name, sha256=_sha256(path), crs=source.crs or "column",
        mapping=mapping.to_dict(), synthetic=request.synthetic, started_at=datetime.now(UTC),
    )  # fmt: skip
    target = request.rejects or path.with_name(f"{_stem(path)}-rejects.xlsx")
    try:
        with RejectWriter(target, source.headers) as writer, begin(context.engine) as tx:
            claim_nature(tx, synthetic=request.synthetic)
            load = CaseLoad(tx, facts, CASE_SCHEMA)
            counts = _stage(load, source, writer, progress)
            load.place()
            warnings = _warnings(load, source, region_polygons(tx))
            merged = load.merge(rows_in=counts.rows_in, rejects=counts.kept,
                                rejected=counts.rejected, warnings=warnings)  # fmt: skip
            result = ImportResult(
                path.name, counts.rows_in, counts.rows_in - counts.rejected, counts.rejected,
                merged.inserted, merged.updated, merged.unchanged, merged.placement,
                dict(counts.rules.most_common()), str(target) if counts.rejected else None,
                warnings, request.dry_run,
            )  # fmt: skip
            _refuse_all_rejected(result, counts)
            if request.dry_run:
                raise _DryRunDone(result)
    except _DryRunDone as done:
        return done.result
    return result


def find_mapping(profile: CityProfile, name: str) -> CaseMapping:
    """Return a mapping by path, or by its name in the city profile."""
    if name in profile.mappings:
        return load_mapping(profile.mappings[name])
    path = Path(name)
    if path.suffix == ".toml" or path.exists():
        return load_mapping(path)
    raise InputError(
        f"mapping {name!r}: neither a file nor one of the profile's "
        f"({', '.join(sorted(profile.mappings)) or 'none'}); draft one with `gridgis cases mapping "
        "suggest FILE`"
    )


def case_digest(context: Context) -> tuple[int, str]:
    """Return the number of cases and one hash over all they say and where they lie (内容摘要)."""
    with begin(context.engine) as tx:
        return content_digest(tx)


def imported_digests(context: Context) -> set[str]:
    """Return the SHA-256 of every file that was imported (已导入文件)."""
    with begin(context.engine) as tx:
        return file_digests(tx)


class _Counts:
    """Running totals of one file."""

    def __init__(self) -> None:
        self.rows_in = 0
        self.rejected = 0
        self.rules: Counter[str] = Counter()
        self.kept: list[RejectRow] = []
        self.first: Reject | None = None


def _stage(load: CaseLoad, source: CaseFile, writer: RejectWriter, progress: Progress) -> _Counts:
    counts = _Counts()
    for batch in source.batches():
        load.add(batch.rows)
        for reject, original in zip(batch.rejects, batch.originals, strict=True):
            writer.write(reject, original)
            counts.rules[reject.rule] += 1
            counts.first = counts.first or reject
            if len(counts.kept) < KEPT_REJECTS:
                counts.kept.append(RejectRow(reject.row_no, reject.column, reject.value,
                                             reject.rule, reject.remedy))  # fmt: skip
        counts.rows_in += batch.rows_in
        counts.rejected += len(batch.rejects)
        progress(counts.rows_in)
    return counts


def _refuse_all_rejected(result: ImportResult, counts: _Counts) -> None:
    """A file without one good row is a wrong mapping, not data."""
    if result.accepted or counts.first is None:
        return
    first = counts.first
    raise SchemaError(
        f"{result.file}: all {result.rows_in:,} rows were rejected ("
        + ", ".join(f"{rule} {count:,}" for rule, count in counts.rules.most_common())
        + f"); nothing was stored. First: row {first.row_no}, {first.column} = {first.value!r}: "
        f"{first.remedy}. Is it the right file and mapping?",
        rules=dict(counts.rules),
    )


def _warnings(
    load: CaseLoad, source: CaseFile, polygons: list[tuple[str, bytes]]
) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    if source.unknown_regions:
        most = sorted(source.unknown_regions.items(), key=lambda pair: -pair[1])
        listed = "、".join(f"{name}（{count}）" for name, count in most[:10])
        found.append({"code": "unknown_region", "message": (
            f"{sum(source.unknown_regions.values()):,} rows state a region that the profile does "
            f"not know, so the statement was not used: {listed}. Add an alias in regions.csv"
        )})  # fmt: skip
    rows = load.datum_sample(DATUM_SAMPLE)
    shapes = {code: shapely.from_wkb(wkb) for code, wkb in polygons}
    for datum in sorted({str(row[2]) for row in rows}):
        if datum.startswith("EPSG:"):
            continue
        own = [row for row in rows if row[2] == datum]
        verdict = datum_check(
            *_columns(own, 0, 1), declared="wgs84" if datum == "cgcs2000" else datum,
            stated=np.array([row[3] for row in own], dtype=object),
            region_of=lambda lon, lat: _covering(shapes, lon, lat),
            cell_lon=_columns(own, 4, 5)[0], cell_lat=_columns(own, 4, 5)[1],
        )  # fmt: skip
        if verdict.suspect is not None:
            found.append({"code": "suspect_datum", "message": f"{source.table.name} {verdict.message}",
                          "evidence": verdict.evidence})  # fmt: skip
    return found


def _columns(rows: list[tuple[object, ...]], *at: int) -> tuple[FloatArray, ...]:
    return tuple(np.array([row[i] for row in rows], dtype=np.float64) for i in at)


def _covering(
    shapes: dict[str, shapely.Geometry], lon: FloatArray, lat: FloatArray
) -> list[set[str]]:
    """Return the region codes that cover each point."""
    found: list[set[str]] = [set() for _ in range(len(lon))]
    points = shapely.points(lon, lat)
    tree = shapely.STRtree(points)
    for code, shape in shapes.items():
        for position in tree.query(shape, predicate="covers"):
            found[int(position)].add(code)
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]
