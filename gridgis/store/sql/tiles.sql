-- name: cells
-- Unit grids of a tile with their counts; with a district, those of its scope.
SELECT ST_AsMVT(t, 'cells', 4096, 'geom', 'id') FROM (
    SELECT CAST(u.cell_code AS bigint) AS id, coalesce(s.n, 0)::integer AS n,
        ST_AsMVTGeom(ST_Transform(u.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.unit_grid AS u
    LEFT JOIN runs.places(:run_id, 'cell', :category, :source, :district) AS s
      ON s.place = u.cell_code
    WHERE u.grid_version = :grid_version
      AND u.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
      AND (CAST(:district AS text) IS NULL OR u.region_code = :district OR s.n > 0)
    ORDER BY u.cell_code
) AS t;

-- name: blocks
-- Parent squares of a tile; with a district, those with a cell of its scope.
SELECT ST_AsMVT(t, 'cells', 4096, 'geom', 'id') FROM (
    SELECT b.block_id AS id, coalesce(s.n, 0)::integer AS n,
        ST_AsMVTGeom(ST_Transform(b.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.grid_block AS b
    LEFT JOIN runs.places(:run_id, 'block' || CAST(:block_m AS text), :category, :source, :district)
        AS s ON s.place = CAST(b.block_id AS text)
    WHERE b.grid_version = :grid_version AND b.size_m = CAST(:block_m AS integer)
      AND b.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
      AND (CAST(:district AS text) IS NULL OR s.n > 0 OR b.block_id IN (
          SELECT CASE CAST(:block_m AS integer) WHEN 500 THEN u.block_500 ELSE u.block_1000 END
          FROM core.unit_grid AS u
          WHERE u.grid_version = :grid_version AND u.region_code = :district))
    ORDER BY b.block_id
) AS t;

-- name: streets
-- Streets of the run's day: cases and cases per km² of land.
SELECT ST_AsMVT(t, 'streets', 4096, 'geom') FROM (
    SELECT s.street_code AS code, coalesce(d.n, 0)::integer AS n,
        CASE WHEN s.land_area_m2 > 0 THEN greatest(
            round((coalesce(d.n, 0) / (s.land_area_m2 / 1e6))::numeric, 2),
            CASE WHEN d.n > 0 THEN 0.01 END)::float8 END AS v,
        (s.geom_quality IN ('approximate', 'synthetic'))::integer AS a,
        ST_AsMVTGeom(ST_Transform(s.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.street AS s
    LEFT JOIN runs.places(:run_id, 'street', :category, :source, :district) AS d
      ON d.place = s.street_code
    WHERE daterange(s.valid_from, s.valid_to) @> CAST(:day AS date)
      AND s.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
      AND (CAST(:district AS text) IS NULL OR s.district_code = :district OR d.n > 0)
    ORDER BY s.street_code
) AS t;

-- name: districts
-- Management regions of the run's day: cases and cases per km² of land.
SELECT ST_AsMVT(t, 'districts', 4096, 'geom') FROM (
    SELECT r.region_code AS code, r.kind AS k, coalesce(d.n, 0)::integer AS n,
        CASE WHEN r.land_area_m2 > 0 THEN greatest(
            round((coalesce(d.n, 0) / (r.land_area_m2 / 1e6))::numeric, 2),
            CASE WHEN d.n > 0 THEN 0.01 END)::float8 END AS v,
        (r.geom_quality IN ('approximate', 'synthetic'))::integer AS a,
        ST_AsMVTGeom(ST_Transform(r.managed_geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true)
            AS geom
    FROM core.region AS r
    LEFT JOIN runs.places(:run_id, 'district', :category, :source, :district) AS d
      ON d.place = r.region_code
    WHERE daterange(r.valid_from, r.valid_to) @> CAST(:day AS date)
      AND r.managed_geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
      AND (CAST(:district AS text) IS NULL OR r.region_code = :district)
    ORDER BY r.priority, r.region_code
) AS t;

-- name: base
-- Water, names and borders of the run's day; three layers in one tile. A border is drawn once, as a
-- line, and is approximate (a = 1) if an area on either side is.
WITH box AS (
    SELECT ST_Expand(ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326), 6 / 2 ^ CAST(:z AS integer))
        AS at
), line AS (
    SELECT 'region' AS kind, r.geom_quality IN ('approximate', 'synthetic') AS a,
        ST_ClipByBox2D(ST_Boundary(r.managed_geom), box.at) AS geom
    FROM core.region AS r CROSS JOIN box
    WHERE daterange(r.valid_from, r.valid_to) @> CAST(:day AS date) AND r.managed_geom && box.at
    UNION ALL
    SELECT 'street', s.geom_quality IN ('approximate', 'synthetic'),
        ST_ClipByBox2D(ST_Boundary(s.geom), box.at)
    FROM core.street AS s CROSS JOIN box
    WHERE daterange(s.valid_from, s.valid_to) @> CAST(:day AS date) AND s.geom && box.at AND :z >= 10
), side AS (
    SELECT kind, ST_Union(geom, 1e-7) FILTER (WHERE a) AS approximate,
        ST_Union(geom, 1e-7) FILTER (WHERE NOT a) AS exact
    FROM line GROUP BY kind
), border AS (
    SELECT kind, 1 AS a, ST_LineMerge(approximate) AS geom FROM side
    UNION ALL
    SELECT kind, 0, ST_LineMerge(coalesce(ST_Difference(exact, approximate, 1e-7), exact)) FROM side
)
SELECT (
    SELECT ST_AsMVT(t, 'borders', 4096, 'geom') FROM (
        SELECT kind, a,
            ST_AsMVTGeom(ST_Transform(geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
        FROM border ORDER BY kind, a
    ) AS t
) || (
    SELECT ST_AsMVT(t, 'water', 4096, 'geom') FROM (
        SELECT ST_AsMVTGeom(ST_Transform(w.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true)
            AS geom
        FROM core.water AS w WHERE w.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
        ORDER BY w.water_id
    ) AS t
) || (
    SELECT ST_AsMVT(t, 'names', 4096, 'geom') FROM (
        SELECT x.code, x.name, x.kind,
            ST_AsMVTGeom(ST_Transform(x.at, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
        FROM (
            SELECT region_code AS code, name, kind, label_point AS at FROM core.region
            WHERE daterange(valid_from, valid_to) @> CAST(:day AS date)
            UNION ALL
            SELECT street_code, name, 'street', label_point FROM core.street
            WHERE daterange(valid_from, valid_to) @> CAST(:day AS date) AND :z >= 11
            UNION ALL
            SELECT CAST(water_id AS text), name, 'water', ST_PointOnSurface(geom) FROM core.water
        ) AS x
        WHERE x.at && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
        ORDER BY x.code
    ) AS t
);
