"""Tables of one's own beside an application's: engine, migrations and failures, on SQLite and PostgreSQL.

For a package that keeps something in a database which other packages and the application share. Its tables stand in the
schema :data:`JOBS_SCHEMA`, with a version table of their own. :class:`StoreEngine` is the beginning.
"""

from trenova_store._engine import StoreEngine, Translated
from trenova_store._failures import StoreDriverError, classified, is_of_database, translated
from trenova_store._migrate import StoreMigration, is_current, migrate, migrating
from trenova_store._options import StoreOptions
from trenova_store._request_keys import KeyClaim, RequestKeys
from trenova_store._tree import JOBS_SCHEMA, MigrationTree, ensure_schema
from trenova_store._upsert import Rows, insert_missing, upsert

__all__ = [
    "JOBS_SCHEMA",
    "KeyClaim",
    "MigrationTree",
    "RequestKeys",
    "Rows",
    "StoreDriverError",
    "StoreEngine",
    "StoreMigration",
    "StoreOptions",
    "Translated",
    "classified",
    "ensure_schema",
    "insert_missing",
    "is_current",
    "is_of_database",
    "migrate",
    "migrating",
    "translated",
    "upsert",
]
