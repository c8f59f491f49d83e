"""What commands print: text for people, JSON for programs, progress on stderr (输出)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


def say(text: str) -> None:
    """Print one line of text for a person."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def say_json(value: object) -> None:
    """Print one JSON document."""
    say(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def note(text: str) -> None:
    """Print one line about the work under way, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers are right-aligned."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("—" if value is None else _cell(value) for value in row))
    Console(soft_wrap=not sys.stdout.isatty()).print(table)


@contextmanager
def progress(label: str, total: int | None) -> Iterator[Progress]:
    """Show a progress bar on stderr while the body runs; its only task has id 0."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=Console(stderr=True), refresh_per_second=4,
    )  # fmt: skip
    with bar:
        bar.add_task(label, total=total)
        yield bar


def fields(value: Mapping[str, object]) -> str:
    """Return a mapping as `name value` pairs on one line."""
    return ", ".join(f"{name} {_cell(entry)}" for name, entry in value.items())


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return str(value)
