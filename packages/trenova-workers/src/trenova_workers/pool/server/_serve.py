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
from trenova_workers.pool.server._roles import ADMIN, ROLES
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
        OpenAccess(told.access, ROLES, role=ADMIN, audit=log)
        if told.no_sign_in
        else Access(told.access, ROLES, audit=log)
    )
    app = create_app(told, store, scope=options.scope, pools=options.pools, access=access, exposition=exposition)
    with listening(told) as listener:
        url = server_url(told, listener)
        try:
            async with running(app, told, listener):
                with announced(file or options.data_dir / FILE, url, access) as lines:
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


def _announce(file: Path, url: str, access: Access, say: Callable[[str], None]) -> None:
    """Leave the address for programs of this user, and say how to sign in."""
    content = {"url": url}
    sign_in = None if isinstance(access, OpenAccess) else access.sign_in
    if sign_in is not None:
        content |= {"sign_in": sign_in_link(url, sign_in.new_link()), "key": sign_in.key}
    try:
        write_private(file, content)
    except OSError as error:
        raise ConfigurationError(
            f"The server cannot leave its address in {str(file)!r}: {error.strerror}. Choose a folder that this user "
            "may write, with --data-dir.",
            path=str(file),
        ) from None
    if sign_in is not None:
        say(f"for programs  the bearer token `key` in {file}")
    if isinstance(access, OpenAccess):
        say("nobody has to sign in: whoever reaches this machine's loopback may do everything")


def _listener(options: PoolServerOptions) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    try:
        return socket.create_server((options.host.strip("[]"), options.port), family=family)
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "it is no name of a host"
        raise ConfigurationError(
            f"The server cannot listen on {options.host}, port {options.port}: {why}. Choose another address of this "
            "machine or another port; 0 takes a free one.",
            host=options.host,
            port=options.port,
        ) from None


def _url(options: PoolServerOptions, listener: socket.socket) -> str:
    scheme = "https" if options.tls_certificate else "http"
    host = f"[{options.host.strip('[]')}]" if ":" in options.host else options.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def _config(app: ASGIApp, options: PoolServerOptions) -> uvicorn.Config:
    tls: dict[str, Any] = {}
    if options.tls_certificate and options.tls_key:
        tls = {"ssl_certfile": str(options.tls_certificate), "ssl_keyfile": str(options.tls_key)}
    return uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(options.trusted_proxies),
        forwarded_allow_ips=list(options.trusted_proxies),
        timeout_graceful_shutdown=max(1, round(options.stop_s)),
        timeout_keep_alive=30,
        **tls,
    )
