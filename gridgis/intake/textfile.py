"""
Text files of any encoding as plain UTF-8 (文本编码).

A file that is not plain UTF-8 (gzipped, GB18030, UTF-16) is turned into a temporary UTF-8 copy, so
that memory stays flat and every later pass is fast. What cannot be decoded is refused with its
line; nothing is replaced silently.
"""

from __future__ import annotations

import codecs
import gzip
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gridgis.errors import SchemaError

_GZIP = b"\x1f\x8b"
_BLOCK_BYTES = 1 << 20
_SURE_CHARACTERS = 20
"""So many multi-byte characters in valid UTF-8 before a fault are no accident of GB18030."""
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True, slots=True)
class TextFile:
    """A UTF-8 file without byte order mark, ready to be read from `skip` (文本文件)."""

    path: Path
    encoding: str
    """Of the file as it was given."""
    newlines: int
    skip: int = 0
    copy: IO[bytes] | None = None
    """The temporary file behind `path`; it goes when this object goes."""

    def open(self) -> IO[bytes]:
        """Open the text at its start."""
        handle = self.path.open("rb")
        handle.seek(self.skip)
        return handle


def open_text(path: Path, encoding: str | None, *, language: str) -> TextFile:
    """
    Return a file as UTF-8 text (打开文本).

    Without a declared encoding a byte order mark decides, then UTF-8, then, in a Chinese city,
    GB18030: nearly all bytes are some Chinese text, so elsewhere it would be a wrong guess.

    Raises
    ------
    SchemaError
        If the file is a damaged gzip, holds bytes that its encoding does not have, or is of an
        encoding that cannot be told.
    """
    with path.open("rb") as handle:
        packed = handle.read(2) == _GZIP
    unpacked = _gunzip(path) if packed else None
    source = Path(unpacked.name) if unpacked else path
    declared = _canonical(encoding) if encoding else None
    with source.open("rb") as handle:
        start = handle.read(4)
    mark, by_mark = next(
        ((mark, word) for mark, word in _BOMS.items() if start.startswith(mark)), (b"", "utf-8")
    )
    chosen = by_mark if declared in {None, "utf-8"} else declared
    if chosen not in {"utf-8", "utf-8-sig"}:
        return _recoded(source, str(chosen), path.name)
    fault, newlines = _check_utf8(source)
    if fault is None:
        return TextFile(source, "utf-8", newlines, len(mark), unpacked)
    unsure = declared is None and not mark and fault.characters < _SURE_CHARACTERS
    if unsure and language.startswith("zh"):
        return _recoded(source, "gb18030", path.name)
    raise SchemaError(
        f"{path.name}: line {fault.line} is not UTF-8 text (byte {fault.offset}): save the file as "
        "UTF-8 again, or declare its encoding, such as --encoding gb18030 (Chinese), cp1252 or "
        "latin-1 (Western Europe)"
    )


def _gunzip(path: Path) -> IO[bytes]:
    copy = _temporary()
    try:
        with gzip.open(path, "rb") as packed:
            while block := packed.read(_BLOCK_BYTES):
                copy.write(block)
    except (OSError, EOFError, zlib.error) as error:
        raise SchemaError(f"{path.name}: damaged gzip file ({error}): fetch it again") from error
    copy.flush()
    return copy


def _canonical(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise SchemaError(f"encoding {encoding!r}: unknown; use utf-8 or gb18030") from error
    if name in {"utf-8", "utf-8-sig", "ascii"}:
        return "utf-8"
    return "gb18030" if name in {"gb2312", "gbk", "cp936"} else name


@dataclass(frozen=True, slots=True)
class _Fault:
    """The first byte that is not UTF-8."""

    offset: int
    line: int
    characters: int
    """Characters of three and more bytes before it."""


def _check_utf8(path: Path) -> tuple[_Fault | None, int]:
    """Decode the whole file in blocks; return the first fault and the number of line feeds."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    offset = newlines = characters = 0
    with path.open("rb") as handle:
        while True:
            block = handle.read(_BLOCK_BYTES)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                good = error.object[: error.start].decode("utf-8")
                fault = _Fault(
                    offset - pending + error.start,
                    newlines + good.count("\n") + 1,
                    characters + (len(good.encode()) - len(good)) // 2,
                )
                return fault, newlines
            if not block:
                return None, newlines
            offset += len(block)
            newlines += block.count(b"\n")
            characters += (len(block) - len(text)) // 2


def _recoded(path: Path, encoding: str, name: str) -> TextFile:
    """Return a UTF-8 copy of a file in another encoding."""
    copy, newlines = _temporary(), 0
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as handle:
        while True:
            block = handle.read(_BLOCK_BYTES)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                line = newlines + error.object[: error.start].count(b"\n") + 1
                raise SchemaError(
                    f"{name}: line {line} is neither UTF-8 nor {encoding} text: declare the "
                    "encoding with --encoding, or save the file as UTF-8"
                ) from error
            newlines += text.count("\n")
            copy.write(text.encode())
            if not block:
                break
    copy.flush()
    return TextFile(Path(copy.name), encoding, newlines, copy=copy)


def _temporary() -> IO[bytes]:
    """Return a temporary file that is deleted once nothing refers to it."""
    return tempfile.NamedTemporaryFile(prefix="gridgis-", suffix=".txt")
