"""
Cases into PostGIS: staging, placement, upsert (案件入库与落格).

One file is one transaction: a killed import leaves the database unchanged.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from gridgis.store.city import bump_data_version
from gridgis.store.engine import query
from gridgis.store.imports import close_file, open_file
from gridgis.store.placement import lock_cases, place_staged
from gridgis.store.rows import ArrowCopy, arrow_copy
from gridgis.store.stages import settle_cases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from gridgis.store.imports import FileFacts, RejectRow


@dataclass(frozen=True, slots=True)
class Merged:
    """What one file changed (入库结果)."""

    file_id: int
    inserted: int
    updated: int
    unchanged: int
    placement: dict[str, int]


class CaseLoad:
    """The staging area of one import; lives inside one transaction (导入暂存)."""

    def __init__(
        self, tx: Connection, facts: FileFacts, schema: pa.Schema, *, waiting: Callable[[], None]
    ) -> None:
        lock_cases(tx, waiting=waiting)
        tx.execute(query("cases", "notice_a_dead_client"))
        tx.execute(query("cases", "stage_cases"))
        self._tx = tx
        self._schema = schema
        self._facts = facts
        self._rows = 0

    @contextmanager
    def staging(self) -> Iterator[ArrowCopy]:
        """Take accepted rows while the body runs."""
        with arrow_copy(self._tx, "staged_case", self._schema) as copy:
            yield copy
        self._rows = copy.rows

    def place(self) -> None:
        """Decide cell, street, district and region of every staged row."""
        place_staged(self._tx)

    def datum_sample(self, limit: int) -> list[tuple[object, ...]]:
        """Return `(lon, lat, src_crs, stated_region_code, cell_lon, cell_lat)` of some rows."""
        step = self._rows // limit + 1
        return [
            tuple(row) for row in self._tx.execute(query("cases", "datum_sample"), {"step": step})
        ]

    def merge(
        self,
        *,
        rows_in: int,
        rejects: Sequence[RejectRow],
        rejected: int,
        warnings: Sequence[Mapping[str, object]],
    ) -> Merged:
        """Upsert the staged rows, keep the rejects and record the file."""
        file_id = open_file(self._tx, self._facts)
        changed = self._tx.execute(query("cases", "merge"), {"file_id": file_id}).one()
        unchanged = self._rows - changed.inserted - changed.updated
        settle_cases(self._tx)
        close_file(
            self._tx,
            file_id,
            rejects,
            {
                "rows_in": rows_in,
                "accepted": self._rows,
                "rejected": rejected,
                "inserted": changed.inserted,
                "updated": changed.updated,
                "unchanged": unchanged,
                "warnings": json.dumps(warnings, ensure_ascii=False),
            },
        )
        summary = self._tx.execute(query("cases", "placement_summary")).mappings().one()
        if changed.inserted or changed.updated:
            bump_data_version(self._tx)
        return Merged(
            file_id,
            changed.inserted,
            changed.updated,
            unchanged,
            {name: int(value) for name, value in summary.items()},
        )


def region_polygons(tx: Connection) -> list[tuple[str, bytes]]:
    """Return `(code, WKB)` of today's regions, highest priority first."""
    return [
        (row.region_code, bytes(row.wkb)) for row in tx.execute(query("cases", "region_polygons"))
    ]


def file_digests(tx: Connection) -> set[str]:
    """Return the SHA-256 of all imported files."""
    return set(tx.scalars(text("SELECT sha256 FROM core.import_file")))


def content_digest(tx: Connection) -> tuple[int, str]:
    """Return the number of cases and one hash over everything they say (内容摘要)."""
    row = tx.execute(query("cases", "content_digest")).one()
    return int(row.cases), str(row.digest)
