"""A slow server on loopback, as the portal of a carrier is: every answer takes the same time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_WAITING_CONNECTIONS = 4096


@asynccontextmanager
async def slow_carrier(answer_s: float) -> AsyncIterator[int]:
    """Answer each line after so many seconds, any number of callers at once; yields the port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        await asyncio.sleep(answer_s)
        writer.write(b"in transit\n")
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=_WAITING_CONNECTIONS)
    async with server:
        yield server.sockets[0].getsockname()[1]
