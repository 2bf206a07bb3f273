"""A codec server for Temporal's command line and Web UI (extra ``[server]``).

``trenova-codecs serve`` runs it; :func:`create_app` is the ASGI application for a server of your own.
"""

try:
    from trenova_codecs.server._app import create_app
    from trenova_codecs.server._audit import AUDIT_LOGGER, CodecAuditHook, CodecEvent, log_codec_event
    from trenova_codecs.server._namespaces import KeyNotAssignedError
    from trenova_codecs.server._options import (
        READER,
        ROLES,
        WRITER,
        BatchOptions,
        CodecServerOptions,
        NamespaceOptions,
        ServeOptions,
    )
    from trenova_codecs.server._serve import serve
except ModuleNotFoundError as error:
    missing = str(error.name).partition(".")[0]
    raise ModuleNotFoundError(
        f'The codec server needs its extra: uv pip install "trenova-codecs[server]" ({missing} is missing).',
        name=error.name,
    ) from None

__all__ = [
    "AUDIT_LOGGER",
    "READER",
    "ROLES",
    "WRITER",
    "BatchOptions",
    "CodecAuditHook",
    "CodecEvent",
    "CodecServerOptions",
    "KeyNotAssignedError",
    "NamespaceOptions",
    "ServeOptions",
    "create_app",
    "log_codec_event",
    "serve",
]
