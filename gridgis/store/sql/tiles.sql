-- name: cells
-- Unit grids of a tile with their counts; without filters from the stored sums.
SELECT ST_AsMVT(t, 'cells', 4096, 'geom', 'id') FROM (
    SELECT CAST(u.cell_code AS bigint) AS id, coalesce(s.n, 0)::integer AS n,
        ST_AsMVTGeom(ST_Transform(u.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.unit_grid AS u
    LEFT JOIN runs.density_place AS s
      ON s.run_id = :run_id AND s.level = 'cell' AND s.place = u.cell_code
    WHERE u.grid_version = :grid_version
      AND u.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
    ORDER BY u.cell_code
) AS t WHERE t.geom IS NOT NULL;

-- name: cells_filtered
SELECT ST_AsMVT(t, 'cells', 4096, 'geom', 'id') FROM (
    SELECT CAST(u.cell_code AS bigint) AS id, coalesce(s.n, 0)::integer AS n,
        ST_AsMVTGeom(ST_Transform(u.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.unit_grid AS u
    LEFT JOIN LATERAL (
        SELECT sum(d.n) AS n FROM runs.density_count AS d
        WHERE d.run_id = :run_id AND d.cell_code = u.cell_code
          AND (CAST(:category AS text) IS NULL OR d.subcategory_code LIKE :category)
          AND (CAST(:source AS text) IS NULL OR d.source = :source)
          AND (CAST(:district AS text) IS NULL OR d.region_key = :district)
    ) AS s ON true
    WHERE u.grid_version = :grid_version
      AND u.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
      AND (CAST(:district AS text) IS NULL OR u.region_code = :district OR s.n > 0)
    ORDER BY u.cell_code
) AS t WHERE t.geom IS NOT NULL;

-- name: blocks
SELECT ST_AsMVT(t, 'cells', 4096, 'geom', 'id') FROM (
    SELECT b.block_id AS id, coalesce(s.n, 0)::integer AS n,
        ST_AsMVTGeom(ST_Transform(b.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.grid_block AS b
    LEFT JOIN runs.density_place AS s ON s.run_id = :run_id
     AND s.level = 'block' || CAST(:block_m AS text) AND s.place = CAST(b.block_id AS text)
    WHERE b.grid_version = :grid_version AND b.size_m = CAST(:block_m AS integer)
      AND b.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
    ORDER BY b.block_id
) AS t WHERE t.geom IS NOT NULL;

-- name: blocks_filtered
SELECT ST_AsMVT(t, 'cells', 4096, 'geom', 'id') FROM (
    SELECT b.block_id AS id, coalesce(s.n, 0)::integer AS n,
        ST_AsMVTGeom(ST_Transform(b.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.grid_block AS b
    JOIN (
        SELECT CASE CAST(:block_m AS integer) WHEN 500 THEN u.block_500 ELSE u.block_1000 END
            AS block_id, sum(d.n) AS n
        FROM core.unit_grid AS u
        LEFT JOIN runs.density_count AS d ON d.run_id = :run_id AND d.cell_code = u.cell_code
          AND (CAST(:category AS text) IS NULL OR d.subcategory_code LIKE :category)
          AND (CAST(:source AS text) IS NULL OR d.source = :source)
          AND (CAST(:district AS text) IS NULL OR d.region_key = :district)
        WHERE u.grid_version = :grid_version
          AND u.geom && ST_Expand(ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326), 0.02)
          AND (CAST(:district AS text) IS NULL OR u.region_code = :district OR d.n > 0)
        GROUP BY 1
    ) AS s USING (block_id)
    WHERE b.grid_version = :grid_version AND b.size_m = CAST(:block_m AS integer)
      AND b.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
    ORDER BY b.block_id
) AS t WHERE t.geom IS NOT NULL;

-- name: streets
SELECT ST_AsMVT(t, 'streets', 4096, 'geom') FROM (
    SELECT s.street_code AS code, coalesce(d.n, 0)::integer AS n,
        round((coalesce(d.n, 0) / (s.land_area_m2 / 1e6))::numeric, 2)::float8 AS v,
        (s.geom_quality IN ('approximate', 'synthetic'))::integer AS a,
        ST_AsMVTGeom(ST_Transform(s.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
    FROM core.street AS s
    LEFT JOIN (
        SELECT street_code, sum(n) AS n FROM runs.density_count
        WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
          AND (CAST(:source AS text) IS NULL OR source = :source)
          AND (CAST(:district AS text) IS NULL OR region_key = :district) GROUP BY 1
    ) AS d USING (street_code)
    WHERE s.valid_to = 'infinity' AND s.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
    ORDER BY s.street_code
) AS t WHERE t.geom IS NOT NULL;

-- name: districts
SELECT ST_AsMVT(t, 'districts', 4096, 'geom') FROM (
    SELECT r.region_code AS code, r.kind AS k, coalesce(d.n, 0)::integer AS n,
        round((coalesce(d.n, 0) / nullif(r.land_area_m2 / 1e6, 0))::numeric, 2)::float8 AS v,
        (r.geom_quality IN ('approximate', 'synthetic'))::integer AS a,
        ST_AsMVTGeom(ST_Transform(r.managed_geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true)
            AS geom
    FROM core.region AS r
    LEFT JOIN (
        SELECT region_key, sum(n) AS n FROM runs.density_count
        WHERE run_id = :run_id AND (CAST(:category AS text) IS NULL OR subcategory_code LIKE :category)
          AND (CAST(:source AS text) IS NULL OR source = :source) GROUP BY 1
    ) AS d ON d.region_key = r.region_code
    WHERE r.valid_to = 'infinity'
      AND r.managed_geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
    ORDER BY r.priority, r.region_code
) AS t WHERE t.geom IS NOT NULL;

-- name: base
-- Water and names; two layers in one tile.
SELECT (
    SELECT ST_AsMVT(t, 'water', 4096, 'geom') FROM (
        SELECT ST_AsMVTGeom(ST_Transform(w.geom, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true)
            AS geom
        FROM core.water AS w WHERE w.geom && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
    ) AS t WHERE t.geom IS NOT NULL
) || (
    SELECT ST_AsMVT(t, 'names', 4096, 'geom') FROM (
        SELECT x.code, x.name, x.kind,
            ST_AsMVTGeom(ST_Transform(x.at, 3857), ST_TileEnvelope(:z, :x, :y), 4096, 64, true) AS geom
        FROM (
            SELECT region_code AS code, name, kind, label_point AS at FROM core.region
            WHERE valid_to = 'infinity'
            UNION ALL
            SELECT street_code, name, 'street', label_point FROM core.street
            WHERE valid_to = 'infinity' AND :z >= 11
            UNION ALL
            SELECT CAST(water_id AS text), name, 'water', ST_PointOnSurface(geom) FROM core.water
        ) AS x
        WHERE x.at && ST_Transform(ST_TileEnvelope(:z, :x, :y), 4326)
        ORDER BY x.code
    ) AS t WHERE t.geom IS NOT NULL
);
