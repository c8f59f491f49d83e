"""Import files of cases: read, place, store, all or nothing (案件导入)."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gridgis.errors import InputError, SchemaError
from gridgis.intake.mapping import CaseMapping, load_mapping
from gridgis.intake.read_cases import CaseFile
from gridgis.intake.rejects import Reject, RejectWriter, free_path
from gridgis.intake.rules import reject_headers
from gridgis.intake.schema import CASE_SCHEMA
from gridgis.services.plausibility import PointCounts, datum_warnings, region_warnings
from gridgis.store.cases import (
    CaseLoad,
    FileFacts,
    Merged,
    RejectRow,
    content_digest,
    file_digests,
    region_polygons,
)
from gridgis.store.city import claim_nature
from gridgis.store.engine import begin, roll_back

if TYPE_CHECKING:
    from gridgis.intake.read_cases import CaseBatch
    from gridgis.model.profile import CityProfile
    from gridgis.services.context import Context

DATUM_SAMPLE = 20_000
KEPT_REJECTS = 100_000
"""Rejects kept in the database per file; the rejects file holds all."""


class Progress(Protocol):
    """Hears how far an import is (进度)."""

    def __call__(self, step: str, rows: int, total: int) -> None:
        """Take the step (`waiting` for another import), the rows read and those of the file."""


def _silent(step: str, rows: int, total: int) -> None:
    """Show nothing."""


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


def import_cases(
    context: Context,
    path: Path,
    request: ImportRequest,
    *,
    progress: Progress = _silent,
) -> ImportResult:
    """
    Import one file of cases in one transaction (导入案件).

    Raises
    ------
    SchemaError
        If the file or the mapping is unusable, or if every row is rejected; nothing is stored.
    CrsError
        If no CRS is declared, or if the file states another one.
    StoreUnavailable
        If the database goes away; nothing is stored.
    """
    started_at = datetime.now(UTC)
    progress("checking", 0, 0)
    profile = context.profile()
    mapping = find_mapping(profile, request.mapping)
    source = CaseFile(
        path,
        mapping=mapping,
        profile=profile,
        crs=request.crs,
        sheet=request.sheet,
        encoding=request.encoding,
    )
    facts = _facts(path, request, source, mapping, started_at)
    target = request.rejects or free_path(path.with_name(f"{_stem(path)}-rejects.xlsx"))
    headers = (*reject_headers(profile.language), *source.headers)
    with RejectWriter(target, headers) as writer, begin(context.engine) as tx:
        claim_nature(tx, synthetic=request.synthetic)
        load = CaseLoad(tx, facts, CASE_SCHEMA, waiting=lambda: progress("waiting", 0, source.rows))
        counts = _stage(load, source, writer, progress)
        _refuse_no_row(path, counts)
        counts.points.refuse_wrong_crs(path.name, source.crs)
        progress("placing", counts.rows_in, counts.rows_in)
        load.place()
        warnings = [
            *counts.points.warnings(),
            *region_warnings(source.unknown_regions),
            *datum_warnings(path.name, load.datum_sample(DATUM_SAMPLE), region_polygons(tx)),
        ]
        progress("storing", counts.rows_in, counts.rows_in)
        merged = load.merge(
            rows_in=counts.rows_in, rejects=counts.kept, rejected=counts.rejected, warnings=warnings
        )
        written = writer.finish()
        if request.dry_run:
            roll_back(tx)
    return _result(facts.name, counts, merged, warnings, written, dry_run=request.dry_run)


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
        self.points = PointCounts()

    def add(self, batch: CaseBatch) -> None:
        """Count the rows of a batch and keep its rejects, up to a number."""
        self.rows_in += batch.rows_in
        self.rejected += len(batch.rejects)
        self.rules.update(reject.rule for reject in batch.rejects)
        self.first = self.first or next(iter(batch.rejects), None)
        self.points.add(batch.rows)
        self.kept += [
            RejectRow(reject.row_no, reject.column, reject.value, reject.rule, reject.remedy)
            for reject in batch.rejects[: KEPT_REJECTS - len(self.kept)]
        ]


def _facts(
    path: Path,
    request: ImportRequest,
    source: CaseFile,
    mapping: CaseMapping,
    started_at: datetime,
) -> FileFacts:
    return FileFacts(
        kind="cases",
        name=path.name,
        sha256=_sha256(path),
        crs=source.crs or "column",
        mapping=mapping.to_dict(),
        synthetic=request.synthetic,
        started_at=started_at,
    )


def _stage(load: CaseLoad, source: CaseFile, writer: RejectWriter, progress: Progress) -> _Counts:
    """Read the file once: accepted rows to the staging table, the others to the rejects."""
    counts = _Counts()
    with load.staging() as copy:
        for batch in source.batches():
            copy.write(batch.rows)
            counts.add(batch)
            for reject, original in zip(batch.rejects, batch.originals, strict=True):
                writer.write(reject, original)
            progress("reading", counts.rows_in, source.rows)
    return counts


def _result(
    name: str,
    counts: _Counts,
    merged: Merged,
    warnings: list[dict[str, object]],
    rejects_file: Path | None,
    *,
    dry_run: bool,
) -> ImportResult:
    return ImportResult(
        file=name,
        rows_in=counts.rows_in,
        accepted=counts.rows_in - counts.rejected,
        rejected=counts.rejected,
        inserted=merged.inserted,
        updated=merged.updated,
        unchanged=merged.unchanged,
        placement=merged.placement,
        reject_rules=dict(counts.rules.most_common()),
        rejects_file=str(rejects_file) if rejects_file else None,
        warnings=warnings,
        dry_run=dry_run,
    )


def _refuse_no_row(path: Path, counts: _Counts) -> None:
    """Refuse a file without one good row: it is a wrong file or mapping, not data."""
    if counts.rows_in > counts.rejected:
        return
    first = counts.first
    if first is None:
        raise SchemaError(f"{path.name}: the file is empty: all its rows are blank")
    raise SchemaError(
        f"{path.name}: all {counts.rows_in:,} rows were rejected ("
        + ", ".join(f"{rule} {count:,}" for rule, count in counts.rules.most_common())
        + f"); nothing was stored. First: row {first.row_no}, {first.column} = {first.value!r}: "
        f"{first.remedy}. Is it the right file and mapping?",
        rules=dict(counts.rules),
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").rsplit(".", 1)[0]
