"""Running a codec server until it is asked to stop."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

from trenova_access import Access, AuditEvent, AuditHook, AuditLog, require_safe_bind
from trenova_access.serving import Exposition, announced, listening, run_until_told, server_url
from trenova_codecs._keys import KeyProvider
from trenova_codecs.server._app import create_app
from trenova_codecs.server._options import ROLES, ServeOptions
from trenova_errors import ConfigurationError

FILE: Final = "codec-server.json"


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
    with listening(options, server="The codec server") as listener:
        url = server_url(options, listener)
        try:
            with announced(file or options.data_dir / FILE, url, access, server="The codec server") as lines:
                for line in (f"codec server  {url}  (namespaces {', '.join(sorted(options.namespaces))})", *lines):
                    say(line)
                await run_until_told(app, options, listener)
        finally:
            log.flush()


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
