"""A connection that can be cut or slowed down, between those who connect and the server they mean."""

import asyncio
from contextlib import suppress

from service_processes import free_port


class Connection:
    """Passes bytes on; while it is cut nothing goes through, and what was open is broken.

    Args:
        target: The server's port, on loopback.

    Attributes:
        port: Where clients connect, on loopback.
        delay_s: How late the server gets what clients send, seconds.
    """

    def __init__(self, target: int) -> None:
        self.port, self._target = free_port(), target
        self.delay_s = 0.0
        self._open: set[asyncio.StreamWriter] = set()
        self._cut = False

    async def listen(self) -> None:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.close()
            return
        with suppress(OSError):
            behind, ahead = await asyncio.open_connection("127.0.0.1", self._target)
            self._open |= {writer, ahead}
            await asyncio.gather(self._pass(reader, ahead, delayed=True), self._pass(behind, writer))
            self._open -= {writer, ahead}
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, delayed: bool = False) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                if delayed and self.delay_s:
                    await asyncio.sleep(self.delay_s)
                writer.write(data)
                await writer.drain()
        writer.close()

    async def cut(self, seconds: float) -> None:
        self._cut = True
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        await asyncio.sleep(seconds)
        self._cut = False

    async def slow(self, delay_s: float, seconds: float) -> None:
        self.delay_s = delay_s
        await asyncio.sleep(seconds)
        self.delay_s = 0.0

    async def close(self) -> None:
        self._listening.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0.1)  # until those who passed bytes on have noticed
