"""The record of an imported file and of its rejected rows (导入记录)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.store.engine import query
from gridgis.store.rows import copy_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known about a file before it is read (导入文件)."""

    kind: str
    name: str
    sha256: str
    crs: str
    mapping: Mapping[str, object]
    synthetic: bool
    started_at: datetime


@dataclass(frozen=True, slots=True)
class RejectRow:
    """One rejected row as it is kept (退回行)."""

    row_no: int
    field: str
    value: str
    rule: str
    remedy: str


def open_file(tx: Connection, facts: FileFacts) -> int:
    """Record a file before its rows are stored, and return its number."""
    values = {
        "kind": facts.kind,
        "name": facts.name,
        "sha256": facts.sha256,
        "crs": facts.crs,
        "mapping": json.dumps(facts.mapping, ensure_ascii=False, default=str),
        "synthetic": facts.synthetic,
        "started_at": facts.started_at,
    }
    return int(tx.scalar(query("cases", "insert_file"), values) or 0)


def close_file(
    tx: Connection, file_id: int, rejects: Sequence[RejectRow], totals: Mapping[str, object]
) -> None:
    """Keep the rejects of a file and record what became of its rows."""
    copy_rows(
        tx,
        "core.import_reject",
        ("file_id", "row_no", "field", "value", "rule", "remedy"),
        ((file_id, r.row_no, r.field, r.value, r.rule, r.remedy) for r in rejects),
    )
    tx.execute(query("cases", "close_file"), {"file_id": file_id, **totals})
