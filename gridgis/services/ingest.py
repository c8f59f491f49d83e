"""Import files of cases: read, place, store, all or nothing (案件导入)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.intake.read_cases import CaseFile
from gridgis.intake.rejects import RejectWriter
from gridgis.intake.rules import reject_headers
from gridgis.intake.schema import CASE_SCHEMA
from gridgis.services.imports import (
    Counts,
    ImportRequest,
    ImportResult,
    Progress,
    file_facts,
    find_mapping,
    keep_rejects,
    now,
    rejects_path,
    silent,
)
from gridgis.services.plausibility import PointCounts, datum_warnings, region_warnings
from gridgis.services.records import import_records
from gridgis.store.cases import CaseLoad, content_digest, file_digests, region_polygons
from gridgis.store.city import claim_nature
from gridgis.store.engine import begin, roll_back

if TYPE_CHECKING:
    from pathlib import Path

    from gridgis.services.context import Context

DATUM_SAMPLE = 20_000


def import_file(
    context: Context, path: Path, request: ImportRequest, *, progress: Progress = silent
) -> ImportResult:
    """Import one file of any kind of records in one transaction (导入)."""
    chosen = import_cases if request.kind == "cases" else import_records
    return chosen(context, path, request, progress=progress)


def import_cases(
    context: Context,
    path: Path,
    request: ImportRequest,
    *,
    progress: Progress = silent,
) -> ImportResult:
    """
    Import one file of cases in one transaction (导入案件).

    Raises
    ------
    InputError
        If the rejects file would be the file itself.
    SchemaError
        If the file or the mapping is unusable, or if every row is rejected; nothing is stored.
    CrsError
        If no CRS is declared, or if the file states another one.
    StoreUnavailable
        If the database goes away; nothing is stored.
    """
    started_at, target = now(), rejects_path(path, request)
    progress("checking", 0, 0)
    profile = context.profile()
    mapping = find_mapping(profile, request)
    source = CaseFile(
        path,
        mapping=mapping,
        profile=profile,
        crs=request.crs,
        sheet=request.sheet,
        encoding=request.encoding,
    )
    facts = file_facts(path, request, mapping, crs=source.crs or "column", started_at=started_at)
    counts, points = Counts(), PointCounts()
    headers = (*reject_headers(profile.language), *source.file.headers)
    with RejectWriter(target, headers) as writer, begin(context.engine) as tx:
        load = CaseLoad(tx, facts, CASE_SCHEMA, waiting=lambda: progress("waiting", 0, source.rows))
        claim_nature(tx, synthetic=request.synthetic)  # locks too, and says nothing of waiting
        with load.staging() as copy:
            for batch in source.batches():
                copy.write(batch.rows)
                counts.add(batch)
                points.add(batch.rows)
                keep_rejects(batch, writer)
                progress("reading", counts.rows_in, source.rows)
        counts.refuse_no_row(path)
        points.refuse_wrong_crs(path.name, source.crs)
        progress("placing", counts.rows_in, counts.rows_in)
        load.place()
        warnings = [
            *points.warnings(),
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
    return counts.result(
        facts.name,
        (merged.inserted, merged.updated, merged.unchanged),
        rejects_file=written,
        dry_run=request.dry_run,
        placement=merged.placement,
        warnings=warnings,
    )


def case_digest(context: Context) -> tuple[int, str]:
    """Return the number of cases and one hash over all they say and where they lie (内容摘要)."""
    with begin(context.engine) as tx:
        return content_digest(tx)


def imported_digests(context: Context) -> set[str]:
    """Return the SHA-256 of every file that was imported (已导入文件)."""
    with begin(context.engine) as tx:
        return file_digests(tx)
