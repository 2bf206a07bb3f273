"""Running the API until it is asked to stop."""

import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from temporalio.client import Client

from trenova_access import SIGN_IN_PATH, Access, AuditLog, require_safe_bind, sign_in_link, write_private
from trenova_errors import ConfigurationError
from trenova_schedules.server._app import PREFIX, Exposition, create_app
from trenova_schedules.server._open import OpenAccess
from trenova_schedules.server._options import ServeOptions
from trenova_schedules.server._roles import ROLES
from trenova_schedules.store import ScheduleStore, migrate

FILE: Final = "schedules-server.json"


async def serve(
    options: ServeOptions,
    client: Client,
    *,
    say: Callable[[str], None] = print,
    exposition: Exposition | None = None,
    file: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered.

    Args:
        options: Where to listen, who may call.
        client: Of the namespace, with the data converter of the workers.
        say: Receives the lines for the terminal; one carries the sign-in link.
        exposition: See :func:`create_app`.
        file: Where to leave address, sign-in link and key, in place of ``schedules-server.json`` in the data folder.

    Raises:
        AccessConfigurationError: Others could reach it unasked or in clear; it did not listen.
        ConfigurationError: The address cannot be listened on, the file cannot be written, or the database is newer.
        UnavailableError: The database cannot be reached.
    """
    require_safe(options)
    log = AuditLog(options.access.audit)
    access = (OpenAccess if options.no_sign_in else Access)(options.access, ROLES, audit=log)
    file = file or options.data_dir / FILE
    async with _store(options) as store:
        app = create_app(options, client, store=store, access=access, exposition=exposition)
        with _listener(options) as listener:
            url = _url(options, listener)
            try:
                _announce(file, url, access, say)
                say(f"schedules of {client.namespace!r}  {url}{PREFIX}  {_keeping(options)}")
                with _no_second_signal():
                    await uvicorn.Server(_config(app, options)).serve(sockets=[listener])
            finally:
                with suppress(OSError):
                    file.unlink()
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
        say(f"sign in once  {content['sign_in']}")
        say(f"for programs  the bearer token `key` in {file}")
    if access.oidc is not None and not isinstance(access, OpenAccess):
        say(f"sign in at    {access.oidc.options.public_url or url}{SIGN_IN_PATH}  ({access.oidc.options.issuer})")
    if isinstance(access, OpenAccess):
        say("nobody has to sign in: whoever reaches this machine's loopback may do everything")


@contextmanager
def _no_second_signal() -> Iterator[None]:
    """Keep the signal that uvicorn raises again after it has stopped from ending the process on the spot."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listener(options: ServeOptions) -> socket.socket:
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


def _url(options: ServeOptions, listener: socket.socket) -> str:
    scheme = "https" if options.tls_certificate else "http"
    host = f"[{options.host.strip('[]')}]" if ":" in options.host else options.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


def _config(app: ASGIApp, options: ServeOptions) -> uvicorn.Config:
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
