"""A real PostgreSQL server for tests (extra ``[testing]``)."""

from trenova_store.testing._postgres import PostgresServer

__all__ = ["PostgresServer"]
