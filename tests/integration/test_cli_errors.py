"""The command line says what is wrong in one paragraph, with an exit code and as JSON on demand."""

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

GRIDGIS = Path(sys.executable).with_name("gridgis")


def run(*words, folder, **variables):
    """Run the command in a folder of its own and return what it did."""
    environment = {name: value for name, value in os.environ.items() if "GRIDGIS" not in name}
    return subprocess.run(  # noqa: S603 - our own command
        [GRIDGIS, *words],
        cwd=folder,
        env=environment | variables,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [
        (("cases", "find", "--no-such-option"), 2, "usage_error"),
        (("cases", "no-such-command"), 2, "usage_error"),
        (("boundaries", "load"), 2, "usage_error"),
        (("cases", "find", "--month", "2024-11"), 2, "config_error"),
        (("locate", "--lonlat", "102.7", "--crs", "wgs84"), 2, "input_error"),
    ],
)
def test_errors_have_a_code_and_an_exit_status(words, status, code, tmp_path):
    """Each kind of mistake ends with its exit code, and with its stable code in JSON."""
    done = run(*words, "--json", folder=tmp_path)
    assert done.returncode == status
    assert json.loads(done.stderr)["code"] == code
    plain = run(*words, folder=tmp_path)
    assert plain.stderr.startswith("gridgis: ")
    assert "Traceback" not in plain.stderr


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("city", "init", "--profile", "no-such-city"), "no-such-city"),
        (("serve", "--host", "0.0.0.0"), "0.0.0.0"),  # noqa: S104 - must be refused
    ],
)
def test_wrong_values_are_named(words, named, tmp_path):
    """Commands that set things up refuse a wrong value by naming it."""
    done = run(*words, folder=tmp_path)
    assert done.returncode == 2
    assert named in done.stderr


def test_a_database_that_is_away_ends_with_4(tmp_path):
    """An outside database that does not answer is exit 4, with the remedy and without secrets."""
    url = "postgresql://someone:secret@127.0.0.1:9/nowhere"
    done = run("cases", "find", "--month", "2024-11", folder=tmp_path, GRIDGIS_DATABASE_URL=url)
    assert done.returncode == 4
    assert "GRIDGIS_DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr


def test_help_is_no_error(tmp_path):
    """Asking for help ends with 0, on every level."""
    for words in ((), ("cases",), ("cases", "find")):
        done = run(*words, "--help", folder=tmp_path)
        assert done.returncode == 0
        assert "Usage" in done.stdout


def test_version_is_told(tmp_path):
    """`gridgis --version` names the installed version and needs no database."""
    done = run("--version", folder=tmp_path)
    assert done.returncode == 0
    assert done.stdout.strip() == f"gridgis {importlib.metadata.version('gridgis')}"
