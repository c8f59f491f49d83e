-- name: create_placing
-- The rows to place, in the measuring CRS, each with the grid version of its day.
CREATE TEMP TABLE to_place (
    place_id integer GENERATED ALWAYS AS IDENTITY,
    case_no text NOT NULL,
    on_date date NOT NULL,
    radius_m real NOT NULL,
    stated_region_code text,
    cross_area boolean NOT NULL,
    geom_m geometry,
    grid_version text,
    size_m integer,
    fine boolean NOT NULL GENERATED ALWAYS AS (radius_m <= coalesce(size_m, 0) / 2.0) STORED,
    on_edge boolean GENERATED ALWAYS AS (size_m IS NOT NULL AND (
        ST_X(geom_m) / size_m = floor(ST_X(geom_m) / size_m)
        OR ST_Y(geom_m) / size_m = floor(ST_Y(geom_m) / size_m))) STORED
) ON COMMIT DROP;

-- name: placing_staged
-- The accepted rows of one import.
INSERT INTO to_place (case_no, on_date, radius_m, stated_region_code, cross_area, geom_m,
    grid_version, size_m)
SELECT s.case_no, d.on_date, coalesce(s.locate_radius_m, 0), s.stated_region_code, s.cross_area,
    ST_Transform(ST_SetSRID(ST_MakePoint(s.lon, s.lat), 4326), c.measuring_srid),
    g.grid_version, g.size_m
FROM staged_case AS s
CROSS JOIN core.city AS c
CROSS JOIN LATERAL (SELECT (s.reported_at AT TIME ZONE c.time_zone)::date AS on_date) AS d
LEFT JOIN core.grid AS g ON d.on_date >= g.valid_from AND d.on_date < g.valid_to;

-- name: placing_stored
-- Every stored case, when areas or cells changed.
INSERT INTO to_place (case_no, on_date, radius_m, stated_region_code, cross_area, geom_m,
    grid_version, size_m)
SELECT k.case_no, d.on_date, coalesce(k.locate_radius_m, 0), k.stated_region_code,
    k.region_method = 'cross_area', k.geom_m, g.grid_version, g.size_m
FROM core.case_record AS k
CROSS JOIN core.city AS c
CROSS JOIN LATERAL (SELECT (k.reported_at AT TIME ZONE c.time_zone)::date AS on_date) AS d
LEFT JOIN core.grid AS g ON d.on_date >= g.valid_from AND d.on_date < g.valid_to;

-- name: create_placed_cell
-- A row says that a cell covers the point; its code is NULL where the point is too coarse for it.
CREATE TEMP TABLE placed_cell (place_id integer, cell_code text) ON COMMIT DROP;

-- name: place_by_key
-- An uncut square of a generated grid is decided by its key alone.
INSERT INTO placed_cell
SELECT p.place_id, CASE WHEN p.fine THEN u.cell_code END
FROM to_place AS p
JOIN core.unit_grid AS u ON u.grid_version = p.grid_version AND u.whole
 AND u.ix = floor(ST_X(p.geom_m) / p.size_m)::integer
 AND u.iy = floor(ST_Y(p.geom_m) / p.size_m)::integer
WHERE NOT p.on_edge;

-- name: placing_sizes
-- What is left to do: located points, and the cells that need their geometry looked at.
SELECT (SELECT count(*) FROM to_place WHERE geom_m IS NOT NULL) AS points,
    (SELECT count(*) FROM core.unit_grid AS u
     WHERE NOT u.whole AND u.grid_version IN (SELECT DISTINCT grid_version FROM to_place)) AS cells;

-- name: sort_points
-- The located points along a Hilbert curve, so that what one area asks for lies together.
CREATE TEMP TABLE sorted_point ON COMMIT DROP AS
SELECT place_id, on_date, radius_m, geom_m, grid_version, size_m, fine, on_edge FROM to_place
WHERE geom_m IS NOT NULL ORDER BY geom_m;

-- name: index_points
CREATE INDEX sorted_point_geom ON sorted_point USING gist (geom_m);

-- name: place_by_cover
-- Cut squares and irregular cells: cells outer, over the spatial index of the points. On a shared
-- border the lowest code. A loaded cell trusts a point up to half the root of its area, and any
-- cell trusts one whose whole disc of uncertainty lies in it.
INSERT INTO placed_cell
SELECT c.place_id, min(u.cell_code) FILTER (WHERE c.trusted)
FROM core.unit_grid AS u
CROSS JOIN LATERAL (
    SELECT p.place_id, p.fine OR p.size_m IS NULL AND p.radius_m <= sqrt(u.area_m2) / 2
        OR ST_Distance(ST_Boundary(u.geom_m), p.geom_m) >= p.radius_m AS trusted
    FROM sorted_point AS p
    WHERE ST_Intersects(u.geom_m, p.geom_m) AND p.grid_version = u.grid_version
      AND NOT p.on_edge OFFSET 0
) AS c
WHERE NOT u.whole AND u.grid_version IN (SELECT DISTINCT grid_version FROM to_place)
GROUP BY c.place_id;

-- name: place_by_point
-- The other way round: the points on a line of the grid, or all of a few points that no key placed.
INSERT INTO placed_cell
SELECT p.place_id, min(c.cell_code) FILTER (WHERE c.trusted)
FROM to_place AS p
CROSS JOIN LATERAL (
    SELECT u.cell_code, p.fine OR p.size_m IS NULL AND p.radius_m <= sqrt(u.area_m2) / 2
        OR ST_Distance(ST_Boundary(u.geom_m), p.geom_m) >= p.radius_m AS trusted
    FROM core.unit_grid AS u
    WHERE ST_Intersects(u.geom_m, p.geom_m) AND u.grid_version = p.grid_version OFFSET 0
) AS c
WHERE (p.on_edge OR :all_points)
  AND NOT EXISTS (SELECT FROM placed_cell AS x WHERE x.place_id = p.place_id)
GROUP BY p.place_id;

-- name: place_regions
-- Management region: highest priority, on a border the lowest code. Admin district beside it.
CREATE TEMP TABLE placed_region ON COMMIT DROP AS
WITH ranked AS MATERIALIZED (
    SELECT region_code, kind, geom_m, valid_from, valid_to,
        row_number() OVER (ORDER BY priority DESC, region_code, valid_from)::integer AS rank
    FROM core.region WHERE geom_m IS NOT NULL
), found AS (
    SELECT c.place_id, min(r.rank) AS rank,
        min(r.region_code) FILTER (WHERE r.kind = 'district') AS district_code
    FROM ranked AS r
    CROSS JOIN LATERAL (
        SELECT p.place_id FROM sorted_point AS p
        WHERE ST_Intersects(r.geom_m, p.geom_m)
          AND p.on_date >= r.valid_from AND p.on_date < r.valid_to OFFSET 0
    ) AS c
    GROUP BY c.place_id
)
SELECT f.place_id, r.region_code, f.district_code FROM found AS f JOIN ranked AS r USING (rank);

-- name: place_streets
CREATE TEMP TABLE placed_street ON COMMIT DROP AS
SELECT c.place_id, min(s.street_code) AS street_code
FROM core.street AS s
CROSS JOIN LATERAL (
    SELECT p.place_id FROM sorted_point AS p
    WHERE ST_Intersects(s.geom_m, p.geom_m)
      AND p.on_date >= s.valid_from AND p.on_date < s.valid_to OFFSET 0
) AS c
GROUP BY c.place_id;

-- name: create_placed
-- The verdict per case. A coarse point decides a region only where no region is stated.
CREATE TEMP TABLE placed ON COMMIT DROP AS
SELECT p.case_no, pc.cell_code,
    CASE WHEN p.geom_m IS NOT NULL THEN p.grid_version END AS grid_version,
    CASE WHEN pc.cell_code IS NOT NULL THEN NULL
         WHEN p.geom_m IS NULL THEN 'no_point'
         WHEN pc.place_id IS NOT NULL THEN 'too_coarse'
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
LEFT JOIN placed_cell AS pc USING (place_id)
LEFT JOIN placed_region AS pr USING (place_id)
LEFT JOIN placed_street AS ps USING (place_id)
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
