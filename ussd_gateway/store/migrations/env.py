"""Alembic's entry: runs the migrations on the connection that `store.migrate` hands over."""

from alembic import context

from ussd_gateway.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=False)
context.run_migrations()
