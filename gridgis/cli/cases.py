"""`gridgis cases …`: import and look-up (案件)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.find import find
from gridgis.cli.open_work import lateness_command, open_command
from gridgis.cli.output import JsonFlag, fields, note, progress, say, say_json
from gridgis.config import Settings
from gridgis.errors import InputError
from gridgis.intake.suggest import suggest_mapping
from gridgis.model.ledger import RECORD_FIELDS
from gridgis.services import ingest
from gridgis.services.context import Context, open_context
from gridgis.services.handout import hand_out
from gridgis.services.imports import ImportRequest, ImportResult

app = typer.Typer(help="Import and look up cases (案件).", no_args_is_help=True)
mapping_app = typer.Typer(help="Column mappings (列映射).", no_args_is_help=True)
app.add_typer(mapping_app, name="mapping")
app.command("find")(find)
app.command("open")(open_command)
app.command("lateness")(lateness_command)

_STEPS = {"waiting": "waiting for another import to end"}
Sheet = Annotated[
    str | None, typer.Option(help="Sheet of a workbook (default the first), or layer of a gpkg.")
]
Encoding = Annotated[str | None, typer.Option(help="Such as gb18030 or cp1252; default: detected.")]


@app.command("import")
def import_command(  # noqa: PLR0913 - the options of the command, each by name
    files: Annotated[
        list[Path], typer.Argument(help="csv(.gz), xlsx, xls, geojson, gpkg, parquet.")
    ],
    *,
    crs: Annotated[
        str | None,
        typer.Option(
            help="CRS of the coordinates: wgs84, cgcs2000, gcj02, bd09 or EPSG:n. "
            "Mandatory for cases with coordinates: it is never guessed."
        ),
    ] = None,
    kind: Annotated[
        str, typer.Option(help=f"What the rows are: {', '.join(RECORD_FIELDS)}.")
    ] = "cases",
    mapping: Annotated[
        str | None,
        typer.Option(
            help="Mapping file, or the name of one in the city profile; default the kind."
        ),
    ] = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    dry_run: Annotated[bool, typer.Option(help="Read and place, store nothing.")] = False,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rejected rows go (.xlsx or .csv).")
    ] = None,
    synthetic: Annotated[bool, typer.Option(help="The rows are synthetic (合成数据).")] = False,
    as_json: JsonFlag = False,
) -> None:
    """
    Import files of cases; good rows go in, bad rows go to the rejects file (导入案件).

    Each file is one transaction: interrupted at any moment, it leaves the database as it was,
    and running it again gives the same end state.
    """
    if kind not in RECORD_FIELDS:
        raise InputError(f"kind {kind!r}: expected {', '.join(RECORD_FIELDS)}")
    if rejects is not None and len(files) > 1:
        raise InputError("--rejects names one file: import the files one by one, or leave it out")
    request = ImportRequest(
        crs=crs,
        kind=kind,
        mapping=mapping,
        sheet=sheet,
        encoding=encoding,
        dry_run=dry_run,
        rejects=rejects,
        synthetic=synthetic,
    )
    with _city() as context:
        results = [import_file(context, path, request, tell=not as_json) for path in files]
    if as_json:
        say_json([result.to_dict() for result in results])


@app.command("export")
def export_command(
    *,
    out: Annotated[Path, typer.Option(help="Target file: .xlsx or .csv.")],
    kind: Annotated[str, typer.Option(help=f"What to write: {', '.join(RECORD_FIELDS)}.")],
    month: Annotated[
        str | None, typer.Option(help="Only this month, YYYY-MM; default all.")
    ] = None,
    restricted: Annotated[
        bool, typer.Option("--restricted", help="With restricted classes (受限类); keep it local.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """
    Write cases or records to files that `--mapping standard` imports again (导出台账).

    A workbook that is full goes on in the next; events that a row a case cannot hold follow in a
    file of their own, to be imported after it.
    """
    with _city() as context:
        files = hand_out(
            context,
            kind,
            out,
            month=month,
            restricted=restricted,
            progress=lambda path, rows: note(f"wrote {path}: {rows:,} rows"),
        )
    if as_json:
        say_json([{"file": str(path), "rows": rows} for path, rows in files])
    else:
        say(f"wrote {sum(rows for _, rows in files):,} rows to {len(files)} file(s)")


@contextmanager
def _city() -> Iterator[Context]:
    """Open the city in use, and leave no connection behind."""
    context = open_context(Settings())
    try:
        yield context
    finally:
        context.engine.dispose()


def import_file(
    context: Context, path: Path, request: ImportRequest, *, tell: bool = True
) -> ImportResult:
    """Import one file with a progress bar and, for people, say what became of it."""
    with progress(path.name, None) as bar:
        task = bar.task_ids[0]

        def show(step: str, rows: int, total: int) -> None:
            label = f"{path.name}: {_STEPS.get(step, step)}"
            bar.update(task, description=label, completed=rows, total=total or None)

        result = ingest.import_file(context, path, request, progress=show)
    if tell:
        _say_result(path, result)
    return result


def _say_result(path: Path, result: ImportResult) -> None:
    stored = (
        "dry run, nothing stored"
        if result.dry_run
        else (
            f"{result.inserted:,} new, {result.updated:,} changed, {result.unchanged:,} unchanged"
        )
    )
    say(
        f"{path.name}: {result.rows_in:,} rows = {result.accepted:,} accepted + "
        f"{result.rejected:,} rejected; {stored}"
    )
    if result.placement:
        say("  placed: " + fields(result.placement))
    if result.reject_rules:
        say("  rejected: " + fields(result.reject_rules))
        say(f"  rejected rows with reasons: {result.rejects_file}")
    for warning in result.warnings:
        say(f"  WARNING {warning['message']}")


@mapping_app.command("suggest")
def suggest(
    file: Annotated[Path, typer.Argument(help="A file with the city's own columns.")],
    *,
    sheet: Sheet = None,
    encoding: Encoding = None,
    out: Annotated[Path | None, typer.Option(help="Write the draft here.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Draft a mapping from a file's headers and values (建议列映射)."""
    with _city() as context:
        profile = context.profile()
    draft = suggest_mapping(file, profile=profile, sheet=sheet, encoding=encoding)
    if out is not None:
        out.write_text(draft.text, encoding="utf-8")
    if as_json:
        say_json({"mapping": draft.text, "missing": draft.missing})
    elif out is None:
        say(draft.text)
    else:
        say(f"wrote {out}: read it, complete it, and pass it as --mapping {out}")
    if draft.missing:
        note(f"not found, but required: {', '.join(draft.missing)}")
