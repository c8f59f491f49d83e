"""What every import has: how it is asked for, what became of it, its rejects (导入共用)."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gridgis.errors import InputError, SchemaError
from gridgis.intake.mapping import CaseMapping, load_mapping, standard_mapping
from gridgis.intake.rejects import Reject, free_path
from gridgis.store.imports import FileFacts, RejectRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gridgis.intake.read_records import Batch
    from gridgis.intake.rejects import RejectWriter
    from gridgis.model.profile import CityProfile

KEPT_REJECTS = 100_000
"""Rejects kept in the database per file; the rejects file holds all."""


class Progress(Protocol):
    """Hears how far an import is (进度)."""

    def __call__(self, step: str, rows: int, total: int) -> None:
        """Take the step (`waiting` for another import), the rows read and those of the file."""


def silent(step: str, rows: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """How one file is to be imported (导入参数)."""

    crs: str | None = None
    kind: str = "cases"
    mapping: str | None = None
    """A file, or the name of one in the profile; default the one called like the kind."""
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
    reject_rules: dict[str, int]
    rejects_file: str | None
    dry_run: bool
    placement: dict[str, int] = field(default_factory=dict)
    """How the rows of a file of cases were placed."""
    warnings: list[dict[str, object]] = field(default_factory=list)

    def to_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def find_mapping(profile: CityProfile, request: ImportRequest) -> CaseMapping:
    """
    Return the mapping of a request: by path, or by its name in the city profile.

    Raises
    ------
    InputError
        If there is no such mapping, or if it is one of another kind of records.
    """
    name = request.mapping or request.kind
    path = Path(name)
    if name == "standard":
        return standard_mapping(request.kind)
    if name in profile.mappings:
        mapping = load_mapping(profile.mappings[name])
    elif path.suffix == ".toml" or path.exists():
        mapping = load_mapping(path)
    else:
        raise InputError(
            f"mapping {name!r}: neither a file, nor `standard`, nor one of the profile's "
            f"({', '.join(sorted(profile.mappings)) or 'none'}); draft one with `gridgis cases "
            "mapping suggest FILE`"
        )
    if mapping.kind != request.kind:
        raise InputError(
            f"mapping {mapping.name} is for {mapping.kind}, not for {request.kind}: pass "
            f'--kind {mapping.kind}, or say [file] kind = "{request.kind}" in it'
        )
    return mapping


class Counts:
    """Running totals of one file."""

    def __init__(self) -> None:
        self.rows_in = 0
        self.rejected = 0
        self.rules: Counter[str] = Counter()
        self.kept: list[RejectRow] = []
        self.first: Reject | None = None

    def add(self, batch: Batch) -> None:
        """Count the rows of a batch and keep its rejects, up to a number."""
        self.rows_in += batch.rows_in
        self.rejected += len(batch.rejects)
        self.rules.update(reject.rule for reject in batch.rejects)
        self.first = self.first or next(iter(batch.rejects), None)
        self._keep(batch.rejects)

    def reject(self, late: Iterable[Reject]) -> None:
        """Count rows that were refused after all had been read."""
        rejects = list(late)
        self.rejected += len(rejects)
        self.rules.update(reject.rule for reject in rejects)
        self.first = self.first or next(iter(rejects), None)
        self._keep(rejects)

    def refuse_no_row(self, path: Path) -> None:
        """Refuse a file without one good row: it is a wrong file or mapping, not data."""
        if self.rows_in > self.rejected:
            return
        first = self.first
        if first is None:
            raise SchemaError(f"{path.name}: the file is empty: all its rows are blank")
        raise SchemaError(
            f"{path.name}: all {self.rows_in:,} rows were rejected ("
            + ", ".join(f"{rule} {count:,}" for rule, count in self.rules.most_common())
            + f"); nothing was stored. First: row {first.row_no}, {first.column} = "
            f"{first.value!r}: {first.remedy}. Is it the right file and mapping?",
            rules=dict(self.rules),
        )

    def result(
        self,
        file: str,
        changed: tuple[int, int, int],
        *,
        rejects_file: Path | None,
        dry_run: bool,
        placement: dict[str, int] | None = None,
        warnings: list[dict[str, object]] | None = None,
    ) -> ImportResult:
        """Return what became of the file; `changed` counts new, changed and unchanged rows."""
        inserted, updated, unchanged = changed
        return ImportResult(
            file=file,
            rows_in=self.rows_in,
            accepted=self.rows_in - self.rejected,
            rejected=self.rejected,
            inserted=inserted,
            updated=updated,
            unchanged=unchanged,
            reject_rules=dict(self.rules.most_common()),
            rejects_file=str(rejects_file) if rejects_file else None,
            dry_run=dry_run,
            placement=placement or {},
            warnings=warnings or [],
        )

    def _keep(self, rejects: list[Reject]) -> None:
        self.kept += [
            RejectRow(reject.row_no, reject.column, reject.value, reject.rule, reject.remedy)
            for reject in rejects[: KEPT_REJECTS - len(self.kept)]
        ]


def file_facts(
    path: Path, request: ImportRequest, mapping: CaseMapping, *, crs: str, started_at: datetime
) -> FileFacts:
    """Return what is known about a file before its rows."""
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return FileFacts(
        kind=request.kind,
        name=path.name,
        sha256=digest,
        crs=crs,
        mapping=mapping.to_dict(),
        synthetic=request.synthetic,
        started_at=started_at,
    )


def rejects_path(path: Path, request: ImportRequest) -> Path:
    """
    Return where the rejected rows of a file go.

    Raises
    ------
    InputError
        If that is the file itself, by whatever name.
    """
    if request.rejects is None:
        stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
        return free_path(path.with_name(f"{stem}-rejects.xlsx"))
    if path.exists() and request.rejects.exists() and request.rejects.samefile(path):
        raise InputError(
            f"--rejects {request.rejects}: that is the file to import, and it would be written "
            "over: name another one"
        )
    return request.rejects


def now() -> datetime:
    """Return the time at which an import begins."""
    return datetime.now(UTC)


def keep_rejects(batch: Batch, writer: RejectWriter) -> None:
    """Give the rejected rows of a batch to the rejects file."""
    for reject, original in zip(batch.rejects, batch.originals, strict=True):
        writer.write(reject, original)
