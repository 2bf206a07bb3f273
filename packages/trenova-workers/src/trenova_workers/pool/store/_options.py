"""Where the store of worker pools is and how hard this process may lean on it."""

from trenova_store import StoreOptions


class PoolStoreOptions(StoreOptions):
    """How to reach the database that holds our own tables; see ``trenova_store.StoreOptions``."""
