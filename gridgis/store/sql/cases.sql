-- name: notice_a_dead_client
-- An import that was killed gives its lock back within a second, whatever statement runs.
SET LOCAL client_connection_check_interval = '1s';

-- name: stage_cases
CREATE TEMP TABLE staged_case (
    row_no integer, case_no text, case_kind text, category_code text, subcategory_code text,
    source text, tier text, description text, address_text text, severity text,
    disposing_org text, stated_region text, stated_region_code text, cross_area boolean,
    cell_code_stated text, self_handled boolean, is_key boolean, src_crs text, src_x text,
    src_y text, lon double precision, lat double precision, locate_radius_m real, point_issue text,
    discovered_at timestamptz, reported_at timestamptz, verified_at timestamptz,
    accepted_at timestamptz, filed_at timestamptz, dispatched_at timestamptz, due_at timestamptz,
    disposed_at timestamptz, checked_at timestamptz, closed_at timestamptz,
    voided_at timestamptz, suspended_at timestamptz
) ON COMMIT DROP;

-- name: insert_file
INSERT INTO core.import_file (kind, name, sha256, crs, mapping, synthetic, rows_in, accepted,
    rejected, inserted, updated, unchanged, started_at, ended_at)
VALUES (:kind, :name, :sha256, :crs, CAST(:mapping AS jsonb), :synthetic, 0, 0, 0, 0, 0, 0,
    :started_at, :started_at)
RETURNING file_id;

-- name: close_file
UPDATE core.import_file SET rows_in = :rows_in, accepted = :accepted, rejected = :rejected,
    inserted = :inserted, updated = :updated, unchanged = :unchanged,
    warnings = CAST(:warnings AS jsonb), ended_at = clock_timestamp()
WHERE file_id = :file_id;

-- name: merge
-- New and changed rows of one file with their place; a row that says the same is not even locked.
WITH hashed AS (
    SELECT s.*, md5(CAST(ROW(s.case_kind, s.category_code, s.subcategory_code, s.source, s.tier,
        s.description, s.address_text, s.severity, s.disposing_org, s.stated_region,
        s.stated_region_code, s.cross_area, s.cell_code_stated, s.self_handled, s.is_key,
        s.src_crs, s.src_x, s.src_y, s.lon, s.lat, s.locate_radius_m, s.point_issue,
        s.discovered_at, s.reported_at, s.verified_at, s.accepted_at, s.filed_at, s.dispatched_at, s.due_at,
        s.disposed_at, s.checked_at, s.closed_at, s.voided_at, s.suspended_at) AS text))::uuid
        AS row_hash
    FROM staged_case AS s
), prepared AS (
    SELECT h.* FROM hashed AS h
    LEFT JOIN core.case_record AS k ON k.case_no = h.case_no AND k.row_hash = h.row_hash
    WHERE k.case_no IS NULL
), merged AS (
    INSERT INTO core.case_record AS t (case_no, case_kind, category_code, subcategory_code,
        source, tier, description, address_text, severity, disposing_org, stated_region,
        stated_region_code, cell_code_stated, self_handled, is_key, src_crs, src_x, src_y,
        point_issue, discovered_at, reported_at, verified_at, accepted_at, filed_at,
        dispatched_at, due_at, due_stated_at, disposed_at, checked_at, closed_at, voided_at,
        suspended_at, geom, locate_method, locate_radius_m, grid_version, cell_code,
        no_cell_reason, street_code, district_code, region_code, region_method, file_id, row_no, row_hash)
    SELECT s.case_no, s.case_kind, s.category_code, s.subcategory_code, s.source, s.tier,
        s.description, s.address_text, s.severity, s.disposing_org, s.stated_region,
        s.stated_region_code, s.cell_code_stated, s.self_handled, s.is_key, s.src_crs, s.src_x,
        s.src_y, s.point_issue, s.discovered_at, s.reported_at, s.verified_at, s.accepted_at,
        s.filed_at, s.dispatched_at, s.due_at, s.due_at, s.disposed_at, s.checked_at, s.closed_at,
        s.voided_at, s.suspended_at,
        ST_SetSRID(ST_MakePoint(s.lon, s.lat), 4326),
        CASE WHEN s.lon IS NOT NULL THEN 'device' END, s.locate_radius_m,
        p.grid_version, p.cell_code, p.no_cell_reason, p.street_code, p.district_code,
        p.region_code, p.region_method, :file_id, s.row_no, s.row_hash
    FROM prepared AS s JOIN placed AS p USING (case_no)
    ON CONFLICT (case_no) DO UPDATE SET
        case_kind = excluded.case_kind, category_code = excluded.category_code,
        subcategory_code = excluded.subcategory_code, source = excluded.source,
        tier = excluded.tier, description = excluded.description,
        address_text = excluded.address_text, severity = excluded.severity,
        disposing_org = excluded.disposing_org, stated_region = excluded.stated_region,
        stated_region_code = excluded.stated_region_code,
        cell_code_stated = excluded.cell_code_stated, self_handled = excluded.self_handled,
        is_key = excluded.is_key, src_crs = excluded.src_crs, src_x = excluded.src_x, src_y = excluded.src_y,
        point_issue = excluded.point_issue, discovered_at = excluded.discovered_at,
        reported_at = excluded.reported_at, verified_at = excluded.verified_at,
        accepted_at = excluded.accepted_at, filed_at = excluded.filed_at,
        dispatched_at = excluded.dispatched_at, due_at = excluded.due_at,
        due_stated_at = excluded.due_stated_at,
        disposed_at = excluded.disposed_at, checked_at = excluded.checked_at,
        closed_at = excluded.closed_at, voided_at = excluded.voided_at,
        suspended_at = excluded.suspended_at, geom = excluded.geom,
        locate_method = excluded.locate_method, locate_radius_m = excluded.locate_radius_m,
        grid_version = excluded.grid_version, cell_code = excluded.cell_code,
        no_cell_reason = excluded.no_cell_reason, street_code = excluded.street_code,
        district_code = excluded.district_code, region_code = excluded.region_code,
        region_method = excluded.region_method, file_id = excluded.file_id,
        row_no = excluded.row_no, row_hash = excluded.row_hash, updated_at = now()
    RETURNING (xmax = 0) AS is_new
)
SELECT count(*) FILTER (WHERE is_new) AS inserted, count(*) FILTER (WHERE NOT is_new) AS updated
FROM merged;

-- name: placement_summary
-- How the rows of this file were placed.
SELECT count(*) AS rows, count(cell_code) AS in_cell,
    count(*) FILTER (WHERE no_cell_reason = 'no_point') AS no_point,
    count(*) FILTER (WHERE no_cell_reason = 'too_coarse') AS too_coarse,
    count(*) FILTER (WHERE no_cell_reason = 'outside_cells') AS outside_cells,
    count(*) FILTER (WHERE region_method = 'polygon') AS by_polygon,
    count(*) FILTER (WHERE region_method = 'stated') AS by_stated,
    count(*) FILTER (WHERE region_method = 'cross_area') AS cross_area,
    count(*) FILTER (WHERE region_method = 'none') AS no_region
FROM placed;

-- name: datum_sample
-- Every n-th row of this file that is located and says where it thinks it lies: is the CRS right?
SELECT s.lon, s.lat, s.src_crs, s.stated_region_code, ST_X(u.centre) AS cell_lon,
    ST_Y(u.centre) AS cell_lat
FROM staged_case AS s
JOIN to_place AS p USING (case_no)
LEFT JOIN LATERAL (
    SELECT ST_Centroid(x.geom) AS centre FROM core.unit_grid AS x
    WHERE x.grid_version = p.grid_version AND x.cell_code = s.cell_code_stated
) AS u ON true
WHERE s.lon IS NOT NULL AND (s.stated_region_code IS NOT NULL OR u.centre IS NOT NULL)
  AND s.row_no % :step = 0
ORDER BY s.row_no;

-- name: region_polygons
SELECT region_code, priority, ST_AsBinary(geom) AS wkb FROM core.region
WHERE geom IS NOT NULL AND valid_to = 'infinity' ORDER BY priority DESC, region_code;

-- name: content_digest
-- One hash over all that a case says and where it lies; the same rows in any order give the same.
SELECT count(*) AS cases, md5(coalesce(string_agg(md5(CAST(ROW(case_no, row_hash, geom, grid_version,
    cell_code, no_cell_reason, street_code, district_code, region_code, region_method) AS text)), ''
    ORDER BY case_no), '')) AS digest
FROM core.case_record;
