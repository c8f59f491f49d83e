-- name: drop_region_layer
-- The layer of the same start, and what an earlier one says of the days from that start on.
DELETE FROM core.region
WHERE kind = :kind AND (layer_from = CAST(:start AS date)
    OR layer_from < CAST(:start AS date) AND valid_from >= CAST(:start AS date));

-- name: end_region_layer
UPDATE core.region SET valid_to = CAST(:start AS date)
WHERE kind = :kind AND layer_from < CAST(:start AS date) AND valid_to > CAST(:start AS date);

-- name: insert_region
-- One region of a layer, from its own first day or the layer's until the next layer begins.
INSERT INTO core.region (region_code, name, name_en, kind, group_code, position, priority,
    geom_quality, attribution, geom, geom_m, layer_from, valid_from, valid_to)
SELECT :region_code, :name, :name_en, :kind, :group_code, :position, :priority,
    :geom_quality, :attribution, g.geom, ST_Transform(g.geom, c.measuring_srid),
    CAST(:start AS date), v.valid_from, v.valid_to
FROM core.city AS c, (SELECT ST_Multi(ST_GeomFromWKB(:wkb, 4326)) AS geom) AS g,
    (SELECT greatest(CAST(:start AS date), CAST(:own_from AS date)) AS valid_from,
        least(CAST(:own_to AS date), (SELECT min(r.layer_from) FROM core.region AS r
            WHERE r.kind = :kind AND r.layer_from > CAST(:start AS date))) AS valid_to) AS v
WHERE v.valid_from < v.valid_to;

-- name: drop_street_layer
DELETE FROM core.street WHERE layer_from = CAST(:start AS date);

-- name: end_street_layer
UPDATE core.street SET valid_to = CAST(:start AS date)
WHERE layer_from < CAST(:start AS date) AND valid_to > CAST(:start AS date);

-- name: insert_street
INSERT INTO core.street (street_code, name, district_code, geom_quality, attribution,
    geom, geom_m, layer_from, valid_from, valid_to)
SELECT :street_code, :name, :district_code, :geom_quality, :attribution,
    g.geom, ST_Transform(g.geom, c.measuring_srid), CAST(:start AS date), CAST(:start AS date),
    coalesce((SELECT min(layer_from) FROM core.street WHERE layer_from > CAST(:start AS date)),
        'infinity')
FROM core.city AS c, (SELECT ST_Multi(ST_GeomFromWKB(:wkb, 4326)) AS geom) AS g;

-- name: insert_water
INSERT INTO core.water (name, attribution, geom, geom_m)
SELECT :name, :attribution, g.geom, ST_Transform(g.geom, c.measuring_srid)
FROM core.city AS c, (SELECT ST_Multi(ST_GeomFromWKB(:wkb, 4326)) AS geom) AS g;

-- name: join_regions
-- One row again per region of a layer: where it is cut follows from what is loaded now.
WITH later AS (
    DELETE FROM core.region AS r
    USING (SELECT region_code, layer_from, min(valid_from) AS valid_from
           FROM core.region GROUP BY region_code, layer_from) AS f
    WHERE r.region_code = f.region_code AND r.layer_from = f.layer_from
      AND r.valid_from > f.valid_from
    RETURNING r.region_code, f.valid_from, r.valid_to
)
UPDATE core.region AS r SET valid_to = w.valid_to
FROM (SELECT region_code, valid_from, max(valid_to) AS valid_to
      FROM later GROUP BY region_code, valid_from) AS w
WHERE r.region_code = w.region_code AND r.valid_from = w.valid_from;

-- name: cut_regions
-- One row per span of days in which the same regions lie over it and under it: so what is left of
-- it, and its host, are right on every day.
WITH cut AS (
    SELECT r.region_code, r.valid_from, d.day, lead(d.day, 1, r.valid_to) OVER (
        PARTITION BY r.region_code, r.valid_from ORDER BY d.day) AS until
    FROM core.region AS r
    CROSS JOIN LATERAL (
        SELECT DISTINCT b.day
        FROM core.region AS h CROSS JOIN LATERAL (VALUES (h.valid_from), (h.valid_to)) AS b (day)
        WHERE b.day > r.valid_from AND b.day < r.valid_to
          AND (h.kind <> r.kind OR h.priority > r.priority)
          AND h.geom && r.geom AND ST_Relate(h.geom, r.geom, 'T********')
    ) AS d
), head AS (
    UPDATE core.region AS r SET valid_to = c.day
    FROM (SELECT region_code, valid_from, min(day) AS day
          FROM cut GROUP BY region_code, valid_from) AS c
    WHERE r.region_code = c.region_code AND r.valid_from = c.valid_from
    RETURNING r.*
)
INSERT INTO core.region (region_code, name, name_en, kind, group_code, position, priority,
    geom_quality, attribution, geom, geom_m, layer_from, valid_from, valid_to)
SELECT r.region_code, r.name, r.name_en, r.kind, r.group_code, r.position, r.priority,
    r.geom_quality, r.attribution, r.geom, r.geom_m, r.layer_from, c.day, c.until
FROM head AS r JOIN cut AS c USING (region_code, valid_from);

-- name: settle_regions
-- What is left of a region after those of higher priority on the same days.
UPDATE core.region AS r
SET managed_geom = ST_Multi(ST_CollectionExtract(coalesce(
        ST_Difference(r.geom, (
            SELECT ST_Union(h.geom) FROM core.region AS h
            WHERE h.priority > r.priority AND h.geom IS NOT NULL AND ST_Intersects(h.geom, r.geom)
              AND daterange(h.valid_from, h.valid_to) @> r.valid_from)),
        r.geom), 3));

-- name: settle_region_land
UPDATE core.region AS r
SET area_m2 = ST_Area(m.geom),
    land_area_m2 = ST_Area(m.geom) - coalesce((
        SELECT sum(ST_Area(ST_Intersection(m.geom, w.geom_m))) FROM core.water AS w
        WHERE ST_Intersects(m.geom, w.geom_m)), 0),
    label_point = CASE WHEN ST_IsEmpty(r.managed_geom) THEN NULL
        ELSE (ST_MaximumInscribedCircle(r.managed_geom)).center END
FROM (
    SELECT s.region_code, s.valid_from, ST_Transform(s.managed_geom, c.measuring_srid) AS geom
    FROM core.region AS s CROSS JOIN core.city AS c
) AS m
WHERE m.region_code = r.region_code AND m.valid_from = r.valid_from;

-- name: settle_streets
UPDATE core.street AS s
SET area_m2 = ST_Area(s.geom_m),
    land_area_m2 = ST_Area(s.geom_m) - coalesce((
        SELECT sum(ST_Area(ST_Intersection(s.geom_m, w.geom_m))) FROM core.water AS w
        WHERE ST_Intersects(s.geom_m, w.geom_m)), 0),
    label_point = (ST_MaximumInscribedCircle(s.geom)).center;

-- name: settle_hosts
-- The administrative district of a zone, where one district alone hosts it.
UPDATE core.region AS z
SET host_district = (
    SELECT CASE WHEN count(*) = 1 THEN min(d.region_code) END FROM core.region AS d
    WHERE d.kind = 'district' AND daterange(d.valid_from, d.valid_to) @> z.valid_from
      AND ST_Intersects(d.geom_m, z.geom_m)
      AND ST_Area(ST_Intersection(d.geom_m, z.geom_m)) > 0.01 * ST_Area(z.geom_m))
WHERE z.kind = 'zone';

-- name: stage_cells
CREATE TEMP TABLE staged_cell (
    cell_code text, wkb bytea, area_m2 double precision, ix integer, iy integer, whole boolean,
    district_code text, street_code text, synthetic boolean
) ON COMMIT DROP;

-- name: drop_replaced_grid
DELETE FROM core.grid WHERE valid_from = CAST(:start AS date);

-- name: end_earlier_grid
UPDATE core.grid SET valid_to = CAST(:start AS date)
WHERE valid_from < CAST(:start AS date) AND valid_to > CAST(:start AS date);

-- name: insert_grid
INSERT INTO core.grid (grid_version, kind, size_m, within, geom_quality, attribution, cell_count,
    area_m2, valid_from, valid_to)
SELECT :grid_version, :kind, :size_m, CAST(:within AS text[]), :geom_quality, :attribution,
    count(*), coalesce(sum(area_m2), 0), CAST(:start AS date),
    coalesce((SELECT min(valid_from) FROM core.grid WHERE valid_from > CAST(:start AS date)),
        'infinity')
FROM staged_cell;

-- name: insert_cells
-- Block ids: column and row of the block that holds the representative point, both shifted by 2^20.
INSERT INTO core.unit_grid (grid_version, cell_code, geom, geom_m, area_m2, ix, iy, whole,
    district_code, street_code, block_500, block_1000, synthetic)
SELECT :grid_version, s.cell_code, ST_Transform(g.geom, 4326), g.geom, s.area_m2, s.ix, s.iy,
    s.whole, s.district_code, s.street_code,
    (floor(ST_X(p.at) / 500)::bigint + 1048576) * 2097152 + floor(ST_Y(p.at) / 500)::bigint + 1048576,
    (floor(ST_X(p.at) / 1000)::bigint + 1048576) * 2097152 + floor(ST_Y(p.at) / 1000)::bigint + 1048576,
    s.synthetic
FROM staged_cell AS s
CROSS JOIN core.city AS c
CROSS JOIN LATERAL (SELECT ST_Multi(ST_GeomFromWKB(s.wkb, c.measuring_srid)) AS geom) AS g
CROSS JOIN LATERAL (SELECT CASE WHEN s.whole THEN ST_Centroid(g.geom)
    ELSE ST_PointOnSurface(g.geom) END AS at) AS p
ORDER BY s.cell_code;

-- name: insert_blocks
-- Parent cells of the zoom ladder: the union of their cells.
INSERT INTO core.grid_block (grid_version, size_m, block_id, geom, area_m2)
SELECT :grid_version, CAST(:block_m AS integer), b.block_id,
    ST_Multi(ST_Transform(b.geom_m, 4326)), b.area_m2
FROM (
    SELECT CASE CAST(:block_m AS integer) WHEN 500 THEN block_500 ELSE block_1000 END AS block_id,
        ST_Union(geom_m) AS geom_m, sum(area_m2) AS area_m2
    FROM core.unit_grid WHERE grid_version = :grid_version GROUP BY 1
) AS b;

-- name: place_cells_in_regions
-- The management region that covers the middle of a cell: of several the last that holds while the
-- grid does, then as for cases. A cell that none covers has none.
UPDATE core.unit_grid AS u SET region_code = f.region_code
FROM core.unit_grid AS x
LEFT JOIN (
    SELECT DISTINCT ON (c.grid_version, c.cell_code) c.grid_version, c.cell_code, r.region_code
    FROM core.region AS r
    CROSS JOIN LATERAL (
        SELECT x.grid_version, x.cell_code FROM core.unit_grid AS x
        WHERE ST_Intersects(r.geom_m, x.geom_m) AND ST_Covers(r.geom_m, CASE WHEN x.whole
            THEN ST_Centroid(x.geom_m) ELSE ST_PointOnSurface(x.geom_m) END) OFFSET 0
    ) AS c
    JOIN core.grid AS g ON g.grid_version = c.grid_version
     AND daterange(g.valid_from, g.valid_to) && daterange(r.valid_from, r.valid_to)
    ORDER BY c.grid_version, c.cell_code, least(g.valid_to, r.valid_to) DESC, r.priority DESC,
        r.region_code
) AS f USING (grid_version, cell_code)
WHERE u.grid_version = x.grid_version AND u.cell_code = x.cell_code
  AND u.region_code IS DISTINCT FROM f.region_code;

-- name: today
-- The city's own date.
SELECT (now() AT TIME ZONE time_zone)::date FROM core.city;

-- name: read_regions
-- The days are those of the region in its layer, not of its row: that may be cut by other layers.
SELECT r.region_code AS code, r.name, r.kind, r.geom_quality AS quality, r.attribution,
    nullif(CAST(w.valid_from AS text), '-infinity') AS valid_from,
    nullif(CAST(w.valid_to AS text), 'infinity') AS valid_to,
    ST_AsBinary(r.geom) AS wkb
FROM core.region AS r
JOIN (SELECT region_code, layer_from, min(valid_from) AS valid_from, max(valid_to) AS valid_to
      FROM core.region GROUP BY region_code, layer_from) AS w USING (region_code, layer_from)
WHERE r.kind = :kind AND r.geom IS NOT NULL
  AND daterange(r.valid_from, r.valid_to) @> CAST(:day AS date)
ORDER BY r.region_code;

-- name: read_streets
SELECT street_code AS code, name, 'street' AS kind, geom_quality AS quality, attribution,
    nullif(CAST(valid_from AS text), '-infinity') AS valid_from,
    nullif(CAST(valid_to AS text), 'infinity') AS valid_to,
    ST_AsBinary(geom) AS wkb
FROM core.street
WHERE geom IS NOT NULL AND daterange(valid_from, valid_to) @> CAST(:day AS date)
ORDER BY street_code;

-- name: read_water
SELECT CAST(water_id AS text) AS code, name, 'water' AS kind, 'map_derived' AS quality,
    attribution, NULL AS valid_from, NULL AS valid_to, ST_AsBinary(geom) AS wkb
FROM core.water ORDER BY water_id;

-- name: read_cells
SELECT u.cell_code AS code, u.cell_code AS name, 'cell' AS kind, g.geom_quality AS quality,
    g.attribution, nullif(CAST(g.valid_from AS text), '-infinity') AS valid_from,
    nullif(CAST(g.valid_to AS text), 'infinity') AS valid_to,
    g.grid_version, u.district_code, u.street_code, u.region_code, u.area_m2, u.synthetic,
    ST_AsBinary(u.geom) AS wkb
FROM core.unit_grid AS u JOIN core.grid AS g USING (grid_version)
WHERE daterange(g.valid_from, g.valid_to) @> CAST(:day AS date) ORDER BY u.cell_code;

-- name: grid_versions
SELECT grid_version, kind, size_m, cell_count, area_m2,
    nullif(CAST(g.valid_from AS text), '-infinity') AS valid_from,
    nullif(CAST(g.valid_to AS text), 'infinity') AS valid_to
FROM core.grid AS g ORDER BY g.valid_from DESC;
