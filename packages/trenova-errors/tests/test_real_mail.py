"""Replies of a real SMTP server on loopback, through smtplib and aiosmtplib."""

import asyncio
import smtplib
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import aiosmtplib
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from trenova_errors import Classification, classify, sending
from trenova_errors._table_smtp import SMTP as TABLE

SENDER, BODY = "tms@example.com", "Subject: hunter2\r\n\r\nhunter2\r\n"
DROP = "drop"
Send = Callable[..., Awaitable[None]]


class Replies:
    """Answers each command as ``reply`` says: a code, or ``drop`` to cut the connection; 250 without a say."""

    def __init__(self) -> None:
        self.reply: dict[str, int | str] = {}

    def _answer(self, server: SMTP, command: str) -> str:
        answer = self.reply.get(command, 250)
        if answer == DROP:
            server.transport.abort()
        return f"{421 if answer == DROP else answer} hunter2"

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        envelope.mail_from = address
        return self._answer(server, "MAIL")

    async def handle_RCPT(self, server: SMTP, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        answer = self._answer(server, address if address in self.reply else "RCPT")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802
        return self._answer(server, "DATA")


def refuse(server: SMTP, session: Any, envelope: Any, mechanism: str, auth_data: Any) -> AuthResult:
    return AuthResult(success=False, handled=False)


@pytest.fixture
def mail() -> Iterator[Any]:
    handler = Replies()
    controller = Controller(
        handler, hostname="127.0.0.1", port=free_port(), authenticator=refuse, auth_require_tls=False
    )
    controller.start()
    yield SimpleNamespace(handler=handler, port=controller.port)
    asyncio.run_coroutine_threadsafe(settle(), controller.loop).result(20)
    controller.stop()


async def settle() -> None:
    """Wait until every connection has ended; the controller closes its loop over those that have not."""
    serving = asyncio.all_tasks() - {asyncio.current_task()}
    if serving:
        await asyncio.wait(serving, timeout=10)
    for _ in range(5):  # a transport closes in the rounds after its protocol has ended
        await asyncio.sleep(0)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def by_smtplib(port: int, *to: str, login: bool = False) -> None:
    def send() -> None:
        with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
            if login:
                client.login("tms", "hunter2")
            client.sendmail(SENDER, to or ["a@example.com"], BODY)

    await asyncio.to_thread(send)


async def by_aiosmtplib(port: int, *to: str, login: bool = False) -> None:
    async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, timeout=5, start_tls=False) as client:
        if login:
            await client.login("tms", "hunter2")
        await client.sendmail(SENDER, to or ["a@example.com"], BODY)


CLIENTS = pytest.mark.parametrize("send", [by_smtplib, by_aiosmtplib])


async def failing(send: Send, port: int, *to: str, **options: bool) -> Classification:
    with pytest.raises((smtplib.SMTPException, aiosmtplib.SMTPException, OSError)) as caught:
        await send(port, *to, **options)
    found = classify(caught.value)
    assert "hunter2" not in repr(found)
    assert "example.com" not in repr(found)
    return found


@CLIENTS
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("reply", [421, 450, 451, 452, 499, 550, 551, 552, 553, 554, 599])
async def test_a_reply_to_any_command_is_what_the_table_says(mail, send: Send, command, reply):
    mail.handler.reply = {command: reply}
    found = await failing(send, mail.port)

    expected = TABLE.get(str(reply), TABLE[f"{reply // 100}yz"]).kind
    assert (found.kind, found.source, found.retryable) == (expected, f"SMTP {reply}", reply < 500)


@CLIENTS
async def test_refused_credentials_are_a_matter_of_configuration(mail, send: Send):
    found = await failing(send, mail.port, login=True)

    assert (found.kind, found.source) == ("configuration", "SMTP 535")


@CLIENTS
async def test_of_recipients_refused_differently_one_that_may_be_accepted_later_is_worth_another_attempt(
    mail, send: Send
):
    mail.handler.reply = {"a@example.com": 550, "b@example.com": 450, "c@example.com": 553}
    found = await failing(send, mail.port, "a@example.com", "b@example.com", "c@example.com")

    assert (found.kind, found.source) == ("unavailable", "SMTP 450")


@CLIENTS
async def test_recipients_that_are_all_refused_for_good_are_not_asked_again(mail, send: Send):
    mail.handler.reply = {"a@example.com": 553, "b@example.com": 550}
    found = await failing(send, mail.port, "a@example.com", "b@example.com")

    assert (found.retryable, found.benign) == (False, True)


@CLIENTS
@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
async def test_a_connection_that_is_cut_is_unavailable_and_ambiguous_for_who_was_sending(mail, send: Send, command):
    mail.handler.reply = {command: DROP}
    assert (await failing(send, mail.port)).kind == "unavailable"
    with pytest.raises((smtplib.SMTPException, aiosmtplib.SMTPException, OSError)) as caught, sending("the mail"):
        await send(mail.port)

    assert classify(caught.value).kind == "ambiguous"


@CLIENTS
@pytest.mark.parametrize("reply", [421, 451])
async def test_a_reply_that_the_mail_was_not_taken_stays_so(mail, send: Send, reply):
    mail.handler.reply = {"DATA": reply}
    with pytest.raises((smtplib.SMTPException, aiosmtplib.SMTPException)) as caught, sending("the mail"):
        await send(mail.port)

    assert classify(caught.value).kind == "unavailable"


@CLIENTS
async def test_a_server_that_is_not_there_is_unavailable_and_nothing_was_sent(send: Send):
    port = free_port()
    assert (await failing(send, port)).source == "errno ECONNREFUSED"
    with pytest.raises((smtplib.SMTPException, aiosmtplib.SMTPException, OSError)) as caught, sending("the mail"):
        await send(port)

    assert classify(caught.value).kind == "unavailable"


@CLIENTS
async def test_a_server_that_turns_everyone_away_is_decided_by_its_greeting(send: Send):
    ended = asyncio.Semaphore(0)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{greeting} hunter2\r\n".encode())
        with suppress(OSError):
            await writer.drain()
            await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        ended.release()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    found = {}
    for greeting in (421, 554):
        found[greeting] = await failing(send, server.sockets[0].getsockname()[1])
        await ended.acquire()
    server.close()

    assert [(one.source, one.retryable) for one in found.values()] == [("SMTP 421", True), ("SMTP 554", False)]
