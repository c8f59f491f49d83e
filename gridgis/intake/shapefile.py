"""
The texts of a shapefile's table (属性表编码).

They come in any code page, with or without a `.cpg` that says which, and are cut after a number of
bytes, also inside a character. So they are read byte by byte (as ISO-8859-1) and decoded here.
"""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gridgis.errors import SchemaError

if TYPE_CHECKING:
    from pathlib import Path

RAW = "ISO-8859-1"
_PAGES = {"936": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "65001": "utf-8"}
_HEADER_BYTES = 32
_SAMPLE_BYTES = 4 << 20
_NOT_ASCII = 0x80
_LONGEST_CHARACTER = 4


def table_encoding(path: Path, declared: str | None) -> str:
    """
    Return the encoding of a shapefile's texts (属性表编码识别).

    Parameters
    ----------
    path : Path
        The `.shp`.
    declared : str or None
        By the user; else its `.cpg` says it, else the bytes do: UTF-8 or GB18030.
    """
    page = path.with_suffix(".cpg")
    stated = declared or (page.read_text("ascii", "ignore").strip() if page.exists() else "")
    try:
        return codecs.lookup(_PAGES.get(stated.lower().removeprefix("cp"), stated)).name
    except LookupError:
        if declared:
            message = f"encoding {declared!r}: unknown; use utf-8 or gb18030"
            raise SchemaError(message) from None
    table = path.with_suffix(".dbf")
    if not table.exists():
        return "utf-8"
    with table.open("rb") as handle:
        texts = handle.read(_SAMPLE_BYTES)[_HEADER_BYTES:]
    faults = texts.decode("utf-8", errors="replace").count("\ufffd")
    wide = np.count_nonzero(np.frombuffer(texts, dtype=np.uint8) >= _NOT_ASCII)
    # A text cut at the end of its field breaks one UTF-8 character; GB18030 breaks nearly all.
    return "utf-8" if faults * 10 <= wide else "gb18030"


def decoded(texts: pa.Array, encoding: str) -> pa.Array:
    """
    Decode texts that were read byte by byte.

    Raises
    ------
    SchemaError
        If a text is not in the encoding.
    """
    if pc.all(pc.string_is_ascii(texts), min_count=0).as_py():
        return texts
    encoded = texts.dictionary_encode()
    plain = [decoded_text(text, encoding) for text in encoded.dictionary.to_pylist()]
    return pa.array(plain, type=pa.string()).take(encoded.indices)


def decoded_text(text: str, encoding: str) -> str:
    """Decode one text; half a character at its end is left out."""
    raw = text.encode(RAW)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        if error.start > len(raw) - _LONGEST_CHARACTER:
            return raw[: error.start].decode(encoding)
        raise SchemaError(
            f"the text {raw[:40]!r} is not {encoding}: declare the encoding with --encoding"
        ) from error
