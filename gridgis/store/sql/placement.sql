-- name: create_placing_grid
-- The versions of the unit grid by number. Cells that are no squares are looked up in squares of
-- about their mean size; the side is a power of two, so that the key of a point is exact.
CREATE TEMP TABLE placing_grid ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY valid_from)::integer AS grid_no, grid_version,
    CAST(size_m AS float8) AS size_m, power(2.0::float8, floor(log(2, greatest(
        area_m2 / greatest(cell_count, 1), 1)::numeric) / 2)::float8) AS side_m,
    valid_from, valid_to
FROM core.grid;

-- name: create_placing
-- The rows to place, in the measuring CRS, each with the grid of its day. A point on a line between
-- generated squares is on several of them.
CREATE TEMP TABLE to_place (
    place_id integer GENERATED ALWAYS AS IDENTITY,
    grid_no integer,
    x_m float8,
    y_m float8,
    size_m float8,
    radius_m real NOT NULL,
    on_date date NOT NULL,
    on_edge boolean GENERATED ALWAYS AS (size_m IS NOT NULL AND (
        x_m / size_m = floor(x_m / size_m) OR y_m / size_m = floor(y_m / size_m))) STORED,
    cross_area boolean NOT NULL,
    case_no text NOT NULL,
    stated_region_code text,
    grid_version text
) ON COMMIT DROP;

-- name: placing_staged
-- The accepted rows of one import.
INSERT INTO to_place (case_no, on_date, radius_m, stated_region_code, cross_area, x_m, y_m,
    grid_version, grid_no, size_m)
SELECT s.case_no, d.on_date, coalesce(s.locate_radius_m, 0), s.stated_region_code, s.cross_area,
    ST_X(d.geom_m), ST_Y(d.geom_m), g.grid_version, g.grid_no, g.size_m
FROM staged_case AS s
CROSS JOIN core.city AS c
CROSS JOIN LATERAL (
    SELECT (s.reported_at AT TIME ZONE c.time_zone)::date AS on_date,
        ST_Transform(ST_SetSRID(ST_MakePoint(s.lon, s.lat), 4326), c.measuring_srid) AS geom_m
    OFFSET 0
) AS d
LEFT JOIN placing_grid AS g ON d.on_date >= g.valid_from AND d.on_date < g.valid_to;

-- name: placing_stored
-- Every stored case, when areas or cells changed.
INSERT INTO to_place (case_no, on_date, radius_m, stated_region_code, cross_area, x_m, y_m,
    grid_version, grid_no, size_m)
SELECT k.case_no, d.on_date, coalesce(k.locate_radius_m, 0), k.stated_region_code,
    k.region_method = 'cross_area', ST_X(k.geom_m), ST_Y(k.geom_m), g.grid_version, g.grid_no,
    g.size_m
FROM core.case_record AS k
CROSS JOIN core.city AS c
CROSS JOIN LATERAL (SELECT (k.reported_at AT TIME ZONE c.time_zone)::date AS on_date) AS d
LEFT JOIN placing_grid AS g ON d.on_date >= g.valid_from AND d.on_date < g.valid_to;

-- name: create_placed_cell
-- What the geometry of cells says: one of them covers the point. Its code is the lowest that the
-- point is certain enough for, NULL where it is for none.
CREATE TEMP TABLE placed_cell (place_id integer, cell_code text) ON COMMIT DROP;

-- name: create_point_cell
-- The same for all cells: an uncut square of a generated grid is decided by its key alone.
CREATE TEMP VIEW point_cell AS
SELECT place_id, cell_code FROM placed_cell
UNION ALL
SELECT p.place_id, CASE WHEN p.fine THEN k.cell_code END
FROM (
    SELECT place_id, grid_no, radius_m <= size_m / 2 AS fine, floor(x_m / size_m)::integer AS ix,
        floor(y_m / size_m)::integer AS iy
    FROM to_place WHERE NOT on_edge OFFSET 0
) AS p
JOIN (
    SELECT g.grid_no, u.ix, u.iy, u.cell_code
    FROM core.unit_grid AS u JOIN placing_grid AS g USING (grid_version) WHERE u.whole OFFSET 0
) AS k USING (grid_no, ix, iy);

-- name: count_uneven
-- How many cells of the grids in question need their geometry looked at.
SELECT count(*) FROM core.unit_grid AS u
WHERE NOT u.whole AND u.grid_version IN (SELECT grid_version FROM to_place);

-- name: create_cell_square
-- The squares that the box of each cut or irregular cell meets.
CREATE TEMP TABLE cell_square ON COMMIT DROP AS
SELECT g.grid_no, x.ix, y.iy, b.west_m, b.south_m, b.east_m, b.north_m,
    coalesce(g.size_m, sqrt(u.area_m2)) / 2 AS half_m, u.cell_code, u.geom_m
FROM core.unit_grid AS u
JOIN placing_grid AS g USING (grid_version)
CROSS JOIN LATERAL (
    SELECT ST_XMin(u.geom_m) AS west_m, ST_YMin(u.geom_m) AS south_m, ST_XMax(u.geom_m) AS east_m,
        ST_YMax(u.geom_m) AS north_m OFFSET 0
) AS b
CROSS JOIN LATERAL generate_series(floor(b.west_m / g.side_m)::integer,
    floor(b.east_m / g.side_m)::integer) AS x (ix)
CROSS JOIN LATERAL generate_series(floor(b.south_m / g.side_m)::integer,
    floor(b.north_m / g.side_m)::integer) AS y (iy)
WHERE NOT u.whole AND g.grid_no IN (SELECT grid_no FROM to_place);

-- name: place_by_square
-- Cut squares and irregular cells: of the cells in the square of a point those that cover it. On a
-- shared border the lowest code. A cell trusts a point up to half its nominal size, or one whose
-- whole disc of uncertainty lies in it.
INSERT INTO placed_cell
SELECT c.place_id, min(c.cell_code) FILTER (WHERE c.trusted)
FROM (
    SELECT p.place_id, s.cell_code, p.radius_m <= s.half_m
        OR ST_Distance(ST_Boundary(s.geom_m), p.geom_m) >= p.radius_m AS trusted
    FROM (
        SELECT t.place_id, t.grid_no, t.x_m, t.y_m, t.radius_m,
            floor(t.x_m / g.side_m)::integer AS ix, floor(t.y_m / g.side_m)::integer AS iy,
            ST_SetSRID(ST_MakePoint(t.x_m, t.y_m), (SELECT measuring_srid FROM core.city)) AS geom_m
        FROM to_place AS t JOIN placing_grid AS g USING (grid_no) WHERE NOT t.on_edge OFFSET 0
    ) AS p
    JOIN cell_square AS s USING (grid_no, ix, iy)
    WHERE p.x_m BETWEEN s.west_m AND s.east_m AND p.y_m BETWEEN s.south_m AND s.north_m
      AND ST_Intersects(s.geom_m, p.geom_m) OFFSET 0
) AS c
GROUP BY c.place_id;

-- name: place_by_point
-- The points on a line between squares, or all of a few points that no key decides: every cell that
-- touches them. (IS NOT DISTINCT FROM keeps the planner to the spatial index.)
INSERT INTO placed_cell
SELECT p.place_id, min(c.cell_code) FILTER (WHERE c.trusted)
FROM (
    SELECT place_id, radius_m, grid_version, size_m, on_edge,
        ST_SetSRID(ST_MakePoint(x_m, y_m), (SELECT measuring_srid FROM core.city)) AS geom_m
    FROM to_place WHERE on_edge OR :all_points OFFSET 0
) AS p
CROSS JOIN LATERAL (
    SELECT u.cell_code, p.radius_m <= coalesce(p.size_m, sqrt(u.area_m2)) / 2
        OR ST_Distance(ST_Boundary(u.geom_m), p.geom_m) >= p.radius_m AS trusted
    FROM core.unit_grid AS u
    WHERE ST_Intersects(u.geom_m, p.geom_m) AND (p.on_edge OR NOT u.whole)
      AND u.grid_version IS NOT DISTINCT FROM p.grid_version OFFSET 0
) AS c
GROUP BY p.place_id;

-- name: sort_points
-- The located points along a Hilbert curve, so that what one area asks for lies together.
CREATE TEMP TABLE sorted_point ON COMMIT DROP AS
SELECT p.* FROM (
    SELECT place_id, on_date,
        ST_SetSRID(ST_MakePoint(x_m, y_m), (SELECT measuring_srid FROM core.city)) AS geom_m
    FROM to_place WHERE x_m IS NOT NULL OFFSET 0
) AS p ORDER BY p.geom_m;

-- name: index_points
CREATE INDEX sorted_point_geom ON sorted_point USING gist (geom_m);

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
SELECT p.case_no, pc.cell_code, CASE WHEN p.x_m IS NOT NULL THEN p.grid_version END AS grid_version,
    CASE WHEN pc.cell_code IS NOT NULL THEN NULL
         WHEN p.x_m IS NULL THEN 'no_point'
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
LEFT JOIN point_cell AS pc USING (place_id)
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
