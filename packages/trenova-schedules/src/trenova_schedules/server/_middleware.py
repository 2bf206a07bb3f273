"""ASGI middleware: ids with slashes in paths."""

import re
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Receive, Scope, Send

_KEPT: Final = re.compile(rb"(%2[fF]|%25)")


def decoded_segment(segment: str) -> str:
    """Return a segment of a path as its caller meant it; see :class:`KeepSlashes`."""
    return re.sub("%(2[fF]|25)", lambda found: chr(int(found[1], 16)), segment)


class KeepSlashes:
    """Leaves ``%2F`` in a path as it is, so that an id with a slash stays one segment.

    Servers decode the whole path, after which nobody knows which slash was one of an id.

    Args:
        app: Whose routes decode segments with :func:`decoded_segment`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        raw = scope.get("raw_path") if scope["type"] == "http" else None
        if raw and _KEPT.search(raw):
            parts = _KEPT.split(raw.partition(b"?")[0])
            decoded = b"".join(part if _KEPT.fullmatch(part) else unquote_to_bytes(part) for part in parts)
            scope = {**scope, "path": decoded.decode("utf-8", "replace")}
        await self._app(scope, receive, send)
