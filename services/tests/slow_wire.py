"""A PostgreSQL server behind a slow wire, so that a test can end a client between any two of its statements."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

_STATEMENT = re.compile(rb"(?:COMMIT|BEGIN|ROLLBACK|SAVEPOINT|RELEASE|(?:INSERT INTO|UPDATE|FROM) [a-z_.]+)")


class SlowWire:
    """Passes bytes on, those of the client ``delay_s`` late.

    Attributes:
        port: Where clients connect, on loopback.
        last: The last statement that was seen, roughly.
        withhold: While set, what the server answers to a COMMIT is not delivered.
        committed: Set when the server has answered a COMMIT and the client was not told.
    """

    def __init__(self, target: int, delay_s: float) -> None:
        self.port = 0
        self.last = ""
        self.withhold = False
        self.committed = asyncio.Event()
        self._target = target
        self._delay_s = delay_s
        self._serving: set[asyncio.Task[None]] = set()

    @classmethod
    @asynccontextmanager
    async def open(cls, target: int, delay_s: float) -> AsyncIterator["SlowWire"]:
        wire = cls(target, delay_s)
        server = await asyncio.start_server(wire._accept, "127.0.0.1", 0)
        wire.port = server.sockets[0].getsockname()[1]
        try:
            yield wire
        finally:
            server.close()
            for task in list(wire._serving):
                task.cancel()
            await asyncio.gather(*wire._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, ahead = await asyncio.open_connection("127.0.0.1", self._target)
        committing = asyncio.Event()
        ways = [
            asyncio.ensure_future(self._to_server(reader, ahead, committing)),
            asyncio.ensure_future(self._to_client(behind, writer, committing)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (ahead, writer):
                end.close()
                with suppress(OSError):
                    await end.wait_closed()

    async def _to_server(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committing: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 16):
            await asyncio.sleep(self._delay_s)
            if seen := _STATEMENT.findall(data):
                self.last = seen[-1].decode()
            if b"COMMIT" in data:
                committing.set()
            writer.write(data)
            await writer.drain()

    async def _to_client(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, committing: asyncio.Event
    ) -> None:
        while data := await reader.read(1 << 16):
            if self.withhold and committing.is_set():
                self.committed.set()
                continue
            committing.clear()
            writer.write(data)
            await writer.drain()
