"""`gridgis report …`: the monthly report, made, written, edited and signed (月报)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridgis.cli.output import JsonFlag, note, say, say_json, say_table
from gridgis.config import Settings
from gridgis.errors import InputError
from gridgis.model.report import Paragraph, ReportModel
from gridgis.report.forms import FORMATS, file_name, write_report
from gridgis.services import report
from gridgis.services.context import Context, open_context

app = typer.Typer(
    help="The monthly report: make, write, edit, sign (月报).", invoke_without_command=True
)

Month = Annotated[str, typer.Option(help="Month as YYYY-MM.")]
Region = Annotated[
    str | None,
    typer.Option(help="Region code: its two-page brief; `leaders`: one page for the leaders."),
]
Formats = Annotated[str, typer.Option("--format", help=f"Some of {','.join(FORMATS)}.")]
Out = Annotated[Path, typer.Option(help="Folder to write into.")]
IssueNumber = Annotated[int | None, typer.Option(help="Number of the issue; default the newest.")]


@app.callback()
def make_command(
    command: typer.Context,
    *,
    month: Annotated[str | None, typer.Option(help="Month as YYYY-MM.")] = None,
    region: Region = None,
    formats: Formats = "docx,pdf,xlsx",
    out: Annotated[Path | None, typer.Option(help="Folder to write into.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """
    Make the report of a month from the data as they are now, keep it as draft and write it (月报).

    A signed issue stays as it is: made again, the report is the next issue and says what differs.
    """
    if command.invoked_subcommand is not None:
        return
    if month is None or (out is None and not as_json):
        raise InputError("a report needs --month YYYY-MM and --out FOLDER (or --json)")
    context = open_context(Settings())
    note(f"making the report of {month} …")
    made = report.make_report(context, month, region=region)
    if as_json:
        say_json(made.to_dict())
    if out is not None:
        _write(context, made, formats, out)


@app.command("write")
def write_command(
    *,
    month: Month,
    out: Out,
    region: Region = None,
    issue: IssueNumber = None,
    formats: Formats = "docx,pdf,xlsx",
) -> None:
    """Write a stored issue again, as it was made."""
    context = open_context(Settings())
    stored = report.read_report(context, month, region=region, issue=issue)
    _write(context, stored, formats, out)


@app.command("sign")
def sign_command(
    *,
    month: Month,
    by: Annotated[str, typer.Option(help="Who signs.")],
    region: Region = None,
) -> None:
    """Sign the draft: its data, figures and text are final (签发)."""
    signed = report.sign_report(open_context(Settings()), month, signed_by=by, region=region)
    say(_standing(signed))
    say(f"write it with `gridgis report write --month {month} --out FOLDER`")


@app.command("edit")
def edit_command(
    *,
    month: Month,
    paragraph: Annotated[
        str | None, typer.Option(help="Key of the paragraph; without one, all are listed.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="The text in its place.")] = None,
    generated: Annotated[
        bool, typer.Option("--generated", help="Back to the generated text.")
    ] = False,
    author: Annotated[str, typer.Option(help="Who wrote it.")] = "",
    region: Region = None,
) -> None:
    """Put a text of your own in the place of a generated paragraph; it survives (修改段落)."""
    context = open_context(Settings())
    if paragraph is None:
        _list_paragraphs(report.read_report(context, month, region=region))
        return
    if (text is None) == (not generated):
        raise InputError("give either --text, or --generated to have the generated one back")
    report.edit_report(
        context, month, paragraph=paragraph, edited=text, author=author, region=region
    )
    say(f"{paragraph}: {'generated text' if generated else 'your text'} in the draft of {month}")


@app.command("list")
def list_command(*, as_json: JsonFlag = False) -> None:
    """List all issues of all reports."""
    rows = report.report_issues(open_context(Settings()))
    if as_json:
        say_json(rows)
        return
    columns = ("month", "region_code", "issue_no", "status", "made_at", "signed_by")
    say_table(columns, [[row[name] for name in columns] for row in rows])


@app.command("rows")
def rows_command(
    *,
    month: Month,
    figure: Annotated[str, typer.Option(help="Key of the figure, as in the XLSX and the JSON.")],
    out: Annotated[Path, typer.Option(help="Target file: .xlsx or .csv.")],
    part: Annotated[str, typer.Option(help="numerator or denominator.")] = "numerator",
    region: Region = None,
) -> None:
    """Write exactly the rows behind a figure (指标明细)."""
    context = open_context(Settings())
    count = report.write_rows(context, month, figure, out, part=part, region=region)
    say(f"wrote {count:,} rows of {figure} ({part}) to {out}")


def _write(context: Context, made: ReportModel, formats: str, out: Path) -> None:
    wanted = [name.strip() for name in formats.split(",") if name.strip()]
    shapes = report.report_shapes(context)
    for path in write_report(made, shapes, formats=wanted, folder=out):
        note(f"wrote {path} ({path.stat().st_size / 1024:,.0f} KB)")
    if made.region not in {None, report.LEADERS} and "xlsx" in wanted:
        path = out / file_name(made, "xlsx").replace("-report", "-rectification")
        rows = report.write_rectification(context, made.month, made.region, path)
        note(f"wrote {path}: {rows:,} cases to work off")
    say(_standing(made))


def _standing(made: ReportModel) -> str:
    issue = made.issue
    if issue is None:
        return made.title
    signed = f", signed by {issue.signed_by}" if issue.signed_by else ""
    return f"{made.title}: issue {issue.number}, {issue.status}{signed}"


def _list_paragraphs(made: ReportModel) -> None:
    blocks = [block for section in made.sections for block in section.blocks]
    rows = [(block.key, block.shown) for block in blocks if isinstance(block, Paragraph)]
    say_table(("paragraph", "text"), rows)
