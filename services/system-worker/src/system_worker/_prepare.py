"""The tables that this service needs, and those of worker pools, of three packages in one database."""

import logging

from system_worker._settings import Settings
from trenova_activities.database import allow_by_default, migrate

_log = logging.getLogger(__name__)


async def prepare(settings: Settings) -> None:
    """Bring our own tables, and the sample TMS where it may be, up to date; its audit log lets retention through."""
    async with (
        settings.open_database() as database,
        settings.open_store() as store,
        settings.open_pools() as pools,
    ):
        await migrate(database, embedded=None if settings.database.embedded else False)
        await store.migrate()
        await pools.migrate()
        if said := await allow_by_default(database):
            _log.info(said)
