"""
Renew the vendored browser assets and the notices (for maintainers; needs npm and its registry).

    python tools/vendor.py            fetch what PACKAGES names, write files, lock and notices
    python tools/vendor.py --notices  write the notices from the lock only

Exact versions; the published integrity hash of every archive is checked before it is opened.
"""

import base64
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENDOR = ROOT / "maps" / "static" / "vendor"
LOCK = ROOT / "maps" / "static" / "vendor.lock.toml"
NOTICES = ROOT / "THIRD_PARTY_NOTICES.md"
FIXTURES = ROOT / "tests" / "data" / "axe-core"


@dataclass(frozen=True)
class Package:
    """What is taken from one npm package: members and where they go."""

    name: str
    version: str
    licence: str
    members: dict[str, str]


PACKAGES = (
    Package("maplibre-gl", "6.17.0", "BSD-3-Clause", {
        "LICENSE.txt": "LICENSE.txt",
        "dist/maplibre-gl.mjs": "maplibre-gl.mjs",
        "dist/maplibre-gl-worker.mjs": "maplibre-gl-worker.mjs",
        "dist/maplibre-gl.css": "maplibre-gl.css",
    }),
    Package("leaflet", "1.9.4", "BSD-2-Clause", {
        "LICENSE": "LICENSE",
        "dist/leaflet.js": "leaflet.js",
        "dist/leaflet.css": "leaflet.css",
        "dist/images/layers.png": "images/layers.png",
        "dist/images/layers-2x.png": "images/layers-2x.png",
        "dist/images/marker-icon.png": "images/marker-icon.png",
        "dist/images/marker-icon-2x.png": "images/marker-icon-2x.png",
        "dist/images/marker-shadow.png": "images/marker-shadow.png",
    }),
    Package("jquery", "3.7.1", "MIT", {
        "LICENSE.txt": "LICENSE.txt",
        "dist/jquery.min.js": "jquery.min.js",
    }),
)  # fmt: skip
AXE = Package("axe-core", "4.14.1", "MPL-2.0", {"LICENSE": "LICENSE", "axe.min.js": "axe.min.js"})
"""Accessibility checker: a fixture of the tests, outside the wheel."""

HEAD = "# Written by tools/vendor.py; maps.vendor.check() compares the files with it.\n"
NOTICES_HEAD = """\
# Third-party notices

gridgis itself is licensed under Apache-2.0 (`LICENSE`). It ships the following works of others;
this file is written by `tools/vendor.py` from `maps/static/vendor.lock.toml` and the sources of
the city profiles.

## Browser assets (`maps/static/vendor/`)

| package | version | licence | text | files |
|---|---|---|---|---|
"""
NOTICES_TESTS = """
## Test fixtures (not in the wheel)

| package | version | licence | text |
|---|---|---|---|
"""
NOTICES_DATA = """
## Data of the city profiles

The profiles name origin, licence and changes of every file; licence texts lie beside them.
"""


def main() -> None:
    """Fetch, write, and say what was written."""
    if "--notices" not in sys.argv:
        shutil.rmtree(VENDOR, ignore_errors=True)
        lock = HEAD + "".join(_vendor(package, VENDOR, versioned=True) for package in PACKAGES)
        LOCK.write_text(lock, "utf-8")
        _vendor(AXE, FIXTURES, versioned=False)
    NOTICES.write_text(notices(), "utf-8")
    print(f"wrote {VENDOR.relative_to(ROOT)}, {LOCK.name} and {NOTICES.name}")


def notices() -> str:
    """Return THIRD_PARTY_NOTICES.md."""
    from maps import vendor  # noqa: PLC0415 - the lock may just have been written

    text = NOTICES_HEAD
    for package in dict.fromkeys(asset.package for asset in vendor.assets()):
        mine = [asset for asset in vendor.assets() if asset.package == package]
        text += (
            f"| {package} | {mine[0].version} | {mine[0].licence} | `{mine[0].licence_file}` "
            f"| {', '.join(asset.path.split('/', 1)[1] for asset in mine)} |\n"
        )
    text += NOTICES_TESTS
    text += f"| {AXE.name} | {AXE.version} | {AXE.licence} | `tests/data/axe-core/LICENSE` |\n"
    text += NOTICES_DATA
    for source in sorted(ROOT.glob("gridgis/cities/*/SOURCE.md")):
        lines = source.read_text("utf-8").splitlines()
        table = [line for line in lines if line.startswith("|")]
        folder = source.parent.relative_to(ROOT)
        text += f"\n### `{folder}/`\n\n" + "\n".join(table) + "\n"
    return text


def _vendor(package: Package, folder: Path, *, versioned: bool) -> str:
    """Write the members of one package and return their entries of the lock."""
    archive = tarfile.open(fileobj=io.BytesIO(_fetch(package)), mode="r:gz")  # noqa: SIM115
    prefix = f"{package.name}-{package.version}/" if versioned else ""
    licence_file = next(target for member, target in package.members.items() if "LICENSE" in member)
    entries = ""
    for member, target in package.members.items():
        stream = archive.extractfile(f"package/{member}")
        if stream is None:
            raise SystemExit(f"{package.name} {package.version} has no file {member}")
        content = stream.read()
        path = folder / f"{prefix}{target}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        entry = {
            "package": package.name, "version": package.version, "path": f"{prefix}{target}",
            "member": f"package/{member}", "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(), "licence": package.licence,
            "licence_file": f"{prefix}{licence_file}",
        }  # fmt: skip
        fields = (f"{key} = {json.dumps(value)}\n" for key, value in entry.items())
        entries += "\n[[file]]\n" + "".join(fields)
    return entries


def _fetch(package: Package) -> bytes:
    """Download one archive by npm and compare it with the integrity hash of the registry."""
    wanted = f"{package.name}@{package.version}"
    integrity = _npm("view", wanted, "dist.integrity").strip()
    with tempfile.TemporaryDirectory() as folder:
        name = _npm("pack", wanted, "--silent", "--pack-destination", folder).strip()
        content = (Path(folder) / name).read_bytes()
    digest = "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()
    if digest != integrity:
        raise SystemExit(f"{wanted}: the archive has {digest}, the registry says {integrity}")
    return content


def _npm(*arguments: str) -> str:
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is missing: this script is for maintainers who renew the assets")
    done = subprocess.run([npm, *arguments], check=True, capture_output=True, text=True)  # noqa: S603
    return done.stdout


if __name__ == "__main__":
    main()
