"""The command `gridgis`: one file per noun (命令行)."""

from __future__ import annotations

import importlib.metadata
import json
import sys
from typing import Annotated

import typer

from gridgis.cli import (
    analyse,
    boundaries,
    cases,
    city,
    db,
    demo,
    locate,
    maps,
    meta,
    month,
    report,
    serve,
)
from gridgis.cli.exits import exit_code
from gridgis.errors import GridgisError

app = typer.Typer(
    name="gridgis",
    no_args_is_help=True,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(demo.run_demo)
app.command("serve")(serve.serve)
app.command("locate")(locate.locate)
app.command("meta")(meta.meta)
app.command("doctor")(db.doctor)
app.add_typer(db.app, name="db")
app.add_typer(city.app, name="city")
app.add_typer(boundaries.app, name="boundaries")
app.add_typer(cases.app, name="cases")
app.add_typer(analyse.app, name="analyse")
app.add_typer(maps.app, name="map")
app.add_typer(report.app, name="report")
app.add_typer(month.app, name="month")


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Cases on unit grids: import, placement, density, look-up, maps (网格化管理地理信息)."""
    if version:
        typer.echo(f"gridgis {importlib.metadata.version('gridgis')}")
        raise typer.Exit


def main() -> None:
    """Run the command line; every error of ours is one readable paragraph and an exit code."""
    try:
        status = app(standalone_mode=False)
    except typer.Abort:
        sys.stderr.write("aborted; nothing half-done was kept\n")
        sys.exit(130)
    except typer.TyperException as error:
        message = error.format_message()
        if message:  # empty where typer has just printed the help
            _report("usage_error", message, {})
        sys.exit(2)
    except GridgisError as error:
        _report(error.code, error.message, error.context)
        sys.exit(exit_code(error))
    sys.exit(status if isinstance(status, int) else 0)


def _report(code: str, message: str, context: dict[str, object]) -> None:
    if "--json" in sys.argv:
        body = {"code": code, "message": message, "context": context}
        sys.stderr.write(json.dumps(body, ensure_ascii=False, default=str) + "\n")
        return
    sys.stderr.write(f"gridgis: {message}\n")
