-- name: latest_run
-- The newest finished run of a kind and month.
SELECT run_id FROM runs.run WHERE kind = :kind AND month = :month ORDER BY run_id DESC LIMIT 1;

-- name: newest_month
SELECT month FROM runs.run WHERE kind = :kind ORDER BY month DESC LIMIT 1;

-- name: read_run
SELECT run_id, kind, month, unit, grid_version, profile_version, gridgis_version, rows_in, headline,
    started_at, ended_at, period_start, period_end
FROM runs.run WHERE run_id = :run_id;

-- name: list_runs
SELECT run_id, kind, month, unit, grid_version, gridgis_version, rows_in, ended_at FROM runs.run
ORDER BY run_id DESC LIMIT 200;

-- name: months
-- Months with a finished density run, newest first, with their newest run.
SELECT DISTINCT ON (month) month, run_id AS run, rows_in AS cases, ended_at
FROM runs.run WHERE kind = 'density' ORDER BY month DESC, run_id DESC;

-- name: district_rows
-- Management regions of the run's day with their counts; regions without cases give 0.
SELECT r.region_code AS code, r.name, r.name_en, r.kind, r.group_code, r.geom_quality,
    r.land_area_m2, coalesce(d.n, 0) AS n
FROM core.region AS r
CROSS JOIN runs.run AS x
CROSS JOIN core.city AS c
LEFT JOIN (
    SELECT region_key, sum(n) AS n FROM runs.density_count
    WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
      AND (CAST(:source AS text) IS NULL OR source = :source) GROUP BY 1
) AS d ON d.region_key = r.region_code
LEFT JOIN core.region_group AS g ON g.group_code = r.group_code
WHERE x.run_id = :run_id
  AND (x.period_start AT TIME ZONE c.time_zone)::date >= r.valid_from
  AND (x.period_start AT TIME ZONE c.time_zone)::date < r.valid_to
  AND (CAST(:district AS text) IS NULL OR r.region_code = :district)
ORDER BY coalesce(g.position, 99), r.position, r.kind, r.region_code;

-- name: district_rest
SELECT region_key AS reason, sum(n) AS n FROM runs.density_count
WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
  AND (CAST(:source AS text) IS NULL OR source = :source) AND CAST(:district AS text) IS NULL
  AND region_key IN ('unlocated', 'cross_area', 'other')
GROUP BY 1 ORDER BY 1;

-- name: admin_rows
SELECT r.region_code AS code, r.name, r.name_en, r.kind, r.group_code, r.geom_quality,
    r.area_m2 AS land_area_m2, coalesce(d.n, 0) AS n
FROM core.region AS r
CROSS JOIN runs.run AS x
CROSS JOIN core.city AS c
LEFT JOIN (
    SELECT district_code, sum(n) AS n FROM runs.density_count
    WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
      AND (CAST(:source AS text) IS NULL OR source = :source)
      AND (CAST(:district AS text) IS NULL OR region_key = :district) GROUP BY 1
) AS d ON d.district_code = r.region_code
WHERE x.run_id = :run_id AND r.kind = 'district'
  AND (x.period_start AT TIME ZONE c.time_zone)::date >= r.valid_from
  AND (x.period_start AT TIME ZONE c.time_zone)::date < r.valid_to
ORDER BY r.position, r.region_code;

-- name: admin_rest
SELECT 'no_district' AS reason, sum(n) AS n FROM runs.density_count
WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
  AND (CAST(:source AS text) IS NULL OR source = :source)
  AND (CAST(:district AS text) IS NULL OR region_key = :district) AND district_code IS NULL
HAVING sum(n) > 0;

-- name: street_rows
SELECT s.street_code AS code, s.name, s.name AS name_en, 'street' AS kind,
    NULL AS group_code, s.geom_quality, s.land_area_m2, coalesce(d.n, 0) AS n
FROM core.street AS s
CROSS JOIN runs.run AS x
CROSS JOIN core.city AS c
LEFT JOIN (
    SELECT street_code, sum(n) AS n FROM runs.density_count
    WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
      AND (CAST(:source AS text) IS NULL OR source = :source)
      AND (CAST(:district AS text) IS NULL OR region_key = :district) GROUP BY 1
) AS d USING (street_code)
WHERE x.run_id = :run_id
  AND (x.period_start AT TIME ZONE c.time_zone)::date >= s.valid_from
  AND (x.period_start AT TIME ZONE c.time_zone)::date < s.valid_to
ORDER BY s.street_code;

-- name: street_rest
SELECT CASE no_cell_reason WHEN 'no_point' THEN 'no_point' ELSE 'outside_streets' END AS reason,
    sum(n) AS n
FROM runs.density_count
WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
  AND (CAST(:source AS text) IS NULL OR source = :source)
  AND (CAST(:district AS text) IS NULL OR region_key = :district) AND street_code IS NULL
GROUP BY 1 ORDER BY 1;

-- name: cell_rows
-- Cells with at least one case.
SELECT u.cell_code AS code, u.cell_code AS name, u.cell_code AS name_en, 'cell' AS kind,
    NULL AS group_code, 'generated' AS geom_quality, u.area_m2 AS land_area_m2, d.n
FROM runs.run AS x
JOIN (
    SELECT cell_code, sum(n) AS n FROM runs.density_count
    WHERE run_id = :run_id AND cell_code IS NOT NULL
      AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
      AND (CAST(:source AS text) IS NULL OR source = :source)
      AND (CAST(:district AS text) IS NULL OR region_key = :district) GROUP BY 1
) AS d ON true
JOIN core.unit_grid AS u ON u.grid_version = x.grid_version AND u.cell_code = d.cell_code
WHERE x.run_id = :run_id
ORDER BY u.cell_code;

-- name: cell_rest
SELECT no_cell_reason AS reason, sum(n) AS n FROM runs.density_count
WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
  AND (CAST(:source AS text) IS NULL OR source = :source)
  AND (CAST(:district AS text) IS NULL OR region_key = :district) AND cell_code IS NULL
GROUP BY 1 ORDER BY 1;

-- name: city_rows
SELECT c.city_code AS code, c.name, c.name_en, 'city' AS kind, NULL AS group_code,
    'derived' AS geom_quality,
    (SELECT sum(land_area_m2) FROM core.region WHERE valid_to = 'infinity') AS land_area_m2,
    coalesce((SELECT sum(n) FROM runs.density_count
      WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
        AND (CAST(:source AS text) IS NULL OR source = :source)
        AND (CAST(:district AS text) IS NULL OR region_key = :district)), 0) AS n
FROM core.city AS c;

-- name: cell_histogram
-- How many cells of the scope have how many cases, empty ones included.
SELECT coalesce(d.n, 0) AS n, count(*) AS places
FROM core.unit_grid AS u
JOIN runs.run AS x ON x.grid_version = u.grid_version AND x.run_id = :run_id
LEFT JOIN (
    SELECT cell_code, sum(n) AS n FROM runs.density_count
    WHERE run_id = :run_id AND cell_code IS NOT NULL
      AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
      AND (CAST(:source AS text) IS NULL OR source = :source)
      AND (CAST(:district AS text) IS NULL OR region_key = :district) GROUP BY 1
) AS d USING (cell_code)
WHERE CAST(:district AS text) IS NULL OR u.region_code = :district OR d.n > 0
GROUP BY 1 ORDER BY 1;

-- name: block_histogram
SELECT b.n, count(*) AS places FROM (
    SELECT CASE CAST(:block_m AS integer) WHEN 500 THEN u.block_500 ELSE u.block_1000 END AS block,
        coalesce(sum(d.n), 0) AS n
    FROM core.unit_grid AS u
    JOIN runs.run AS x ON x.grid_version = u.grid_version AND x.run_id = :run_id
    LEFT JOIN (
        SELECT cell_code, sum(n) AS n FROM runs.density_count
        WHERE run_id = :run_id AND cell_code IS NOT NULL
          AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
          AND (CAST(:source AS text) IS NULL OR source = :source)
          AND (CAST(:district AS text) IS NULL OR region_key = :district) GROUP BY 1
    ) AS d USING (cell_code)
    WHERE CAST(:district AS text) IS NULL OR u.region_code = :district OR d.n > 0
    GROUP BY 1
) AS b GROUP BY 1 ORDER BY 1;

-- name: groups
SELECT group_code AS code, name, name_en FROM core.region_group ORDER BY position;

-- name: categories
SELECT category_code AS code, name, case_kind AS kind, parent_code, parent_name
FROM core.category ORDER BY category_code;

-- name: sources
SELECT source AS code, name, name_en, coalesce(tier, '') AS tier FROM core.source_name
ORDER BY position;

-- name: regions
-- Today's regions.
SELECT r.region_code AS code, r.name, r.name_en, r.kind, r.group_code AS "group", r.host_district,
    r.geom_quality, r.geom_quality IN ('approximate', 'synthetic') AS approximate, r.attribution,
    round((r.area_m2 / 1e6)::numeric, 2)::float8 AS area_km2,
    round((r.land_area_m2 / 1e6)::numeric, 2)::float8 AS land_area_km2,
    CASE WHEN r.managed_geom IS NULL OR ST_IsEmpty(r.managed_geom) THEN NULL
        ELSE ARRAY[ST_XMin(r.managed_geom), ST_YMin(r.managed_geom), ST_XMax(r.managed_geom),
                   ST_YMax(r.managed_geom)] END AS bbox
FROM core.region AS r LEFT JOIN core.region_group AS g ON g.group_code = r.group_code
WHERE r.valid_to = 'infinity'
ORDER BY coalesce(g.position, 99), r.position, r.region_code;

-- name: streets
SELECT street_code AS code, name, district_code, geom_quality,
    geom_quality IN ('approximate', 'synthetic') AS approximate, attribution,
    round((land_area_m2 / 1e6)::numeric, 2)::float8 AS land_area_km2
FROM core.street WHERE valid_to = 'infinity' ORDER BY street_code;

-- name: attributions
SELECT DISTINCT attribution, geom_quality FROM (
    SELECT attribution, geom_quality FROM core.region WHERE valid_to = 'infinity'
    UNION ALL SELECT attribution, geom_quality FROM core.street WHERE valid_to = 'infinity'
    UNION ALL SELECT attribution, 'map_derived' FROM core.water) AS a
WHERE attribution <> '' ORDER BY 1;

-- name: read_cell
-- One cell of the grid that is valid today.
SELECT u.cell_code, u.grid_version, u.area_m2, u.district_code, u.street_code, u.region_code,
    s.name AS street_name, r.name AS region_name, d.name AS district_name, u.synthetic,
    coalesce(s.geom_quality IN ('approximate', 'synthetic'), false) AS approximate,
    ARRAY[ST_X(ST_Centroid(u.geom)), ST_Y(ST_Centroid(u.geom))] AS centre,
    ST_AsGeoJSON(u.geom, 7)::json AS geometry
FROM core.unit_grid AS u
JOIN core.grid AS g ON g.grid_version = u.grid_version AND g.valid_to = 'infinity'
LEFT JOIN core.street AS s ON s.street_code = u.street_code AND s.valid_to = 'infinity'
LEFT JOIN core.region AS r ON r.region_code = u.region_code AND r.valid_to = 'infinity'
LEFT JOIN core.region AS d ON d.region_code = u.district_code AND d.valid_to = 'infinity'
WHERE u.cell_code = :code;

-- name: read_region
SELECT r.region_code AS code, r.name, r.name_en, r.kind, r.group_code AS "group", r.host_district,
    r.geom_quality, r.attribution, r.area_m2, r.land_area_m2,
    ST_AsGeoJSON(ST_SimplifyPreserveTopology(r.managed_geom, 0.0002), 5)::json AS geometry
FROM core.region AS r WHERE r.region_code = :code AND r.valid_to = 'infinity';

-- name: locate
-- What covers a point today: cell, street, administrative district, management region.
WITH p AS (
    SELECT ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), c.measuring_srid) AS at
    FROM core.city AS c
)
SELECT
    (SELECT min(u.cell_code) FROM core.unit_grid AS u JOIN core.grid AS g USING (grid_version), p
     WHERE g.valid_to = 'infinity' AND ST_Intersects(u.geom_m, p.at)) AS cell_code,
    (SELECT min(s.street_code) FROM core.street AS s, p
     WHERE s.valid_to = 'infinity' AND ST_Intersects(s.geom_m, p.at)) AS street_code,
    (SELECT min(r.region_code) FROM core.region AS r, p
     WHERE r.kind = 'district' AND r.valid_to = 'infinity' AND ST_Intersects(r.geom_m, p.at))
        AS district_code,
    (SELECT r.region_code FROM core.region AS r, p
     WHERE r.valid_to = 'infinity' AND ST_Intersects(r.geom_m, p.at)
     ORDER BY r.priority DESC, r.region_code LIMIT 1) AS region_code;

-- name: names
SELECT region_code AS code, name, geom_quality FROM core.region WHERE valid_to = 'infinity'
UNION ALL SELECT street_code, name, geom_quality FROM core.street WHERE valid_to = 'infinity';

-- name: frame_cells
SELECT u.cell_code, u.area_m2, u.district_code, u.street_code, u.region_code, u.synthetic,
    ST_AsBinary(u.geom) AS wkb
FROM core.unit_grid AS u JOIN core.grid AS g USING (grid_version)
WHERE g.valid_to = 'infinity' ORDER BY u.cell_code;

-- name: frame_districts
-- Management regions as they are drawn: less the zones over them.
SELECT region_code AS code, name, name_en, kind, group_code, geom_quality, land_area_m2,
    ST_AsBinary(managed_geom) AS wkb
FROM core.region
WHERE valid_to = 'infinity' AND managed_geom IS NOT NULL AND NOT ST_IsEmpty(managed_geom)
ORDER BY region_code;

-- name: frame_streets
SELECT street_code AS code, name, district_code, geom_quality, land_area_m2, ST_AsBinary(geom) AS wkb
FROM core.street WHERE valid_to = 'infinity' ORDER BY street_code;

-- name: frame_water
SELECT CAST(water_id AS text) AS code, name, ST_AsBinary(geom) AS wkb FROM core.water ORDER BY 1;
