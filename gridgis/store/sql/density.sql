-- name: grids_of_period
-- Grid versions valid on any day of a period, in order.
SELECT g.grid_version, CAST(g.valid_from AS text) AS valid_from FROM core.grid AS g CROSS JOIN core.city AS c
WHERE daterange(g.valid_from, g.valid_to) && daterange(
    (CAST(:start_at AS timestamptz) AT TIME ZONE c.time_zone)::date,
    (CAST(:end_at AS timestamptz) AT TIME ZONE c.time_zone)::date)
ORDER BY g.valid_from;

-- name: open_run
INSERT INTO runs.run (kind, month, period_start, period_end, unit, parameters, profile_version,
    gridgis_version, grid_version, data_version, rows_in, started_at, ended_at)
SELECT :kind, :month, :start_at, :end_at, :unit, CAST(:parameters AS jsonb), c.profile_version,
    :gridgis_version, :grid_version, v.version, 0, clock_timestamp(), clock_timestamp()
FROM core.city AS c, core.data_version AS v
RETURNING run_id;

-- name: count
-- Counted cases of a half-open period per (cell, region, street, subcategory, source). A case keeps
-- the cell of its own day; one of another version of the grid is in no cell of this run. Cases of
-- restricted classes (受限类) are one sum without class and place.
INSERT INTO runs.density_count (run_id, cell_code, no_cell_reason, region_key, district_code,
    street_code, subcategory_code, source, n)
SELECT :run_id, c.cell_code, c.no_cell_reason,
    CASE WHEN t.restricted THEN 'restricted'
        ELSE core.region_key(k.region_code, k.region_method, k.geom IS NOT NULL) END,
    CASE WHEN NOT t.restricted THEN k.district_code END,
    CASE WHEN NOT t.restricted THEN k.street_code END,
    CASE WHEN t.restricted THEN 'restricted' ELSE k.subcategory_code END, k.source, count(*)
FROM core.case_record AS k
JOIN runs.run AS r ON r.run_id = :run_id
LEFT JOIN core.category AS g ON g.category_code = k.subcategory_code
CROSS JOIN LATERAL (SELECT coalesce(g.restricted, false) AS restricted) AS t
CROSS JOIN LATERAL (SELECT
    CASE WHEN k.grid_version = r.grid_version AND NOT t.restricted THEN k.cell_code END
        AS cell_code,
    CASE WHEN t.restricted THEN 'restricted'
        WHEN k.grid_version IS DISTINCT FROM r.grid_version AND k.cell_code IS NOT NULL
        THEN 'outside_cells' ELSE k.no_cell_reason END AS no_cell_reason) AS c
WHERE k.counted_at >= :start_at AND k.counted_at < :end_at
GROUP BY 2, 3, 4, 5, 6, 7, 8
ORDER BY 2, 4, 6, 7, 8;

-- name: sum_places
-- The same counts per place of every level, without any filter; a reason is a place too.
INSERT INTO runs.density_place (run_id, level, place, n)
SELECT :run_id, l.level, c.place, c.n
FROM unnest(ARRAY['cell', 'block500', 'block1000', 'street', 'district', 'admin', 'city'])
    AS l (level)
CROSS JOIN LATERAL runs.counted(:run_id, l.level, NULL, NULL, NULL) AS c;

-- name: close_run
UPDATE runs.run SET rows_in = :rows_in, headline = CAST(:headline AS jsonb),
    ended_at = clock_timestamp() WHERE run_id = :run_id;

-- name: run_balance
-- In = in a cell + without one by reason, and the same rows per region.
SELECT coalesce(sum(n), 0) AS total,
    coalesce(sum(n) FILTER (WHERE cell_code IS NOT NULL), 0) AS in_cells,
    coalesce(sum(n) FILTER (WHERE no_cell_reason = 'no_point'), 0) AS no_point,
    coalesce(sum(n) FILTER (WHERE no_cell_reason = 'too_coarse'), 0) AS too_coarse,
    coalesce(sum(n) FILTER (WHERE no_cell_reason = 'outside_cells'), 0) AS outside_cells,
    coalesce(sum(n) FILTER (WHERE no_cell_reason = 'restricted'), 0) AS restricted,
    (SELECT coalesce(sum(p.n), 0) FROM runs.density_place AS p
     WHERE p.run_id = :run_id AND p.level = 'district') AS in_regions
FROM runs.density_count WHERE run_id = :run_id;

-- name: current_run
-- The newest run of a month if neither data, profile nor program changed since.
SELECT r.run_id FROM runs.run AS r, core.data_version AS v, core.city AS c
WHERE r.run_id = (SELECT max(run_id) FROM runs.run WHERE kind = :kind AND month = :month)
  AND r.data_version = v.version AND r.profile_version = c.profile_version
  AND r.gridgis_version = :gridgis_version;

-- name: counted
SELECT count(*) FROM core.case_record WHERE counted_at >= :start_at AND counted_at < :end_at;

