"""What travels between the workflow and the activities that deliver a notification through channels."""

from typing import Annotated, Final, Literal

from pydantic import Field

from trenova_activities._wire import Id, TenantPayload, WireModel

ChannelName = Literal["email", "webhook", "redis"]
CHANNELS: Final[tuple[ChannelName, ...]] = ("email", "webhook", "redis")
"""The channels beside the stored row, which is called ``in_app`` in results."""

DeliveryState = Literal["pending", "sending", "delivered", "failed", "ambiguous", "dead"]
"""Where a delivery stands.

``pending`` has not been tried, ``sending`` is being tried or its worker died, ``failed`` and ``ambiguous`` are tried
again, ``dead`` is given up. ``ambiguous``: the message was sent, and nobody knows whether it was taken.
"""

DeliveryKey = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""Names one message to one target through one channel; the receiver sees it, so that it can tell a repetition."""


class PlannedDelivery(WireModel):
    """One message that has to leave through one channel.

    Attributes:
        key: Its row, and what its receiver knows a repetition by.
        channel: Which channel.
        target: ``user/<id>``, ``endpoint/<name>`` or ``stream/<name>``.
        max_attempts: How often it is tried before it is given up.
        state: Where it stands; in the result of the workflow ``delivered`` or ``dead``.
    """

    key: DeliveryKey
    channel: ChannelName
    target: str
    max_attempts: Annotated[int, Field(ge=1, le=100)] = 10
    state: DeliveryState = "pending"

    @property
    def activity_id(self) -> str:
        """The id of its activity, the same in every replay: ``deliver/email/user/usr_1``."""
        return f"deliver/{self.channel}/{self.target}"


class DeliveryPayload(TenantPayload):
    """Deliver one planned message, or record that it is given up.

    Attributes:
        key: The delivery.
        error_code: What the last attempt failed with, for the record that it is given up.
    """

    key: DeliveryKey
    error_code: str = ""


class DeliveryReceipt(WireModel):
    """What a channel said.

    Attributes:
        state: ``delivered``, or ``dead`` where it is recorded that the delivery is given up.
        receipt: The other side's word for it: a reply code, a status, the id of a stream entry.
        repeated: It had been delivered before; nothing was sent now.
    """

    state: DeliveryState
    receipt: str = ""
    repeated: bool = False


class RedeliverPayload(TenantPayload):
    """Try a delivery again that was given up.

    Attributes:
        key: The delivery.
        requested_by: Who wants it; recorded.
        reason: Why; recorded.
        force: Also one that is not given up, because its run was ended.
    """

    key: DeliveryKey
    requested_by: Id
    reason: Annotated[str, Field(max_length=500)] = ""
    force: bool = False


class RedeliverResult(WireModel):
    """What became of it.

    Attributes:
        delivery: The delivery as it stands now.
        result: One sentence for a person.
    """

    delivery: PlannedDelivery
    result: str
