-- name: create_placing_staged
-- The rows of one import that are to be placed, in the measuring CRS, with the grid of their day.
CREATE TEMP TABLE to_place ON COMMIT DROP AS
SELECT s.case_no, s.on_date, s.radius_m, s.stated_region_code, s.cross_area, s.geom_m,
    g.grid_version, g.size_m,
    s.radius_m <= coalesce(g.size_m, 0) / 2.0 AS fine,
    g.size_m IS NOT NULL AND (
        ST_X(s.geom_m) / g.size_m = floor(ST_X(s.geom_m) / g.size_m)
        OR ST_Y(s.geom_m) / g.size_m = floor(ST_Y(s.geom_m) / g.size_m)) AS on_edge
FROM (
    SELECT case_no, (reported_at AT TIME ZONE c.time_zone)::date AS on_date,
        coalesce(locate_radius_m, 0) AS radius_m, stated_region_code, cross_area,
        ST_Transform(ST_SetSRID(ST_MakePoint(lon, lat), 4326), c.measuring_srid) AS geom_m
    FROM staged_case CROSS JOIN core.city AS c
) AS s
LEFT JOIN core.grid AS g ON s.on_date >= g.valid_from AND s.on_date < g.valid_to;

-- name: create_placing_stored
-- The same for every stored case, when areas or cells changed.
CREATE TEMP TABLE to_place ON COMMIT DROP AS
SELECT s.case_no, s.on_date, s.radius_m, s.stated_region_code, s.cross_area, s.geom_m,
    g.grid_version, g.size_m,
    s.radius_m <= coalesce(g.size_m, 0) / 2.0 AS fine,
    g.size_m IS NOT NULL AND (
        ST_X(s.geom_m) / g.size_m = floor(ST_X(s.geom_m) / g.size_m)
        OR ST_Y(s.geom_m) / g.size_m = floor(ST_Y(s.geom_m) / g.size_m)) AS on_edge
FROM (
    SELECT case_no, (reported_at AT TIME ZONE c.time_zone)::date AS on_date,
        coalesce(locate_radius_m, 0) AS radius_m, stated_region_code,
        region_method = 'cross_area' AS cross_area, geom_m
    FROM core.case_record CROSS JOIN core.city AS c
) AS s
LEFT JOIN core.grid AS g ON s.on_date >= g.valid_from AND s.on_date < g.valid_to;

-- name: index_placing
CREATE INDEX placing_geom ON to_place USING gist (geom_m);

-- name: analyze_placing
ANALYZE to_place;

-- name: create_placed_cell
CREATE TEMP TABLE placed_cell (case_no text, cell_code text) ON COMMIT DROP;

-- name: place_by_key
-- An uncut square of a generated grid is decided by its key; edges take the exact way below.
INSERT INTO placed_cell
SELECT p.case_no, u.cell_code
FROM to_place AS p
JOIN core.unit_grid AS u ON u.grid_version = p.grid_version AND u.whole
 AND u.ix = floor(ST_X(p.geom_m) / p.size_m)::integer
 AND u.iy = floor(ST_Y(p.geom_m) / p.size_m)::integer
WHERE NOT p.on_edge AND p.fine;

-- name: place_by_cover
-- Cut squares and irregular cells: cells outer, over the spatial index of the points. On a shared
-- border the lowest code. A loaded cell trusts a point up to half the root of its area.
INSERT INTO placed_cell
SELECT c.case_no, min(u.cell_code)
FROM core.unit_grid AS u
CROSS JOIN LATERAL (
    SELECT p.case_no FROM to_place AS p
    WHERE ST_Intersects(u.geom_m, p.geom_m) AND NOT p.on_edge
      AND p.grid_version = u.grid_version
      AND (p.fine OR (p.size_m IS NULL AND p.radius_m <= sqrt(u.area_m2) / 2)) OFFSET 0
) AS c
WHERE NOT u.whole AND u.grid_version IN (SELECT DISTINCT grid_version FROM to_place)
GROUP BY c.case_no;

-- name: place_edges
-- The few points on a line of the grid: every cell that touches them, lowest code.
INSERT INTO placed_cell
SELECT p.case_no, min(u.cell_code)
FROM to_place AS p
JOIN core.unit_grid AS u ON u.grid_version = p.grid_version AND ST_Intersects(u.geom_m, p.geom_m)
WHERE p.on_edge AND p.fine
GROUP BY p.case_no;

-- name: place_regions
-- Management region: highest priority, on a border the lowest code. Admin district beside it.
CREATE TEMP TABLE placed_region ON COMMIT DROP AS
SELECT c.case_no,
    (array_agg(r.region_code ORDER BY r.priority DESC, r.region_code))[1] AS region_code,
    min(r.region_code) FILTER (WHERE r.kind = 'district') AS district_code
FROM core.region AS r
CROSS JOIN LATERAL (
    SELECT p.case_no FROM to_place AS p
    WHERE ST_Intersects(r.geom_m, p.geom_m)
      AND p.on_date >= r.valid_from AND p.on_date < r.valid_to OFFSET 0
) AS c
GROUP BY c.case_no;

-- name: place_streets
CREATE TEMP TABLE placed_street ON COMMIT DROP AS
SELECT c.case_no, min(s.street_code) AS street_code
FROM core.street AS s
CROSS JOIN LATERAL (
    SELECT p.case_no FROM to_place AS p
    WHERE ST_Intersects(s.geom_m, p.geom_m)
      AND p.on_date >= s.valid_from AND p.on_date < s.valid_to OFFSET 0
) AS c
GROUP BY c.case_no;

-- name: create_placed
-- The verdict per case. A coarse point decides a region only where no region is stated.
CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT p.case_no, pc.cell_code,
    CASE WHEN pc.cell_code IS NOT NULL THEN p.grid_version END AS grid_version,
    CASE WHEN pc.cell_code IS NOT NULL THEN NULL
         WHEN p.geom_m IS NULL THEN 'no_point'
         WHEN NOT p.fine AND p.size_m IS NOT NULL THEN 'too_coarse'
         WHEN p.size_m IS NULL AND p.radius_m > 0 AND EXISTS (
             SELECT FROM core.unit_grid AS u WHERE u.grid_version = p.grid_version
               AND ST_Intersects(u.geom_m, p.geom_m)) THEN 'too_coarse'
         ELSE 'outside_cells' END AS no_cell_reason,
    ps.street_code,
    coalesce(CASE WHEN v.method = 'stated' AND sr.kind = 'district' THEN sr.region_code
                  WHEN v.method = 'stated' AND sr.kind = 'zone' THEN
                      coalesce(pr.district_code, sr.host_district) END,
             pr.district_code) AS district_code,
    CASE v.method WHEN 'polygon' THEN pr.region_code WHEN 'stated' THEN p.stated_region_code END
        AS region_code,
    v.method AS region_method
FROM to_place AS p
LEFT JOIN placed_cell AS pc USING (case_no)
LEFT JOIN placed_region AS pr USING (case_no)
LEFT JOIN placed_street AS ps USING (case_no)
LEFT JOIN core.region AS sr ON sr.region_code = p.stated_region_code
 AND p.on_date >= sr.valid_from AND p.on_date < sr.valid_to
CROSS JOIN LATERAL (SELECT CASE
    WHEN p.cross_area THEN 'cross_area'
    WHEN pr.region_code IS NOT NULL AND p.radius_m <= :coarse_m THEN 'polygon'
    WHEN p.stated_region_code IS NOT NULL THEN 'stated'
    WHEN pr.region_code IS NOT NULL THEN 'polygon'
    ELSE 'none' END AS method) AS v;

-- name: apply_placed
-- Stored cases whose place changed with the areas.
UPDATE core.case_record AS k
SET cell_code = p.cell_code, grid_version = p.grid_version, no_cell_reason = p.no_cell_reason,
    street_code = p.street_code, district_code = p.district_code, region_code = p.region_code,
    region_method = p.region_method, updated_at = now()
FROM placed AS p
WHERE k.case_no = p.case_no
  AND (k.cell_code, k.grid_version, k.no_cell_reason, k.street_code, k.district_code,
       k.region_code, k.region_method)
      IS DISTINCT FROM (p.cell_code, p.grid_version, p.no_cell_reason, p.street_code,
       p.district_code, p.region_code, p.region_method);
