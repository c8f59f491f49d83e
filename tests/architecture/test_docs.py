"""README and documentation name only commands, options and pages that exist."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from gridgis.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.en.md", *sorted((ROOT / "docs").rglob("*.md"))]


def command_lines(page):
    """Yield the gridgis command lines of a page's shell blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    for line in "".join(blocks).splitlines():
        words = shlex.split(line.strip(), comments=True)
        if words and words[0].rsplit("/", 1)[-1] == "gridgis":
            yield words[1:]


def find_command(words):
    """Return the command that words call and the words left over."""
    command = typer.main.get_command(app)
    rest = list(words)
    while isinstance(command, TyperGroup) and not rest[0].startswith("--"):
        name = rest.pop(0)
        assert name in command.commands, f"no command {name} in gridgis {' '.join(words)}"
        command = command.commands[name]
    return command, rest


def paths(command, prefix=()):
    """Yield every command below one as its words."""
    if not isinstance(command, TyperGroup):
        yield prefix
        return
    for name, child in command.commands.items():
        yield from paths(child, (*prefix, name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_documented_commands_exist(page):
    """Every gridgis line in a shell block calls a command that has the options it is given."""
    for words in command_lines(page):
        command, rest = find_command(words)
        known = {
            name for option in command.params for name in (*option.opts, *option.secondary_opts)
        }
        given = {word.partition("=")[0] for word in rest if word.startswith("--")}
        assert given <= known, f"gridgis {' '.join(words)}"


def test_every_command_is_in_the_reference():
    """The page on the command line leaves no command out."""
    page = (ROOT / "docs" / "reference" / "cli.md").read_text(encoding="utf-8")
    missing = [
        words
        for words in paths(typer.main.get_command(app))
        if not re.search(rf"\b{words[-1]}\b", page)
    ]
    assert missing == []


def test_every_command_has_help():
    """Each command and option says what it does."""
    for words in paths(typer.main.get_command(app)):
        command, _ = find_command(words)
        assert command.help, words
        assert all(option.help for option in command.params if option.name != "help"), words


def test_every_page_is_in_the_navigation():
    """No page of the documentation is an orphan."""
    listed = re.findall(r"\S+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert pages == set(listed)
