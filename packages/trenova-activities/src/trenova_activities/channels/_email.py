"""Mail through one SMTP server."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiosmtplib

from trenova_activities.channels._attempt import Progress, Turns, attempt
from trenova_activities.channels._mail import MailWriter
from trenova_activities.channels._message import Message, Probe
from trenova_activities.channels._options import EmailOptions
from trenova_errors import ApplicationError, ConfigurationError


class EmailChannel:
    """Sends each message as one mail to one address, on a connection of its own.

    A server cannot be asked whether it has a mail already, so one that was sent and not answered is sent again with the
    same ``Message-ID``: at least once, and a repetition can be recognised.

    Args:
        options: The server and the sender.
    """

    name: Final = "email"

    def __init__(self, options: EmailOptions) -> None:
        self._options = options
        self._writer = MailWriter(options)
        self._turns = Turns(options.rate)
        self._tls = ssl.create_default_context(cafile=options.ca_file)

    async def send(self, message: Message, destination: str) -> str:
        """Send to this address; the server's reply 250 to the text means that it was taken."""
        mail = self._writer.write(message, destination)
        await self._turns.wait("The mail server")
        async with attempt("The mail server", self._options.timeout_s) as progress, self._connected(progress) as client:
            await client.mail(self._options.sender)
            await client.rcpt(destination)
            progress.sent = True
            try:
                reply = await client.data(mail.as_bytes())
            except aiosmtplib.SMTPResponseException:
                progress.answered = True
                raise
            progress.answered, progress.receipt = True, f"SMTP {reply.code}"
        return progress.receipt

    async def probe(self) -> list[Probe]:
        """Connect, sign in and say NOOP; no mail is sent."""
        where = f"{self._options.host}:{self._options.resolved_port}"
        try:
            limit = self._options.timeout_s
            async with attempt("The mail server", limit) as progress, self._connected(progress) as client:
                await client.noop()
        except ApplicationError as error:
            return [Probe(subject="email", ok=False, detail=f"{where}: {error.message}")]
        signed = "" if self._options.username is None else f", signed in as {self._options.username}"
        return [Probe(subject="email", ok=True, detail=f"{where} answers ({self._options.security}{signed})")]

    async def close(self) -> None:
        """Do nothing: each mail closes its own connection."""

    async def _begin_tls(self, client: aiosmtplib.SMTP) -> None:
        await client.ehlo()
        if not client.supports_extension("starttls"):
            raise ConfigurationError(
                "The mail server does not offer STARTTLS, and mail only goes over TLS. Set channels.email.port and "
                "security as its operator says."
            )
        await client.starttls(tls_context=self._tls)

    @asynccontextmanager
    async def _connected(self, progress: Progress) -> AsyncIterator[aiosmtplib.SMTP]:
        options = self._options
        client = aiosmtplib.SMTP(
            hostname=options.host,
            port=options.resolved_port,
            use_tls=options.security == "tls",
            start_tls=False,  # done below, where a server that cannot is told from one that fails
            tls_context=None if options.security == "none" else self._tls,
            timeout=options.timeout_s,
        )
        await client.connect()
        try:
            if options.security == "starttls":
                await self._begin_tls(client)
            if options.username is not None and options.password is not None:
                await client.login(options.username, options.password.get_secret_value())
            yield client
        finally:
            # What the server says to QUIT changes nothing any more, and a lost connection needs no farewell.
            if not progress.open:
                with suppress(aiosmtplib.SMTPException, OSError):
                    await client.quit()
            client.close()
