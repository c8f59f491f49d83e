"""Cases as files that other programs read: CSV and GeoJSON (导出)."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

from gridgis.store.lookup import CASE_COLUMNS, NAME_COLUMNS, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOTICE = "合成数据 / synthetic data"
CSV_COLUMNS = (*CASE_COLUMNS, *NAME_COLUMNS, "synthetic")
BOM = "\ufeff"
CHUNK_ROWS = 1000
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")


def csv_chunks(rows: Iterable[Row], *, synthetic: bool) -> Iterator[str]:
    """
    Yield cases as CSV text: CRLF, one header line, no byte order mark (导出 CSV).

    A text cell that a spreadsheet would run as a formula gets a leading apostrophe; the last
    column says whether the row is synthetic.
    """
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    nature = _cell(synthetic)
    for number, row in enumerate(rows, start=1):
        writer.writerow([*(_cell(row[name]) for name in CSV_COLUMNS[:-1]), nature])
        if number % CHUNK_ROWS == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def json_chunks(rows: Iterable[Row], head: Row, *, geojson: bool) -> Iterator[str]:
    """
    Yield one JSON document: the head and `cases`, or a GeoJSON FeatureCollection (导出 JSON).

    GeoJSON is WGS84; a case without a point has a null geometry.
    """
    members = {"type": "FeatureCollection", **head} if geojson else head
    key = "features" if geojson else "cases"
    yield f'{json.dumps(members, ensure_ascii=False)[:-1]}, "{key}": ['
    lead = "\n"
    for row in rows:
        yield lead + json.dumps(feature(row) if geojson else row, ensure_ascii=False)
        lead = ",\n"
    yield "\n]}\n"


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


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
