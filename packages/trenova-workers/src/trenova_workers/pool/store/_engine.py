"""The engine of a store of pools, with its tables."""

from functools import partial

from trenova_store import StoreEngine, StoreOptions, translated
from trenova_workers.pool.store._tables import PoolTables


class PoolEngine(StoreEngine):
    """The engine of a store and its two kinds of transactions.

    Failures of the driver leave as typed errors (see ``trenova_errors``), never as driver exceptions.

    Args:
        options: Where the database is and how hard to lean on it; nothing is connected yet.
    """

    def __init__(self, options: StoreOptions) -> None:
        failures = partial(translated, options.place, "trenova-workers db migrate")
        super().__init__(options, application="trenova-workers", translated=failures)
        self.tables = PoolTables.of(sqlite=options.is_sqlite)
