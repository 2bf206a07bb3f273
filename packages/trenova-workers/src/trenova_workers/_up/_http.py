"""The few bytes of HTTP that asking a loopback port for its health needs."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from trenova_workers._up._options import LOOPBACK


async def get(
    port: int, path: str, *, limit: float = 2.0, headers: Mapping[str, str] | None = None
) -> tuple[int, bytes] | None:
    """GET ``path`` on the loopback port: status and body, or None when nobody answered in ``limit`` s."""
    with suppress(OSError, TimeoutError, ValueError, IndexError):
        async with asyncio.timeout(limit):
            return await _exchange(port, path, headers or {})
    return None


async def _exchange(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        # HTTP/1.0: the answer ends with the connection and is never chunked.
        told = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(f"GET {path} HTTP/1.0\r\nHost: {LOOPBACK}:{port}\r\n{told}\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read(-1)).partition(b"\r\n\r\n")
        return int(head.split(maxsplit=2)[1]), body
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
