"""Cases as JSON and GeoJSON, and how data say that they are synthetic (导出)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gridgis.store.lookup import Row

NOTICE = "合成数据 / synthetic data"


def json_parts(rows: Iterable[Row], head: Row) -> Iterator[bytes]:
    """Yield one JSON document: the head and `cases` (导出 JSON)."""
    yield f'{json.dumps(head, ensure_ascii=False)[:-1]}, "cases": ['.encode()
    lead = "\n"
    for row in rows:
        yield (lead + json.dumps(row, ensure_ascii=False)).encode()
        lead = ",\n"
    yield b"\n]}\n"


def feature(row: Row) -> Row:
    """Return one case as a GeoJSON feature."""
    lon, lat = row["lon"], row["lat"]
    return {
        "type": "Feature",
        "id": row["case_no"],
        "geometry": None if lon is None else {"type": "Point", "coordinates": [lon, lat]},
        "properties": {key: value for key, value in row.items() if key not in {"lon", "lat"}},
    }


def nature(*, synthetic: bool) -> Row:
    """Return how an answer says whether its data are synthetic (数据性质)."""
    return {"synthetic": synthetic, "notice": NOTICE if synthetic else None}
