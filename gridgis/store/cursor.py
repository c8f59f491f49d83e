"""Where the next page of a list starts (翻页游标)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from gridgis.errors import InputError

if TYPE_CHECKING:
    from gridgis.model.query import CaseFilter

_NO_CURSOR = "cursor: not one of this list; start again without cursor"


@dataclass(frozen=True, slots=True)
class Position:
    """The last row of a page, and what the list was (翻页位置)."""

    listed_at: datetime
    case_no: str
    digest: str
    total: int
    version: int


def filter_digest(chosen: CaseFilter) -> str:
    """Return a short digest: a cursor belongs to one filter."""
    content = json.dumps(asdict(chosen), default=str, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:16]


def write_cursor(position: Position) -> str:
    """Return the opaque text of a position."""
    parts = [
        position.listed_at.isoformat(),
        position.case_no,
        position.digest,
        position.total,
        position.version,
    ]
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def read_cursor(cursor: str, digest: str) -> Position:
    """
    Return the position that a cursor names.

    Raises
    ------
    InputError
        If it is garbage or belongs to other filters.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        at, case_no, own, total, version = json.loads(raw)
        listed_at = datetime.fromisoformat(at)
        case_no.encode()
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(_NO_CURSOR) from error
    if listed_at.tzinfo is None or "\0" in case_no or not {type(total), type(version)} == {int}:
        raise InputError(_NO_CURSOR)
    if own != digest:
        raise InputError("cursor: belongs to other filters; start again without cursor")
    return Position(listed_at, case_no, digest, total, version)
