"""PostGIS: the only place of SQL (数据存储)."""
