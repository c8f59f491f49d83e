"""The columns in which checked cases and records reach the store (入库列)."""

from __future__ import annotations

import pyarrow as pa

from gridgis.model.case import FieldKind
from gridgis.model.ledger import RECORD_FIELDS

UTC_US = pa.timestamp("us", tz="UTC")
CASE_SCHEMA = pa.schema(
    [("row_no", pa.int32())]
    + [(name, pa.string()) for name in (
        "case_no", "case_kind", "category_code", "subcategory_code", "source", "tier",
        "description", "address_text", "severity", "disposing_org", "stated_region",
        "stated_region_code")]
    + [("cross_area", pa.bool_()), ("cell_code_stated", pa.string()), ("self_handled", pa.bool_()),
       ("is_key", pa.bool_())]
    + [(name, pa.string()) for name in ("src_crs", "src_x", "src_y")]
    + [("lon", pa.float64()), ("lat", pa.float64()), ("locate_radius_m", pa.float32()),
       ("point_issue", pa.string())]
    + [(name, UTC_US) for name in (
        "discovered_at", "reported_at", "verified_at", "accepted_at", "filed_at", "dispatched_at",
        "due_at", "disposed_at", "checked_at", "closed_at", "voided_at", "suspended_at")]
)  # fmt: skip
"""`point_issue` says why a row has no point; `lon` and `lat` are WGS84."""
_TYPES = {FieldKind.TIME: UTC_US, FieldKind.BOOL: pa.bool_()}
RECORD_SCHEMAS: dict[str, pa.Schema] = {
    kind: pa.schema([
        ("row_no", pa.int32()),
        *((entry.name, _TYPES.get(entry.kind, pa.string())) for entry in fields),
        *([("stated_region_code", pa.string())]
          if any(entry.name == "stated_region" for entry in fields) else []),
    ])
    for kind, fields in RECORD_FIELDS.items()
    if kind not in {"cases", "events"}
}  # fmt: skip
RECORD_SCHEMAS["events"] = pa.schema(
    [("row_no", pa.int32())]
    + [(name, pa.string()) for name in ("case_no", "event_key", "stage")]
    + [("at", UTC_US), ("due_at", UTC_US)]
    + [(name, pa.string()) for name in ("result", "org", "actor", "note")]
)
"""Columns of the other kinds; a file of events, wide or long, becomes a row an event."""
