"""Tables of the main job: city, areas, cells, cases, imports, runs (主业务表)."""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_AREA_VALIDITY = """
    valid_from date NOT NULL DEFAULT '-infinity',
    valid_to   date NOT NULL DEFAULT 'infinity',
    CHECK (valid_from < valid_to)"""

_CITY = """
CREATE TABLE core.city (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    city_code       text NOT NULL,
    slug            text NOT NULL,
    name            text NOT NULL,
    name_en         text NOT NULL,
    language        text NOT NULL,
    time_zone       text NOT NULL,
    measuring_srid  integer NOT NULL,
    cell_size_m     integer NOT NULL,
    extent          double precision[] NOT NULL CHECK (array_length(extent, 1) = 4),
    profile_folder  text NOT NULL,
    profile_version text NOT NULL,
    synthetic       boolean,
    created_at      timestamptz NOT NULL DEFAULT now()
);
COMMENT ON COLUMN core.city.synthetic IS
    'NULL until the first import decides; then real and synthetic rows never mix';
CREATE TABLE core.region_group (
    group_code text PRIMARY KEY, position integer NOT NULL, name text NOT NULL,
    name_en text NOT NULL
);
CREATE TABLE core.category (
    category_code text PRIMARY KEY, name text NOT NULL, parent_code text NOT NULL,
    parent_name text NOT NULL, case_kind text NOT NULL CHECK (case_kind IN ('component', 'event'))
);
CREATE TABLE core.source_name (
    source text PRIMARY KEY, position integer NOT NULL, name text NOT NULL, name_en text NOT NULL,
    tier text
);
CREATE TABLE core.alias (
    kind  text NOT NULL CHECK (kind IN ('category', 'source', 'region', 'street')),
    alias text NOT NULL,
    code  text NOT NULL,
    PRIMARY KEY (kind, alias, code)
);
COMMENT ON TABLE core.alias IS 'Other names that the profile knows for a code';
"""

_AREAS = """
CREATE TABLE core.region (
    region_code   text NOT NULL,
    name          text NOT NULL,
    name_en       text NOT NULL,
    kind          text NOT NULL CHECK (kind IN ('district', 'zone')),
    group_code    text,
    position      integer NOT NULL DEFAULT 0,
    priority      smallint NOT NULL,
    host_district text,
    geom_quality  text NOT NULL DEFAULT 'none',
    attribution   text NOT NULL DEFAULT '',
    geom          geometry(MultiPolygon, 4326),
    geom_m        geometry(MultiPolygon, {srid}),
    managed_geom  geometry(MultiPolygon, 4326),
    label_point   geometry(Point, 4326),
    area_m2       double precision,
    land_area_m2  double precision,{validity},
    PRIMARY KEY (region_code, valid_from),
    EXCLUDE USING gist (region_code WITH =, daterange(valid_from, valid_to) WITH &&)
);
COMMENT ON COLUMN core.region.managed_geom IS 'the region less all regions of higher priority';
CREATE TABLE core.street (
    street_code   text NOT NULL CHECK (street_code ~ '^[0-9]{{9}}$'),
    name          text NOT NULL,
    district_code text NOT NULL,
    geom_quality  text NOT NULL DEFAULT 'none',
    attribution   text NOT NULL DEFAULT '',
    geom          geometry(MultiPolygon, 4326),
    geom_m        geometry(MultiPolygon, {srid}),
    label_point   geometry(Point, 4326),
    area_m2       double precision,
    land_area_m2  double precision,{validity},
    PRIMARY KEY (street_code, valid_from),
    EXCLUDE USING gist (street_code WITH =, daterange(valid_from, valid_to) WITH &&)
);
CREATE TABLE core.water (
    water_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL,
    attribution text NOT NULL DEFAULT '',
    geom        geometry(MultiPolygon, 4326) NOT NULL,
    geom_m      geometry(MultiPolygon, {srid}) NOT NULL
);
CREATE TABLE core.grid (
    grid_version text PRIMARY KEY,
    kind         text NOT NULL CHECK (kind IN ('generated', 'loaded')),
    size_m       integer,
    within       text[] NOT NULL DEFAULT '{{}}',
    attribution  text NOT NULL DEFAULT '',
    cell_count   integer NOT NULL,
    area_m2      double precision NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),{validity},
    EXCLUDE USING gist (daterange(valid_from, valid_to) WITH &&)
);
CREATE TABLE core.unit_grid (
    grid_version  text NOT NULL REFERENCES core.grid ON DELETE CASCADE,
    cell_code     text NOT NULL CHECK (cell_code ~ '^[0-9]{{15}}$'),
    geom          geometry(MultiPolygon, 4326) NOT NULL,
    geom_m        geometry(MultiPolygon, {srid}) NOT NULL,
    area_m2       double precision NOT NULL CHECK (area_m2 > 0),
    ix            integer,
    iy            integer,
    whole         boolean NOT NULL DEFAULT false,
    district_code text,
    street_code   text,
    region_code   text,
    block_500     bigint NOT NULL,
    block_1000    bigint NOT NULL,
    synthetic     boolean NOT NULL,
    PRIMARY KEY (grid_version, cell_code)
);
COMMENT ON TABLE core.unit_grid IS
    'Unit grids; geom_m decides what lies inside, geom is drawn. whole: an uncut square, so its '
    'key (ix, iy) alone decides.';
CREATE TABLE core.grid_block (
    grid_version text NOT NULL REFERENCES core.grid ON DELETE CASCADE,
    size_m       integer NOT NULL,
    block_id     bigint NOT NULL,
    geom         geometry(MultiPolygon, 4326) NOT NULL,
    area_m2      double precision NOT NULL,
    PRIMARY KEY (grid_version, size_m, block_id)
);
CREATE INDEX region_geom ON core.region USING gist (geom);
CREATE INDEX street_geom ON core.street USING gist (geom);
CREATE INDEX unit_grid_geom ON core.unit_grid USING gist (geom);
CREATE INDEX unit_grid_geom_m ON core.unit_grid USING gist (geom_m);
CREATE INDEX unit_grid_key ON core.unit_grid (grid_version, ix, iy) WHERE whole;
CREATE INDEX grid_block_geom ON core.grid_block USING gist (geom);
"""

_CASES = """
CREATE TABLE core.import_file (
    file_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL,
    name       text NOT NULL,
    sha256     text NOT NULL,
    crs        text NOT NULL,
    mapping    jsonb NOT NULL,
    synthetic  boolean NOT NULL,
    rows_in    integer NOT NULL,
    accepted   integer NOT NULL,
    rejected   integer NOT NULL,
    inserted   integer NOT NULL,
    updated    integer NOT NULL,
    unchanged  integer NOT NULL,
    warnings   jsonb NOT NULL DEFAULT '[]',
    started_at timestamptz NOT NULL,
    ended_at   timestamptz NOT NULL,
    CHECK (accepted + rejected = rows_in),
    CHECK (inserted + updated + unchanged = accepted)
);
CREATE TABLE core.import_reject (
    file_id integer NOT NULL REFERENCES core.import_file ON DELETE CASCADE,
    row_no  integer NOT NULL,
    field   text NOT NULL,
    value   text NOT NULL,
    rule    text NOT NULL,
    remedy  text NOT NULL
);
CREATE INDEX import_reject_file ON core.import_reject (file_id, row_no);

CREATE TABLE core.case_record (
    case_no            text PRIMARY KEY,
    case_kind          text NOT NULL,
    category_code      text NOT NULL,
    subcategory_code   text NOT NULL,
    source             text NOT NULL,
    tier               text,
    description        text,
    address_text       text,
    severity           text,
    disposing_org      text,
    stated_region      text,
    stated_region_code text,
    cell_code_stated   text,
    self_handled       boolean NOT NULL,
    src_crs            text,
    src_x              text,
    src_y              text,
    point_issue        text,
    discovered_at      timestamptz,
    reported_at        timestamptz NOT NULL,
    verified_at        timestamptz,
    accepted_at        timestamptz,
    filed_at           timestamptz,
    dispatched_at      timestamptz,
    due_at             timestamptz,
    disposed_at        timestamptz,
    checked_at         timestamptz,
    closed_at          timestamptz,
    voided_at          timestamptz,
    suspended_at       timestamptz,
    geom               geometry(Point, 4326),
    geom_m             geometry(Point, {srid})
        GENERATED ALWAYS AS (ST_Transform(geom, {srid})) STORED,
    locate_method      text,
    locate_radius_m    real,
    grid_version       text,
    cell_code          text,
    no_cell_reason     text CHECK (no_cell_reason IN ('no_point', 'too_coarse', 'outside_cells')),
    street_code        text,
    district_code      text,
    region_code        text,
    region_method      text NOT NULL
        CHECK (region_method IN ('polygon', 'stated', 'cross_area', 'none')),
    status             text NOT NULL GENERATED ALWAYS AS (CASE
        WHEN voided_at IS NOT NULL THEN 'void'
        WHEN closed_at IS NOT NULL OR self_handled THEN 'closed'
        WHEN suspended_at IS NOT NULL THEN 'suspended' ELSE 'open' END) STORED,
    counted_at         timestamptz
        GENERATED ALWAYS AS (CASE WHEN self_handled THEN reported_at ELSE accepted_at END) STORED,
    listed_at          timestamptz NOT NULL GENERATED ALWAYS AS (
        CASE WHEN self_handled THEN reported_at ELSE coalesce(accepted_at, reported_at) END) STORED,
    month              integer GENERATED ALWAYS AS (
        (extract(year FROM (CASE WHEN self_handled THEN reported_at ELSE accepted_at END)
            AT TIME ZONE '{time_zone}') * 100
         + extract(month FROM (CASE WHEN self_handled THEN reported_at ELSE accepted_at END)
            AT TIME ZONE '{time_zone}'))::integer) STORED,
    file_id            integer NOT NULL REFERENCES core.import_file,
    row_no             integer NOT NULL,
    row_hash           uuid NOT NULL,
    updated_at         timestamptz NOT NULL DEFAULT now(),
    CHECK (cell_code ~ '^[0-9]{{15}}$'),
    CHECK ((cell_code IS NULL) = (no_cell_reason IS NOT NULL)),
    CHECK ((region_code IS NULL) = (region_method IN ('cross_area', 'none'))),
    CHECK (geom IS NULL OR src_crs IS NOT NULL)
);
COMMENT ON COLUMN core.case_record.month IS
    'YYYYMM of counted_at in the city''s time zone; NULL until accepted';
CREATE INDEX case_geom_month ON core.case_record USING gist (geom, month);
CREATE INDEX case_geom_m ON core.case_record USING gist (geom_m);
CREATE INDEX case_listed ON core.case_record (listed_at, case_no);
CREATE INDEX case_region ON core.case_record (region_code, month);
CREATE INDEX case_cell ON core.case_record (cell_code, month);
"""

_RUNS = """
CREATE TABLE runs.run (
    run_id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,
    month           text NOT NULL,
    period_start    timestamptz NOT NULL,
    period_end      timestamptz NOT NULL,
    unit            text NOT NULL CHECK (unit IN ('cases', 'tasks', 'base_cases', 'complaints')),
    parameters      jsonb NOT NULL,
    profile_version text NOT NULL,
    gridgis_version text NOT NULL,
    grid_version    text,
    data_version    bigint NOT NULL,
    rows_in         integer NOT NULL,
    headline        jsonb NOT NULL DEFAULT '{{}}',
    started_at      timestamptz NOT NULL,
    ended_at        timestamptz NOT NULL
);
CREATE INDEX run_latest ON runs.run (kind, month, run_id DESC);
CREATE TABLE runs.density_count (
    run_id           integer NOT NULL REFERENCES runs.run ON DELETE CASCADE,
    cell_code        text,
    no_cell_reason   text,
    region_key       text NOT NULL,
    district_code    text,
    street_code      text,
    subcategory_code text NOT NULL,
    source           text NOT NULL,
    n                integer NOT NULL CHECK (n > 0),
    CHECK ((cell_code IS NULL) = (no_cell_reason IS NOT NULL))
);
COMMENT ON TABLE runs.density_count IS
    'Counts of one density run; region_key is a region code or unlocated, cross_area, other';
CREATE INDEX density_count_cell ON runs.density_count (run_id, cell_code);
CREATE FUNCTION runs.counts(run integer, category text, channel text, region text)
RETURNS SETOF runs.density_count LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT d.* FROM runs.density_count AS d
    WHERE d.run_id = run
      AND (category IS NULL OR starts_with(d.subcategory_code, category))
      AND (channel IS NULL OR d.source = channel)
      AND (region IS NULL OR d.region_key = region)
$$;
COMMENT ON FUNCTION runs.counts IS
    'Counts of a run by the three filters, NULL is all; inlined, so indexes and constants work';
CREATE TABLE runs.density_place (
    run_id integer NOT NULL REFERENCES runs.run ON DELETE CASCADE,
    level  text NOT NULL,
    place  text NOT NULL,
    n      integer NOT NULL CHECK (n > 0),
    PRIMARY KEY (run_id, level, place)
);
COMMENT ON TABLE runs.density_place IS
    'Sums of density_count per cell, block, street, district and admin unit, without any filter';
CREATE TABLE core.data_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version  bigint NOT NULL
);
INSERT INTO core.data_version VALUES (true, 0);
"""

_GRANTS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gridgis_writer') THEN
        GRANT USAGE ON SCHEMA core, runs TO gridgis_writer;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA core, runs TO gridgis_writer;
        REVOKE INSERT, UPDATE, DELETE ON core.schema_version FROM gridgis_writer;
    END IF;
END $$;
"""


def upgrade() -> None:
    """Create everything; the measuring SRID and the time zone are fixed here for good."""
    city = context.config.attributes["city"]
    values = {
        "srid": int(city["measuring_srid"]),
        "time_zone": str(city["time_zone"]).replace("'", ""),
        "validity": _AREA_VALIDITY,
    }
    op.execute("CREATE SCHEMA IF NOT EXISTS runs")
    for block in (_CITY, _AREAS, _CASES, _RUNS):
        op.get_bind().exec_driver_sql(block.format(**values))
    op.get_bind().exec_driver_sql(_GRANTS)
