"""Runs the revisions on the connection, and in the transaction, that the caller hands in."""

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], **attributes["options"])
with context.begin_transaction():
    context.run_migrations()
