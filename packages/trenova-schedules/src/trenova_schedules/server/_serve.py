"""Running the API until it is asked to stop."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from temporalio.client import Client

from trenova_access import Access, AuditLog, require_safe_bind
from trenova_access.serving import Exposition, OpenAccess, announced, listening, run_until_told, server_url
from trenova_schedules.server._app import PREFIX, create_app
from trenova_schedules.server._options import ServeOptions
from trenova_schedules.server._roles import ADMIN, ROLES
from trenova_schedules.store import ScheduleStore, migrate
from trenova_schedules.worker_pools import WorkerPools

FILE: Final = "schedules-server.json"


async def serve(
    options: ServeOptions,
    client: Client,
    *,
    say: Callable[[str], None] = print,
    exposition: Exposition | None = None,
    file: Path | None = None,
    pools: WorkerPools | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered.

    Args:
        options: Where to listen, who may call.
        client: Of the namespace, with the data converter of the workers.
        say: Receives the lines for the terminal; one carries the sign-in link.
        exposition: See :func:`create_app`.
        file: Where to leave address, sign-in link and key, in place of ``schedules-server.json`` in the data folder.
        pools: See :func:`create_app`.

    Raises:
        AccessConfigurationError: Others could reach it unasked or in clear; it did not listen.
        ConfigurationError: The address cannot be listened on, the file cannot be written, or the database is newer.
        UnavailableError: The database cannot be reached.
    """
    require_safe(options)
    log = AuditLog(options.access.audit)
    access = (
        OpenAccess(options.access, ROLES, have=(ADMIN,), audit=log)
        if options.no_sign_in
        else Access(options.access, ROLES, audit=log)
    )
    async with _store(options) as store:
        app = create_app(options, client, store=store, access=access, exposition=exposition, pools=pools)
        with listening(options) as listener:
            url = server_url(options, listener)
            try:
                with announced(file or options.data_dir / FILE, url, access) as lines:
                    for line in (*lines, f"schedules of {client.namespace!r}  {url}{PREFIX}  {_keeping(options)}"):
                        say(line)
                    await run_until_told(app, options, listener)
            finally:
                log.flush()


def require_safe(options: ServeOptions) -> None:
    """Refuse to listen where others can reach a server that does not ask who they are, or is asked in clear.

    Raises:
        AccessConfigurationError: That is so, or a role is none of ours.
    """
    require_safe_bind(options.host, tokens=options.access.proves_callers, encrypted=options.encrypted)
    Access(options.access, ROLES)


@asynccontextmanager
async def _store(options: ServeOptions) -> AsyncIterator[ScheduleStore | None]:
    if options.database is None:
        yield None
        return
    async with ScheduleStore.open(options.database.within(options.data_dir.resolve())) as store:
        await migrate(store)
        yield store


def _keeping(options: ServeOptions) -> str:
    if options.database is None:
        return "(no database: no audit trail, no ledger, no idempotency keys)"
    return f"(database {options.database.within(options.data_dir.resolve()).place})"
