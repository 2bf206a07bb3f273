"""The engine of a store, with its tables."""

from functools import partial

import trenova_store
from trenova_schedules.store._tables import StoreTables
from trenova_store import StoreOptions, translated


class StoreEngine(trenova_store.StoreEngine):
    """The engine of a store and its two kinds of transactions.

    Failures of the driver leave as typed errors (see ``trenova_errors``), never as driver exceptions.

    Args:
        options: Where the database is and how hard to lean on it; nothing is connected yet.
    """

    def __init__(self, options: StoreOptions) -> None:
        failures = partial(translated, options.place, "trenova-schedules db migrate")
        super().__init__(options, application="trenova-schedules", translated=failures)
        self.tables = StoreTables.of(sqlite=options.is_sqlite)
