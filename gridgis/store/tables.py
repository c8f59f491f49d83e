"""The tables as SQLAlchemy Core sees them; a test compares them with the catalogue (表结构)."""

from __future__ import annotations

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Integer,
    MetaData,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import REAL, UUID

metadata = MetaData(schema="core")
_TIME = DateTime(timezone=True)

case_record = Table(
    "case_record",
    metadata,
    *(Column(name, Text) for name in (
        "case_no", "case_kind", "category_code", "subcategory_code", "source", "tier",
        "description", "address_text", "severity", "disposing_org", "stated_region",
        "stated_region_code", "cell_code_stated", "src_crs", "src_x", "src_y", "point_issue",
        "locate_method", "grid_version", "cell_code", "no_cell_reason", "street_code",
        "district_code", "region_code", "region_method", "status", "check_result")),
    *(Column(name, _TIME) for name in (
        "discovered_at", "reported_at", "verified_at", "accepted_at", "filed_at",
        "dispatched_at", "due_at", "disposed_at", "checked_at", "closed_at", "voided_at",
        "suspended_at", "counted_at", "listed_at", "updated_at", "due_stated_at")),
    *(Column(name, Boolean) for name in ("self_handled", "is_key", "act_first")),
    Column("geom", Geometry("POINT", srid=4326, spatial_index=False)),
    Column("geom_m", Geometry("POINT", spatial_index=False)),
    Column("locate_radius_m", REAL),
    Column("month", Integer),
    Column("file_id", Integer),
    Column("row_no", Integer),
    Column("row_hash", UUID),
)  # fmt: skip

category = Table(
    "category", metadata,
    *(Column(name, Text) for name in (
        "category_code", "name", "parent_code", "parent_name", "case_kind")),
    Column("restricted", Boolean),
)  # fmt: skip

source_name = Table(
    "source_name", metadata,
    *(Column(name, Text) for name in ("source", "name", "name_en", "tier")),
    Column("position", Integer),
)  # fmt: skip

region = Table(
    "region", metadata,
    *(Column(name, Text) for name in (
        "region_code", "name", "name_en", "kind", "group_code", "host_district", "geom_quality",
        "attribution")),
    Column("valid_from", Date), Column("valid_to", Date),
)  # fmt: skip

street = Table(
    "street", metadata,
    *(Column(name, Text) for name in (
        "street_code", "name", "district_code", "geom_quality", "attribution")),
    Column("valid_from", Date), Column("valid_to", Date),
)  # fmt: skip

data_version = Table("data_version", metadata, Column("version", BigInteger))

unit_grid = Table(
    "unit_grid", metadata,
    *(Column(name, Text) for name in (
        "grid_version", "cell_code", "district_code", "street_code", "region_code")),
    Column("geom", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False)),
    Column("geom_m", Geometry("MULTIPOLYGON", spatial_index=False)),
    Column("area_m2", Float),
    Column("ix", Integer), Column("iy", Integer),
    Column("whole", Boolean), Column("synthetic", Boolean),
    Column("block_500", BigInteger), Column("block_1000", BigInteger),
)  # fmt: skip
