"""Office files are zip archives: equal content gives equal bytes (压缩包)."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time that an archive can hold; the true one is in the file's properties."""


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return an archive of members, in their order and without the time of now."""
    content = BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, member in members.items():
            archive.writestr(ZipInfo(name, EPOCH), member, ZIP_DEFLATED, 6)
    return content.getvalue()


def members(content: bytes) -> dict[str, bytes]:
    """Return what an archive holds."""
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
