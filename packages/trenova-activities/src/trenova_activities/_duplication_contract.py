"""What a shipment duplication is asked and what it answers."""

import hashlib
import json
from typing import Annotated, Final

from pydantic import Field, field_validator

from trenova_activities._names import NOTIFY_SUFFIX
from trenova_activities._wire import Id, TenantPayload, WireModel

MAX_COPIES: Final = 100
"""Copies per request; the TMS's own limit."""

_NOT_THE_REQUEST: Final = frozenset({"timestamp", "metadata", "idempotency_key"})


class DuplicateShipmentPayload(TenantPayload):
    """Make ``count`` copies of one shipment.

    Attributes:
        user_id: Who asks; becomes ``entered_by_id`` of the copies and receives the notification.
        idempotency_key: The same key gives the same copies, for ever; at most 200 characters. Absent, the
            workflow id is the key.
        shipment_id: The source; it must belong to the tenant.
        count: How many copies, 1 to 100.
        override_dates: Move the plan so that the earliest planned arrival is now; spacing is kept.
        include_commodities: Copy the commodities as well.
        include_additional_charges: Copy the additional charges as well; totals follow.
    """

    user_id: Id
    idempotency_key: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    shipment_id: Id
    count: Annotated[int, Field(ge=1, le=MAX_COPIES)]
    override_dates: bool = False
    include_commodities: bool = False
    include_additional_charges: bool = False

    @field_validator("idempotency_key")
    @classmethod
    def _not_a_notification(cls, value: str | None) -> str | None:
        if value is not None and value.endswith(NOTIFY_SUFFIX):
            raise ValueError(f"must not end with {NOTIFY_SUFFIX}, which marks the notification of another key")
        return value

    def digest(self) -> str:
        """Fingerprint of what is asked (SHA-256, hexadecimal).

        The key, the time and notes are not part of it, nor is a field at its default, so that a field which a
        later release adds leaves the fingerprints of earlier requests as they are.
        """
        asked = self.model_dump(mode="json", exclude=set(_NOT_THE_REQUEST), exclude_defaults=True)
        return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class DuplicateShipmentResult(WireModel):
    """What was made.

    Attributes:
        job_id: The workflow id.
        count: Copies made.
        pro_numbers: Their pro numbers, in the order of ``shipment_ids``.
        shipment_ids: Their ids.
        result: One sentence for a person.
        data: ``sourceShipmentId`` and ``sourceProNumber``.
    """

    job_id: str
    count: int
    pro_numbers: list[str]
    shipment_ids: list[str]
    result: str
    data: dict[str, object] = Field(default_factory=dict)
