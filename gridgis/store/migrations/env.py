"""Alembic environment: one connection handed in by `gridgis.store.migrate` (迁移环境)."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=None, version_table="schema_version",
    version_table_schema="core", transactional_ddl=True, transaction_per_migration=False,
)  # fmt: skip
with context.begin_transaction():
    context.run_migrations()
