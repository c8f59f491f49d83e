"""One root for the four packages (同源检查)."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from gridgis.errors import ForeignPackage

PACKAGES = ("gridgis", "boundaries", "api", "maps")


def check_one_root() -> Path:
    """
    Return the folder that holds all four packages.

    Raises
    ------
    ForeignPackage
        If another distribution (such as PyPI's `maps`) or the current folder shadows one.
    """
    roots: dict[str, Path] = {}
    for package in PACKAGES:
        spec = find_spec(package)
        places = list(spec.submodule_search_locations or []) if spec else []
        if not places:
            raise ForeignPackage(f"package {package} is missing: install gridgis again")
        roots[package] = Path(places[0]).resolve().parent
    if len(set(roots.values())) > 1:
        found = ", ".join(f"{name} in {root}" for name, root in roots.items())
        raise ForeignPackage(
            f"the packages of gridgis come from different places: {found}. Uninstall the foreign "
            "one (for example `pip uninstall maps`) and install gridgis again"
        )
    return roots["gridgis"]
