"""Running a codec server until it is asked to stop."""

import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from trenova_access import SIGN_IN_PATH, Access, AuditEvent, AuditHook, AuditLog, SignIn, require_safe_bind
from trenova_codecs._keys import KeyProvider
from trenova_codecs.server._announcement import FILE, announce, withdraw
from trenova_codecs.server._app import Exposition, create_app
from trenova_codecs.server._options import ROLES, ServeOptions
from trenova_errors import ConfigurationError


async def serve(
    options: ServeOptions,
    ring: KeyProvider,
    *,
    say: Callable[[str], None] = print,
    exposition: Exposition | None = None,
    file: Path | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is being answered.

    Args:
        options: Where to listen, who may call, what is served.
        ring: Where the keys are.
        say: Receives the lines for the terminal; one carries the sign-in link.
        exposition: See :func:`create_app`.
        file: Where to leave address, sign-in link and key; ``codec-server.json`` in the data folder.

    Raises:
        AccessConfigurationError: Others could reach it unasked or in clear; it did not listen.
        ConfigurationError: The address cannot be listened on, the file cannot be written, or the certificate is none.
    """
    require_safe_bind(options.host, tokens=options.access.proves_callers, encrypted=options.encrypted)
    _look_at_certificate(options)
    log = AuditLog(options.access.audit)
    access = Access(options.access, ROLES, audit=_unless_let_through(log))
    app = create_app(options, ring, access=access, exposition=exposition, keys_needed=not options.keys_optional)
    file = file or options.data_dir / FILE
    with _listener(options) as listener:
        url = _url(options, listener)
        link = _announced(file, url, access.sign_in)
        try:
            say(f"codec server  {url}  (namespaces {', '.join(sorted(options.namespaces))})")
            if access.sign_in:
                say(f"sign in once  {link}")
                say(f"for programs  the bearer token `key` in {file}")
            if access.oidc:
                say(f"sign in at    {access.oidc.options.public_url or url}{SIGN_IN_PATH}")
            with _no_second_signal():
                await uvicorn.Server(_config(app, options)).serve(sockets=[listener])
        finally:
            withdraw(file)
            log.flush()


def _announced(file: Path, url: str, sign_in: SignIn | None) -> str:
    try:
        return announce(file, url, sign_in)
    except OSError as error:
        raise ConfigurationError(
            f"The codec server cannot leave its address in {str(file)!r}: {error.strerror}. Choose a folder that this "
            "user may write, as `data_dir` or --data-dir.",
            path=str(file),
        ) from None


def _look_at_certificate(options: ServeOptions) -> None:
    """Load it before anybody is told an address; a sealed private key would otherwise ask the terminal."""
    if options.tls_certificate is None:
        return
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_certificate, options.tls_key, password="")
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The certificate {str(options.tls_certificate)!r} with the key {str(options.tls_key)!r} cannot be used: "
            f"{getattr(error, 'strerror', None) or error}. Give PEM files that belong together, the key without a "
            "password.",
        ) from None


def _unless_let_through(log: AuditLog) -> AuditHook:
    """Leave out what the codec's own line says again, with what came of it."""

    def hook(event: AuditEvent) -> None:
        if event.outcome != "allowed" or event.action not in ROLES:
            log(event)

    return hook


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
            f"The codec server cannot listen on {options.host}, port {options.port}: {why}. Choose another address "
            "of this machine or another port; 0 takes a free one.",
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
