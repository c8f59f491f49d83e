"""Import events, tasks, complaints, call-backs, whistles and checks (台账导入)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gridgis.intake.read_records import RecordFile
from gridgis.intake.rejects import Reject, RejectWriter
from gridgis.intake.rules import reject_headers, remedy
from gridgis.intake.schema import RECORD_SCHEMAS
from gridgis.model.ledger import STAGE_NAMES
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
from gridgis.store.city import claim_nature
from gridgis.store.engine import begin, roll_back
from gridgis.store.ledger import LateReject, RecordLoad

if TYPE_CHECKING:
    from pathlib import Path

    from gridgis.services.context import Context

_NOTHING = {"zh": "无", "en": "nothing"}
_SUBSTANDARD = {"zh": "核查不合格", "en": "a check that was not passed"}


def import_records(
    context: Context, path: Path, request: ImportRequest, *, progress: Progress = silent
) -> ImportResult:
    """
    Import one file of records beside the cases in one transaction (导入台账记录).

    A row that does not fit what is stored (its case is not there, its stage cannot follow the
    one before) is rejected like any other bad row.

    Raises
    ------
    InputError
        If the rejects file would be the file itself.
    SchemaError
        If the file or the mapping is unusable, or if every row is rejected; nothing is stored.
    StoreUnavailable
        If the database goes away; nothing is stored.
    """
    started_at, target = now(), rejects_path(path, request)
    progress("checking", 0, 0)
    profile = context.profile()
    mapping = find_mapping(profile, request)
    source = RecordFile(
        path, mapping=mapping, profile=profile, sheet=request.sheet, encoding=request.encoding
    )
    facts = file_facts(path, request, mapping, crs="", started_at=started_at)
    headers = (*reject_headers(profile.language), *source.file.headers)
    counts = Counts()
    with RejectWriter(target, headers) as writer, begin(context.engine) as tx:
        load = RecordLoad(
            tx,
            facts,
            RECORD_SCHEMAS[request.kind],
            given={*source.file.columns, *mapping.constants},
            waiting=lambda: progress("waiting", 0, source.rows),
        )
        claim_nature(tx, synthetic=request.synthetic)
        with load.staging() as copy:
            for batch in source.batches():
                copy.write(batch.rows)
                counts.add(batch)
                keep_rejects(batch, writer)
                progress("reading", counts.rows_in, source.rows)
        progress("checking", counts.rows_in, counts.rows_in)
        late = _explained(load.late_rejects(), source, profile.language)
        counts.reject(late.values())
        _write_late(late, source, writer)
        counts.refuse_no_row(path)
        progress("storing", counts.rows_in, counts.rows_in)
        stored = load.merge(rows_in=counts.rows_in, rejects=counts.kept, rejected=counts.rejected)
        written = writer.finish()
        if request.dry_run:
            roll_back(tx)
    return counts.result(
        facts.name,
        (stored.inserted, stored.updated, stored.unchanged),
        rejects_file=written,
        dry_run=request.dry_run,
    )


def _explained(rejects: list[LateReject], source: RecordFile, language: str) -> dict[int, Reject]:
    """Return late rejects by row, in the words of the file and the language of the city."""
    words = "zh" if language.startswith("zh") else "en"
    stages = {str(stage): name if words == "zh" else str(stage)
              for stage, name in STAGE_NAMES.items()}  # fmt: skip
    stages |= {"": _NOTHING[words], "substandard": _SUBSTANDARD[words]}
    found = {}
    for late in rejects:
        facts = {key: stages.get(text, text) for key, text in late.facts.items()}
        column = source.file.columns.get(late.field, late.field)
        text = remedy(late.rule, language, value=late.value, column=column, **facts)
        value = stages.get(late.value, late.value)
        found[late.row_no] = Reject(late.row_no, column, value, late.rule, text)
    return found


def _write_late(late: dict[int, Reject], source: RecordFile, writer: RejectWriter) -> None:
    """Fetch the original rows of late rejects and give them to the rejects file."""
    if late:
        for number, original in source.file.originals(set(late)):
            writer.write(late[number], original)
