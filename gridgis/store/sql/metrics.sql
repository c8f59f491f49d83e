-- name: find_run
-- One finished run by its id, or the newest of a month, or the newest of the newest month.
SELECT x.run_id, x.kind, x.month, x.unit, x.grid_version, x.profile_version, x.gridgis_version,
    x.rows_in, x.headline, x.started_at, x.ended_at, x.period_start, x.period_end,
    (x.period_start AT TIME ZONE c.time_zone)::date AS day, g.size_m AS cell_size_m,
    x.data_version <> v.version AS outdated, left(md5(concat_ws(' ', c.created_at, x.run_id,
        x.ended_at, v.version)), 8) AS mark
FROM runs.run AS x CROSS JOIN core.city AS c CROSS JOIN core.data_version AS v
LEFT JOIN core.grid AS g ON g.grid_version = x.grid_version
WHERE x.kind = :kind AND (CAST(:run AS integer) IS NULL OR x.run_id = :run)
  AND (CAST(:month AS text) IS NULL OR x.month = :month)
ORDER BY x.month DESC, x.run_id DESC LIMIT 1;

-- name: runs
SELECT run_id AS run, kind, month, unit, rows_in AS cases, grid_version, gridgis_version,
    profile_version, parameters, started_at, ended_at
FROM runs.run ORDER BY run_id DESC;

-- name: months
-- Months with a finished density run, newest first, with their newest run.
SELECT DISTINCT ON (month) month, run_id AS run, rows_in AS cases, ended_at
FROM runs.run WHERE kind = 'density' ORDER BY month DESC, run_id DESC;

-- name: today
-- The city's date.
SELECT (now() AT TIME ZONE time_zone)::date FROM core.city;

-- name: stamp
-- What an answer may depend on: this database, its cases and areas, its runs and reports,
-- its profile, the day.
SELECT concat_ws(' ', c.created_at, v.version, (SELECT max(run_id) FROM runs.run),
    (SELECT max(greatest(made_at, signed_at)) FROM runs.report_issue),
    c.profile_version, (now() AT TIME ZONE c.time_zone)::date)
FROM core.city AS c CROSS JOIN core.data_version AS v;

-- name: uses_code
-- Does any case use a code that the catalogue or the areas no longer have?
SELECT CASE CAST(:kind AS text)
    WHEN 'category' THEN EXISTS (
        SELECT FROM core.case_record WHERE starts_with(subcategory_code, :code))
    WHEN 'region' THEN EXISTS (SELECT FROM core.case_record WHERE region_code = :code)
    WHEN 'street' THEN EXISTS (SELECT FROM core.case_record WHERE street_code = :code)
    ELSE EXISTS (SELECT FROM core.case_record WHERE source = :code) END;

-- name: places
-- Cases per place of a level; a reason stands for the place where there is none.
SELECT place, n FROM runs.places(:run_id, :level, :category, :source, :district) ORDER BY place;

-- name: cell_places
-- Cells of a grid by their codes.
SELECT u.cell_code AS code, u.cell_code AS name, u.cell_code AS name_en, 'cell' AS kind,
    NULL AS group_code, 'generated' AS geom_quality, u.area_m2 AS land_area_m2
FROM core.unit_grid AS u
WHERE u.grid_version = :grid_version AND u.cell_code = ANY(CAST(:codes AS text[]))
ORDER BY u.cell_code;

-- name: street_places
-- Streets in scope on a day, and others with counts: as of that day, or as last known.
SELECT DISTINCT ON (s.street_code) s.street_code AS code, s.name, s.name AS name_en,
    'street' AS kind, NULL AS group_code, s.geom_quality, s.land_area_m2
FROM core.street AS s
WHERE (daterange(s.valid_from, s.valid_to) @> CAST(:day AS date)
       AND (CAST(:district AS text) IS NULL OR s.district_code = :district))
   OR s.street_code = ANY(CAST(:codes AS text[]))
ORDER BY s.street_code, daterange(s.valid_from, s.valid_to) @> CAST(:day AS date) DESC,
    s.valid_from DESC;

-- name: district_places
-- Management regions in scope on a day, and others with counts; land less the zones over it.
SELECT p.code, p.name, p.name_en, p.kind, p.group_code, p.geom_quality, p.land_area_m2
FROM (
    SELECT DISTINCT ON (r.region_code) r.region_code AS code, r.name, r.name_en, r.kind,
        r.group_code, r.geom_quality, r.land_area_m2, r.position
    FROM core.region AS r
    WHERE (daterange(r.valid_from, r.valid_to) @> CAST(:day AS date)
           AND (CAST(:district AS text) IS NULL OR r.region_code = :district))
       OR r.region_code = ANY(CAST(:codes AS text[]))
    ORDER BY r.region_code, daterange(r.valid_from, r.valid_to) @> CAST(:day AS date) DESC,
        r.valid_from DESC
) AS p
LEFT JOIN core.region_group AS g ON g.group_code = p.group_code
ORDER BY coalesce(g.position, 99), p.position, p.kind, p.code;

-- name: admin_places
-- Administrative districts in scope on a day, and others with counts; their whole land.
SELECT p.code, p.name, p.name_en, p.kind, p.group_code, p.geom_quality,
    ST_Area(p.geom_m) - coalesce((
        SELECT sum(ST_Area(ST_Intersection(p.geom_m, w.geom_m))) FROM core.water AS w
        WHERE ST_Intersects(p.geom_m, w.geom_m)), 0) AS land_area_m2
FROM (
    SELECT DISTINCT ON (r.region_code) r.region_code AS code, r.name, r.name_en, r.kind,
        r.group_code, r.geom_quality, r.geom_m, r.position
    FROM core.region AS r
    WHERE r.kind = 'district' AND (
        (daterange(r.valid_from, r.valid_to) @> CAST(:day AS date)
         AND (CAST(:district AS text) IS NULL OR r.region_code = :district))
        OR r.region_code = ANY(CAST(:codes AS text[])))
    ORDER BY r.region_code, daterange(r.valid_from, r.valid_to) @> CAST(:day AS date) DESC,
        r.valid_from DESC
) AS p
ORDER BY p.position, p.code;

-- name: city_places
SELECT 'city' AS code, c.name, c.name_en, 'city' AS kind, NULL AS group_code,
    'derived' AS geom_quality,
    (SELECT sum(r.land_area_m2) FROM core.region AS r
     WHERE daterange(r.valid_from, r.valid_to) @> CAST(:day AS date)
       AND (CAST(:district AS text) IS NULL OR r.region_code = :district)) AS land_area_m2
FROM core.city AS c;

-- name: cell_histogram
-- How many cells of the scope have how many cases, empty ones included; then every place without
-- a cell by its reason.
WITH d AS MATERIALIZED (
    SELECT place, n FROM runs.places(:run_id, 'cell', :category, :source, :district)
)
SELECT NULL AS reason, coalesce(d.n, 0) AS n, count(*) AS places
FROM core.unit_grid AS u LEFT JOIN d ON d.place = u.cell_code
WHERE u.grid_version = :grid_version
  AND (CAST(:district AS text) IS NULL OR u.region_code = :district OR d.n > 0)
GROUP BY 2
UNION ALL
SELECT d.place, d.n, 0 FROM d WHERE d.place ~ '^[a-z_]+$'
UNION ALL
SELECT 'total', coalesce(sum(d.n), 0)::bigint, 0 FROM d
ORDER BY 1 NULLS FIRST, 2;

-- name: block_histogram
-- The same for the parent squares of the zoom ladder; in scope is a square with a cell in scope.
WITH d AS MATERIALIZED (
    SELECT place, n
    FROM runs.places(:run_id, 'block' || CAST(:block_m AS text), :category, :source, :district)
)
SELECT NULL AS reason, coalesce(d.n, 0) AS n, count(*) AS places
FROM core.grid_block AS b LEFT JOIN d ON d.place = CAST(b.block_id AS text)
WHERE b.grid_version = :grid_version AND b.size_m = CAST(:block_m AS integer)
  AND (CAST(:district AS text) IS NULL OR d.n > 0 OR b.block_id IN (
      SELECT CASE CAST(:block_m AS integer) WHEN 500 THEN u.block_500 ELSE u.block_1000 END
      FROM core.unit_grid AS u
      WHERE u.grid_version = :grid_version AND u.region_code = :district))
GROUP BY 2
UNION ALL
SELECT d.place, d.n, 0 FROM d WHERE d.place ~ '^[a-z_]+$'
UNION ALL
SELECT 'total', coalesce(sum(d.n), 0)::bigint, 0 FROM d
ORDER BY 1 NULLS FIRST, 2;

-- name: newest_count
-- Cases of one place in the newest density run (of one grid, if the place is a cell).
SELECT x.run_id, x.month, coalesce(s.n, 0) AS n
FROM runs.run AS x
LEFT JOIN runs.density_place AS s
  ON s.run_id = x.run_id AND s.level = CAST(:level AS text) AND s.place = CAST(:code AS text)
WHERE x.kind = 'density'
  AND (CAST(:grid_version AS text) IS NULL OR x.grid_version = :grid_version)
ORDER BY x.month DESC, x.run_id DESC LIMIT 1;

-- name: groups
SELECT group_code AS code, name, name_en FROM core.region_group ORDER BY position;

-- name: categories
SELECT category_code AS code, name, case_kind AS kind, parent_code, parent_name
FROM core.category ORDER BY category_code;

-- name: sources
SELECT source AS code, name, name_en, coalesce(tier, '') AS tier FROM core.source_name
ORDER BY position;

-- name: regions
-- Regions valid on a day.
SELECT r.region_code AS code, r.name, r.name_en, r.kind, r.group_code AS "group", r.host_district,
    r.geom_quality, r.geom_quality IN ('approximate', 'synthetic') AS approximate, r.attribution,
    round((r.area_m2 / 1e6)::numeric, 2)::float8 AS area_km2,
    round((r.land_area_m2 / 1e6)::numeric, 2)::float8 AS land_area_km2,
    CASE WHEN r.managed_geom IS NULL OR ST_IsEmpty(r.managed_geom) THEN NULL
        ELSE ARRAY[ST_XMin(r.managed_geom), ST_YMin(r.managed_geom), ST_XMax(r.managed_geom),
                   ST_YMax(r.managed_geom)] END AS bbox
FROM core.region AS r LEFT JOIN core.region_group AS g ON g.group_code = r.group_code
WHERE daterange(r.valid_from, r.valid_to) @> CAST(:day AS date)
ORDER BY coalesce(g.position, 99), r.position, r.region_code;

-- name: streets
SELECT street_code AS code, name, district_code, geom_quality,
    geom_quality IN ('approximate', 'synthetic') AS approximate, attribution,
    round((land_area_m2 / 1e6)::numeric, 2)::float8 AS land_area_km2
FROM core.street WHERE daterange(valid_from, valid_to) @> CAST(:day AS date) ORDER BY street_code;

-- name: attributions
SELECT DISTINCT attribution, geom_quality FROM (
    SELECT attribution, geom_quality FROM core.region
    WHERE daterange(valid_from, valid_to) @> CAST(:day AS date)
    UNION ALL SELECT attribution, geom_quality FROM core.street
    WHERE daterange(valid_from, valid_to) @> CAST(:day AS date)
    UNION ALL SELECT attribution, 'map_derived' FROM core.water) AS a
WHERE attribution <> '' ORDER BY 1;

-- name: known_names
-- Every name of the codes of one kind, whenever valid.
SELECT DISTINCT code, name FROM (
    SELECT 'category' AS kind, category_code AS code, name FROM core.category
    UNION ALL SELECT 'category', parent_code, parent_name FROM core.category
    UNION ALL SELECT 'source', source, name FROM core.source_name
    UNION ALL SELECT 'source', source, name_en FROM core.source_name
    UNION ALL SELECT 'region', region_code, name FROM core.region
    UNION ALL SELECT 'region', region_code, name_en FROM core.region
    UNION ALL SELECT 'street', street_code, name FROM core.street
    UNION ALL SELECT kind, code, alias FROM core.alias
) AS names
WHERE kind = CAST(:kind AS text) AND name <> '' ORDER BY code, name;

-- name: read_cell
-- One cell: of today's grid, or of the newest that has it.
SELECT u.cell_code, u.grid_version, u.area_m2, u.district_code, u.street_code, u.region_code,
    s.name AS street_name, r.name AS region_name, d.name AS district_name, u.synthetic,
    coalesce(s.geom_quality IN ('approximate', 'synthetic'), false) AS approximate,
    daterange(g.valid_from, g.valid_to) @> CAST(:day AS date) AS current,
    ARRAY[ST_X(ST_Centroid(u.geom)), ST_Y(ST_Centroid(u.geom))] AS centre,
    ST_AsGeoJSON(u.geom, 7)::json AS geometry
FROM core.unit_grid AS u
JOIN core.grid AS g USING (grid_version)
LEFT JOIN core.street AS s ON s.street_code = u.street_code
 AND daterange(s.valid_from, s.valid_to) @> greatest(g.valid_from, least(CAST(:day AS date), g.valid_to - 1))
LEFT JOIN core.region AS r ON r.region_code = u.region_code
 AND daterange(r.valid_from, r.valid_to) @> greatest(g.valid_from, least(CAST(:day AS date), g.valid_to - 1))
LEFT JOIN core.region AS d ON d.region_code = u.district_code
 AND daterange(d.valid_from, d.valid_to) @> greatest(g.valid_from, least(CAST(:day AS date), g.valid_to - 1))
WHERE u.cell_code = :code
ORDER BY daterange(g.valid_from, g.valid_to) @> CAST(:day AS date) DESC, g.valid_from DESC LIMIT 1;

-- name: read_region
-- One region: of today, or as last known.
SELECT r.region_code AS code, r.name, r.name_en, r.kind, r.group_code AS "group", r.host_district,
    r.geom_quality, r.geom_quality IN ('approximate', 'synthetic') AS approximate, r.attribution,
    r.area_m2, r.land_area_m2,
    daterange(r.valid_from, r.valid_to) @> CAST(:day AS date) AS current,
    ST_AsGeoJSON(ST_SimplifyPreserveTopology(r.managed_geom, 0.0002), 5)::json AS geometry
FROM core.region AS r WHERE r.region_code = :code
ORDER BY daterange(r.valid_from, r.valid_to) @> CAST(:day AS date) DESC, r.valid_from DESC LIMIT 1;

-- name: locate
-- What covers a point on a day: cell, street, administrative district, management region.
WITH p AS (
    SELECT ST_Transform(ST_SetSRID(ST_MakePoint(:lon, :lat), 4326), c.measuring_srid) AS at,
        CAST(:day AS date) AS day
    FROM core.city AS c
)
SELECT g.grid_version, u.cell_code, s.street_code, s.name AS street_name,
    s.geom_quality AS street_quality, d.region_code AS district_code, d.name AS district_name,
    d.geom_quality AS district_quality, r.region_code, r.name AS region_name, r.kind AS region_kind,
    r.geom_quality AS region_quality
FROM p
LEFT JOIN core.grid AS g ON daterange(g.valid_from, g.valid_to) @> p.day
LEFT JOIN LATERAL (
    SELECT cell_code FROM core.unit_grid AS x
    WHERE x.grid_version = g.grid_version AND ST_Intersects(x.geom_m, p.at)
    ORDER BY cell_code LIMIT 1) AS u ON true
LEFT JOIN LATERAL (
    SELECT * FROM core.street AS x
    WHERE daterange(x.valid_from, x.valid_to) @> p.day AND ST_Intersects(x.geom_m, p.at)
    ORDER BY street_code LIMIT 1) AS s ON true
LEFT JOIN LATERAL (
    SELECT * FROM core.region AS x
    WHERE x.kind = 'district' AND daterange(x.valid_from, x.valid_to) @> p.day
      AND ST_Intersects(x.geom_m, p.at) ORDER BY region_code LIMIT 1) AS d ON true
LEFT JOIN LATERAL (
    SELECT * FROM core.region AS x
    WHERE daterange(x.valid_from, x.valid_to) @> p.day AND ST_Intersects(x.geom_m, p.at)
    ORDER BY priority DESC, region_code LIMIT 1) AS r ON true;

-- name: grid_bounds
-- The box of a day's unit grid, from its largest squares.
SELECT ST_XMin(e.box) AS west, ST_YMin(e.box) AS south, ST_XMax(e.box) AS east,
    ST_YMax(e.box) AS north
FROM (
    SELECT ST_Extent(b.geom) AS box FROM core.grid_block AS b JOIN core.grid AS g USING (grid_version)
    WHERE b.size_m = 1000 AND daterange(g.valid_from, g.valid_to) @> CAST(:day AS date)
) AS e;

-- name: frame_cells
-- The unit grid of a day.
SELECT u.cell_code, u.area_m2, u.district_code, u.street_code, u.region_code, u.synthetic,
    u.grid_version, ST_AsBinary(u.geom) AS wkb
FROM core.unit_grid AS u JOIN core.grid AS g USING (grid_version)
WHERE daterange(g.valid_from, g.valid_to) @> CAST(:day AS date) ORDER BY u.cell_code;

-- name: frame_districts
-- Management regions of a day as they are drawn: less the zones over them.
SELECT region_code AS code, name, name_en, kind, group_code, geom_quality, attribution,
    land_area_m2, ST_AsBinary(managed_geom) AS wkb
FROM core.region
WHERE daterange(valid_from, valid_to) @> CAST(:day AS date)
  AND managed_geom IS NOT NULL AND NOT ST_IsEmpty(managed_geom)
ORDER BY region_code;

-- name: frame_admin
-- Administrative districts of a day, whole.
SELECT region_code AS code, name, name_en, kind, group_code, geom_quality, ST_AsBinary(geom) AS wkb
FROM core.region
WHERE kind = 'district' AND daterange(valid_from, valid_to) @> CAST(:day AS date)
  AND geom IS NOT NULL
ORDER BY region_code;

-- name: frame_streets
SELECT street_code AS code, name, district_code, geom_quality, land_area_m2, ST_AsBinary(geom) AS wkb
FROM core.street WHERE daterange(valid_from, valid_to) @> CAST(:day AS date) ORDER BY street_code;

-- name: frame_water
SELECT CAST(water_id AS text) AS code, name, ST_AsBinary(geom) AS wkb FROM core.water ORDER BY 1;
