"""What a transfer of shipments to another customer is asked, what its steps are told, and what it answers."""

import hashlib
import json
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from trenova_activities._names import NOTIFY_SUFFIX
from trenova_activities._wire import Id, TenantPayload, WireModel

MAX_TRANSFERS: Final = 100
"""Shipments per request."""

_NOT_THE_REQUEST: Final = frozenset({"timestamp", "metadata", "idempotency_key", "run_id", "step"})
_MOST_NAMED: Final = 3

TransferStep = Literal["reserve", "copy", "cancel"]
"""The steps that change the database, in their order."""


class TransferShipmentsPayload(TenantPayload):
    """Move shipments to another customer of the tenant: copies for it, and the sources are canceled.

    Attributes:
        user_id: Who asks; becomes ``entered_by_id`` of the copies and ``canceled_by_id`` of the sources, and receives
            the notification.
        idempotency_key: The same key gives the same transfer, for ever; at most 200 characters. Absent, the workflow
            id is the key.
        shipment_ids: The sources, 1 to 100, each once; they must belong to the tenant.
        customer_id: Whose they become; another customer of the tenant than theirs.
        reason: Why, for ``cancel_reason`` of the sources; at most 100 characters.
    """

    user_id: Id
    idempotency_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    shipment_ids: Annotated[list[Id], Field(min_length=1, max_length=MAX_TRANSFERS)]
    customer_id: Id
    reason: Annotated[str, Field(min_length=1, max_length=100)] = "Transferred to another customer"

    @field_validator("idempotency_key")
    @classmethod
    def _not_a_notification(cls, value: str | None) -> str | None:
        if value is not None and value.endswith(NOTIFY_SUFFIX):
            raise ValueError(f"must not end with {NOTIFY_SUFFIX}, which marks the notification of another key")
        return value

    @field_validator("shipment_ids")
    @classmethod
    def _each_once(cls, value: list[str]) -> list[str]:
        twice = sorted({id_ for id_ in value if value.count(id_) > 1})
        if twice:
            raise ValueError(f"names {', '.join(twice[:_MOST_NAMED])} more than once")
        return value

    def digest(self) -> str:
        """Fingerprint of what is asked (SHA-256, hexadecimal); the order of the shipments is no part of it.

        The key, the time and notes are not part of it either, nor is a field at its default, so that a field which a
        later release adds leaves the fingerprints of earlier requests as they are.
        """
        asked = self.model_dump(mode="json", by_alias=True, exclude=set(_NOT_THE_REQUEST), exclude_defaults=True)
        asked["shipmentIds"] = sorted(self.shipment_ids)
        return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class TransferCall(TransferShipmentsPayload):
    """What one step is told.

    Attributes:
        run_id: The run that does it; a step of an earlier run of the same request is refused.
        step: For the verification: the step whose outcome is not known.
    """

    run_id: Id
    step: TransferStep = "reserve"


class TransferShipmentsResult(WireModel):
    """What was moved.

    Attributes:
        job_id: The workflow id.
        count: Shipments moved.
        source_shipment_ids: The canceled sources, the first 100.
        shipment_ids: Their successors, in the same order.
        pro_numbers: The successors' pro numbers, in the same order.
        truncated: Whether the lists are cut.
        result: One sentence for a person.
        data: ``customerId``.
    """

    job_id: str
    count: int
    source_shipment_ids: list[str]
    shipment_ids: list[str]
    pro_numbers: list[str]
    truncated: bool = False
    result: str
    data: dict[str, object] = Field(default_factory=dict)


class ReservedTransfer(WireModel):
    """What the first step found.

    Attributes:
        count: Pro numbers reserved.
        known: The result of an earlier run with the same key, which is then the result of this one.
    """

    count: int
    known: TransferShipmentsResult | None = None


class TransferStepDone(WireModel):
    """What a step or a compensation changed: the number of shipments."""

    count: int
