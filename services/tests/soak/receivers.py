"""Who is told beside the application: a mail server and a receiver of webhooks, both real, that can be away or rude."""

import asyncio
import hashlib
import json
import math
import sys
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from connection import Connection

sys.path.append(str(Path(__file__).parents[3] / "packages/trenova-activities/tests/channels"))

from channel_peers import CUT, MailServer, Receiver

from trenova_activities.channels import SignatureError, verify_signature

_SECRET = "soak-" * 8
TOOK = ("200", CUT)
"""How a receiver behaves that has the message: it says so, or its answer is lost."""


@dataclass(frozen=True)
class Arrived:
    """One message that somebody took.

    Attributes:
        delivery: The id by which a receiver knows a repetition.
        digest: Of all that has to be the same in a repetition.
        sound: Whether it is what it says: its ids agree and, of a webhook, its signature.
    """

    channel: str
    delivery: str
    digest: str
    sound: bool


class Receivers:
    """Behind connections that can be cut."""

    def __init__(self) -> None:
        self.mail = MailServer(None)
        self.hook = Receiver()

    async def open(self) -> dict[str, str]:
        """Listen; return what the notification worker is to be told."""
        await self.hook.start()
        self.to_mail, self.to_hook = Connection(self.mail.port), Connection(self.hook.port)
        await self.to_mail.listen()
        await self.to_hook.listen()
        endpoint = {"url": f"http://127.0.0.1:{self.to_hook.port}/soak", "secret": _SECRET, "plain_http": True}
        channel = "NOTIFICATION_WORKER_CHANNELS__"
        return {
            f"{channel}EMAIL__HOST": "127.0.0.1",
            f"{channel}EMAIL__PORT": str(self.to_mail.port),
            f"{channel}EMAIL__SECURITY": "none",
            f"{channel}EMAIL__SENDER": "tms@example.com",
            f"{channel}WEBHOOK__ENDPOINTS": json.dumps({"soak": endpoint | {"allowed_networks": ["127.0.0.0/8"]}}),
        }

    async def break_mail(self, how: str, seconds: float) -> None:
        """Have the mail server ``away``, ``busy``, or ``silent`` once it has a mail."""
        if how == "away":
            await self.to_mail.cut(seconds)
        else:
            self.mail.reply["DATA"] = {"busy": 451, "silent": CUT}[how]
            await asyncio.sleep(seconds)
            del self.mail.reply["DATA"]

    async def break_hook(self, how: str, seconds: float) -> None:
        """Have the receiver of webhooks ``away``, ``failing``, or ``silent`` once it has a request."""
        if how == "away":
            await self.to_hook.cut(seconds)
        else:
            self.hook.behaviour = {"failing": "503", "silent": CUT}[how]
            await asyncio.sleep(seconds)
            self.hook.behaviour = "200"

    def arrived(self) -> list[Arrived]:
        """What was taken so far, in the order of each channel."""
        mails = [_mail(raw) for raw in self.mail.taken]
        return mails + [_request(one.headers, one.body) for one in self.hook.requests if one.behaviour in TOOK]

    async def close(self) -> None:
        await asyncio.to_thread(self.mail.close)
        await self.hook.close()
        for connection in (self.to_mail, self.to_hook):
            await connection.close()


def _mail(raw: bytes) -> Arrived:
    mail = message_from_bytes(raw)
    delivery, message_id = ("".join((mail[name] or "").split()) for name in ("X-Trenova-Delivery", "Message-ID"))
    sound = message_id == f"<{delivery}@example.com>"
    return Arrived("email", delivery, hashlib.sha256(raw).hexdigest(), sound)


def _request(headers: dict[str, str], body: bytes) -> Arrived:
    delivery = headers.get("trenova-delivery", "")
    sound = json.loads(body).get("id") == delivery == headers.get("idempotency-key")
    try:  # whatever its time: a worker with a wrong clock is one of the faults
        verify_signature(headers.get("trenova-signature"), body, _SECRET, tolerance_s=math.inf)
    except SignatureError:
        sound = False
    return Arrived("webhook", delivery, hashlib.sha256(body).hexdigest(), sound)
