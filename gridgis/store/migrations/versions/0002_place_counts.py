"""Counts per place in one function, the rest included; an index by class (按地点统计)."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FUNCTIONS = """
CREATE FUNCTION runs.counted(
    run integer, level text, category text, channel text, region text,
    OUT place text, OUT n bigint
) RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE level
            WHEN 'cell' THEN coalesce(d.cell_code, d.no_cell_reason)
            WHEN 'block500' THEN coalesce(CAST(u.block_500 AS text), d.no_cell_reason)
            WHEN 'block1000' THEN coalesce(CAST(u.block_1000 AS text), d.no_cell_reason)
            WHEN 'street' THEN coalesce(d.street_code,
                CASE d.no_cell_reason WHEN 'no_point' THEN 'no_point' ELSE 'outside_streets' END)
            WHEN 'district' THEN d.region_key
            WHEN 'admin' THEN coalesce(d.district_code, 'no_district')
            ELSE 'city' END,
        CAST(sum(d.n) AS bigint)
    FROM runs.counts(run, category, channel, region) AS d
    JOIN runs.run AS x ON x.run_id = d.run_id
    LEFT JOIN core.unit_grid AS u ON level IN ('block500', 'block1000')
     AND u.grid_version = x.grid_version AND u.cell_code = d.cell_code
    GROUP BY 1
$$;
COMMENT ON FUNCTION runs.counted IS
    'Cases of a run per place of a level; where there is no place, the reason stands for it';

CREATE FUNCTION runs.places(
    run integer, level text, category text, channel text, region text,
    OUT place text, OUT n bigint
) RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT s.place, CAST(s.n AS bigint) FROM runs.density_place AS s
    WHERE s.run_id = run AND s.level = places.level
      AND category IS NULL AND channel IS NULL AND region IS NULL
    UNION ALL
    SELECT c.place, c.n FROM runs.counted(run, places.level, category, channel, region) AS c
    WHERE category IS NOT NULL OR channel IS NOT NULL OR region IS NOT NULL
$$;
COMMENT ON FUNCTION runs.places IS
    'The same, from the stored sums if there is no filter; inlined, so one branch is planned away';
COMMENT ON TABLE runs.density_place IS
    'Sums of density_count per place of every level, without any filter; a reason is a place too';
"""

_REFILL = """
DELETE FROM runs.density_place;
INSERT INTO runs.density_place (run_id, level, place, n)
SELECT x.run_id, l.level, c.place, c.n
FROM runs.run AS x
CROSS JOIN unnest(ARRAY['cell', 'block500', 'block1000', 'street', 'district', 'admin', 'city'])
    AS l (level)
CROSS JOIN LATERAL runs.counted(x.run_id, l.level, NULL, NULL, NULL) AS c
WHERE x.kind = 'density';
"""


def upgrade() -> None:
    """Add the functions and the index, and sum the stored runs again."""
    run = op.get_bind().exec_driver_sql
    run(_FUNCTIONS)
    run(_REFILL)
    run("CREATE INDEX case_class ON core.case_record (month, subcategory_code, source)")
