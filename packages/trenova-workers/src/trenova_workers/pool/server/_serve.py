"""Running the API beside a manager."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from trenova_access import Access, AccessConfigurationError, AuditLog, require_safe_bind
from trenova_access.serving import Exposition, OpenAccess, announced, listening, running, server_url
from trenova_errors import ConfigurationError
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool.server._app import PREFIX, create_app
from trenova_workers.pool.server._options import PoolServerOptions, server_options
from trenova_workers.pool.server._roles import ADMIN, DELEGATE, ROLES
from trenova_workers.pool.store import PoolStore

FILE: Final = "pools-server.json"


@asynccontextmanager
async def serving(
    options: PoolsOptions,
    store: PoolStore,
    *,
    say: Callable[[str], None] = print,
    exposition: Exposition | None = None,
    file: Path | None = None,
) -> AsyncIterator[str]:
    """Serve for the length of a block, then finish what is being answered; yields the address.

    Signals are the caller's: nothing here listens to them.

    Args:
        options: Pools, and under ``server`` where to listen and who may call.
        store: Of the pools; its tables are there.
        say: Receives the lines for the terminal.
        exposition: See :func:`create_app`.
        file: Where to leave address, sign-in link and key, in place of ``pools-server.json`` in the data folder.

    Raises:
        ConfigurationError: Others could reach it unasked or in clear, the address cannot be listened on, or the file
            cannot be written; it did not listen.
    """
    told = require_safe(options)
    log = AuditLog(told.access.audit)
    access = (
        OpenAccess(told.access, ROLES, have=(ADMIN, DELEGATE), audit=log)
        if told.no_sign_in
        else Access(told.access, ROLES, audit=log)
    )
    app = create_app(told, store, scope=options.scope, pools=options.pools, access=access, exposition=exposition)
    with listening(told) as listener:
        url = server_url(told, listener)
        try:
            async with running(app, told, listener):
                with announced(file or options.data_dir / FILE, url, access, pages=False) as lines:
                    for line in (*lines, f"pools of {options.scope!r}  {url}{PREFIX}"):
                        say(line)
                    yield url
        finally:
            log.flush()


def require_safe(options: PoolsOptions) -> PoolServerOptions:
    """Refuse to listen where others can reach a server that does not ask who they are, or is asked in clear.

    Raises:
        ConfigurationError: That is so, a role is none of ours, or the options do not hold.
    """
    told = server_options(options)
    try:
        require_safe_bind(told.host, tokens=told.access.proves_callers, encrypted=told.encrypted)
        Access(told.access, ROLES)
    except AccessConfigurationError as error:
        raise ConfigurationError(str(error)) from None
    return told
