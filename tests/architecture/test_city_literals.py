"""No module knows a city: its facts are rows of a profile."""

import ast
import csv
import re
import tomllib
from pathlib import Path

import pytest

from gridgis.intake.profile import shipped_profiles

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("gridgis", "boundaries", "api", "maps")
GIS_CONSTANTS = {"4326", "4490", "3857"}
DEFAULT_CITY = {"kunming"}


def city_words():
    """Return codes, names and EPSG numbers of every shipped profile."""
    words = set()
    for folder in shipped_profiles().values():
        city = tomllib.loads((folder / "city.toml").read_text(encoding="utf-8"))["city"]
        words |= {city["code"], city["name"], city["name_en"].lower()}
        words.add(city["measuring_crs"].removeprefix("EPSG:"))
        for table in ("regions.csv", "streets.csv"):
            with (folder / table).open(encoding="utf-8") as handle:
                words |= {row[key] for row in csv.DictReader(handle) for key in ("code", "name")}
    return words - GIS_CONSTANTS


def literals(path):
    """Yield string and number literals outside docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    skipped = {
        id(statement.value)
        for node in ast.walk(tree)
        if isinstance(node, documented)
        for statement in node.body
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in skipped:
            yield node.lineno, str(node.value)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_holds_a_city_fact(package):
    """No literal of the packages is a code, a name or an EPSG number of a shipped city."""
    words = city_words()
    numbers = {word for word in words if re.fullmatch(r"[0-9A-Z]+", word)}
    names = words - numbers - DEFAULT_CITY
    found = [
        f"{path.relative_to(ROOT)}:{line}: {value[:60]!r}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, value in literals(path)
        if any(re.search(rf"(?<![0-9A-Za-z]){word}(?![0-9A-Za-z])", value) for word in numbers)
        or any(name in value for name in names)
    ]
    assert not found
