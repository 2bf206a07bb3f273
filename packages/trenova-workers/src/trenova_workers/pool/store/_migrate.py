"""Our migration tree, with a version table and a lock of its own beside those of other packages."""

from pathlib import Path
from typing import Final

from trenova_store import MigrationTree

TREE: Final = MigrationTree(
    versions=Path(__file__).parent / "migrations" / "versions",
    package="trenova-workers",
    version_table="trenova_workers_alembic_version",
)
LOCK: Final = 0x7472_656E_6F76_6104  # "trenova", 4: one number of PostgreSQL's 64-bit advisory locks
