"""``python -m notification_worker run | prepare | demo | check | config show``."""

from functools import partial

from notification_worker._demo import demonstrate
from notification_worker._settings import Settings
from notification_worker._work import look, work
from trenova_activities import SEARCH_ATTRIBUTES
from trenova_activities.database import migrate
from trenova_workers import Service
from trenova_workers.cli import service_main


async def prepare(settings: Settings) -> None:
    """Bring our own tables, and the sample TMS where it may be, to the current revision."""
    async with settings.open_database() as database:
        await migrate(database, embedded=None if settings.database.embedded else False)


SERVICE = Service(
    name="notification-worker",
    summary="Runs the notification jobs.",
    settings=Settings,
    queues=lambda settings: settings.queues,
    work=work,
    prepare=prepare,
    check=look,
    demo=demonstrate,
    demo_order=20,
    search_attributes=SEARCH_ATTRIBUTES,
    plugins=Settings.plugins,
    limits=Settings.limits,
)
main = partial(service_main, SERVICE)

if __name__ == "__main__":
    main()
