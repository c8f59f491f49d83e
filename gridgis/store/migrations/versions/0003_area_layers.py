"""When an area layer begins, how good a grid is, statistics by the services' role (图层版本)."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LAYERS = """
ALTER TABLE core.region ADD COLUMN layer_from date NOT NULL DEFAULT '-infinity';
UPDATE core.region SET layer_from = valid_from;
COMMENT ON COLUMN core.region.layer_from IS
    'first day of the layer this row came with; the row itself may begin later or end earlier';
ALTER TABLE core.street ADD COLUMN layer_from date NOT NULL DEFAULT '-infinity';
UPDATE core.street SET layer_from = valid_from;
ALTER TABLE core.grid ADD COLUMN geom_quality text NOT NULL DEFAULT 'synthetic';
UPDATE core.grid SET geom_quality = 'surveyed' WHERE kind = 'loaded';
"""

_STATISTICS = """
CREATE FUNCTION core.refresh_statistics(VARIADIC tables regclass[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE target regclass;
BEGIN
    FOREACH target IN ARRAY tables LOOP
        EXECUTE 'ANALYZE ' || target::text;
    END LOOP;
END $$;
COMMENT ON FUNCTION core.refresh_statistics IS
    'ANALYZE as the owner: for another role it would do nothing and only warn';
REVOKE EXECUTE ON FUNCTION core.refresh_statistics FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gridgis_writer') THEN
        GRANT EXECUTE ON FUNCTION core.refresh_statistics TO gridgis_writer;
    END IF;
END $$;
"""


def upgrade() -> None:
    """Add the columns and the function; every layer stored so far begins with its rows."""
    run = op.get_bind().exec_driver_sql
    run(_LAYERS)
    run(_STATISTICS)
