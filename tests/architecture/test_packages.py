"""The four packages stay one, and errors have an exit code each."""

import subprocess
import sys

import pytest

from gridgis import errors
from gridgis.cli import guard
from gridgis.cli.exits import exit_code
from gridgis.errors import ForeignPackage, GridgisError


def leaves(kind):
    """Return a class and all below it."""
    return [kind, *(leaf for child in kind.__subclasses__() for leaf in leaves(child))]


def test_four_packages_share_one_root():
    """No foreign distribution shadows one of our packages."""
    assert (guard.check_one_root() / "gridgis" / "errors.py").exists()


def test_a_foreign_package_is_named(tmp_path, monkeypatch):
    """A `maps` package from elsewhere is refused by name."""
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name == "maps" or name.startswith("maps.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ForeignPackage, match="maps"):
        guard.check_one_root()


@pytest.mark.parametrize("kind", leaves(GridgisError))
def test_every_error_has_code_and_exit(kind):
    """Every error class has a stable code of its own and an exit code."""
    assert kind.code
    assert exit_code(kind.__new__(kind)) in {1, 2, 3, 4}


def test_error_codes_are_unique():
    """No two error classes share a code."""
    codes = [kind.code for kind in leaves(GridgisError)]
    assert len(codes) == len(set(codes))
    assert "StoreUnavailable" in errors.__doc__


def test_importing_opens_nothing():
    """Importing the packages builds no settings, engine or network connection."""
    code = "import socket\nsocket.socket.connect = None\nimport gridgis, boundaries, maps, api\n"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
