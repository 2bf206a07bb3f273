"""What a channel is given to send."""

from typing import Any, Protocol

from pydantic import Field

from trenova_activities._delivery_contract import ChannelName
from trenova_activities._wire import WireModel


class Message(WireModel):
    """One notification as a channel sends it; on the wire in camelCase, and fields are only ever added.

    Attributes:
        id: The delivery; the same in every attempt, so that a receiver knows a repetition.
        notification_id: The row in the TMS (``notif_``).
        organization_id: The organization (``org_``).
        business_unit_id: The business unit (``bu_``).
        event_type: E.g. ``job.shipment.duplicate_complete``.
        priority: ``critical``, ``high``, ``medium`` or ``low``.
        title: One line.
        message: What happened, for people.
        target: Whom it is for: ``user/<id>`` or ``role/<name>``.
        job_id: The workflow it is about.
        data: Facts for programs.
        related_entities: Records it is about; their ``url`` is relative to the TMS.
        actions: What the TMS offers to do.
        tags: Words to filter by.
        created_at: When the notification was stored, unix seconds.
    """

    id: str
    notification_id: str
    organization_id: str
    business_unit_id: str
    event_type: str
    priority: str
    title: str
    message: str
    target: str
    job_id: str = ""
    data: dict[str, Any] = Field(default_factory=dict)
    related_entities: list[dict[str, Any]] = Field(default_factory=list)
    actions: list[dict[str, Any]] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    created_at: int = 0


class Probe(WireModel):
    """What a look at a channel found, without sending anything.

    Attributes:
        subject: The channel, and the endpoint if it has several.
        ok: Whether it can be used.
        detail: What was found and, if it is not well, what to do; never a secret.
    """

    subject: str
    ok: bool
    detail: str


class Channel(Protocol):
    """A way out for notifications; what it raises are errors of ``trenova_errors``."""

    @property
    def name(self) -> ChannelName:
        """Which channel it is."""

    async def send(self, message: Message, destination: str) -> str:
        """Send one message and return once the other side has taken it.

        Args:
            message: What to send; a repetition has the same id.
            destination: A mail address, the name of an endpoint or of a stream.

        Returns:
            The other side's word for it; at most 200 characters, no secret.

        Raises:
            ApplicationError: It was not taken; retryable where another attempt can help.
            AmbiguousOutcomeError: It was sent, and nobody knows whether it was taken.
        """

    async def probe(self) -> list[Probe]:
        """Look whether the other side can be reached as configured; send no message."""

    async def close(self) -> None:
        """Give back connections."""
