"""
Scripts and styles of others, shipped in the wheel (随包资源).

`static/vendor.lock.toml` names every file with its origin, size, SHA-256 and licence. Nothing is
fetched here: `tools/vendor.py` of the source tree renews the files.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from gridgis.errors import ConfigError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable


@dataclass(frozen=True, slots=True)
class Asset:
    """One vendored file."""

    package: str
    version: str
    path: str
    """Below `static/vendor/`."""
    member: str
    """Path inside the published archive."""
    bytes: int
    sha256: str
    licence: str
    """SPDX identifier."""
    licence_file: str
    """Path of the licence text below `static/vendor/`."""


@cache
def assets() -> tuple[Asset, ...]:
    """Return what the lock lists, in its order."""
    lock = tomllib.loads((_static() / "vendor.lock.toml").read_text("utf-8"))
    return tuple(Asset(**entry) for entry in lock["file"])


def read(path: str) -> bytes:
    """Return the content of one vendored file."""
    return _vendor().joinpath(*path.split("/")).read_bytes()


def read_member(package: str, name: str) -> str:
    """Return the text of the locked file of a package, whatever its version."""
    found = [a for a in assets() if a.package == package and a.path.endswith(f"/{name}")]
    return read(found[0].path).decode("utf-8")


def folder(package: str) -> str:
    """Return the folder of a package, `NAME-VERSION`."""
    return next(a.path.split("/")[0] for a in assets() if a.package == package)


def check() -> None:
    """
    Compare every shipped file with the lock, offline.

    Raises
    ------
    ConfigError
        Naming every file that is missing, changed, unlisted or without licence text.
    """
    listed = {asset.path: asset for asset in assets()}
    present = set(_walk(_vendor(), ""))
    faults = [f"{path}: not in vendor.lock.toml" for path in sorted(present - listed.keys())]
    for path, asset in listed.items():
        if path not in present:
            faults.append(f"{path}: missing")
        else:
            faults += _differences(asset, read(path))
        if asset.licence_file not in present:
            faults.append(f"{path}: its licence text {asset.licence_file} is missing")
    if faults:
        raise ConfigError(
            f"vendored assets differ from their lock: {'; '.join(faults)}. Install gridgis again, "
            "or renew the assets with tools/vendor.py"
        )


def _differences(asset: Asset, content: bytes) -> list[str]:
    digest = hashlib.sha256(content).hexdigest()
    if len(content) == asset.bytes and digest == asset.sha256:
        return []
    found = f"{len(content)} bytes, sha256 {digest[:12]}…"
    return [f"{asset.path}: {found}; the lock says {asset.bytes}, {asset.sha256[:12]}…"]


def _walk(node: Traversable, prefix: str) -> list[str]:
    found: list[str] = []
    for child in node.iterdir():
        name = f"{prefix}{child.name}"
        found += _walk(child, f"{name}/") if child.is_dir() else [name]
    return found


def _static() -> Traversable:
    return files("maps") / "static"


def _vendor() -> Traversable:
    return _static() / "vendor"
