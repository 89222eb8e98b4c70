"""Alembic's entry: runs the steps on the connection that `gateway.store.migrate` (or a developer's tool) hands in."""

from __future__ import annotations

from alembic import context

from gateway.store.schema import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
