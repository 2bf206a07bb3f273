"""Deliver planned messages side by side, each to its end; deterministic code only."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

from trenova_activities._delivery_contract import (
    ChannelName,
    DeliveryPayload,
    DeliveryReceipt,
    PlannedDelivery,
)
from trenova_activities._labels import brief
from trenova_activities._names import (
    BURY_DELIVERY_ACTIVITY,
    EMAIL_DELIVERY_ACTIVITY,
    REDIS_DELIVERY_ACTIVITY,
    WEBHOOK_DELIVERY_ACTIVITY,
)
from trenova_activities._timeouts import DELIVERIES, RECORD
from trenova_activities._wire import TenantPayload

_ACTIVITIES: Final[Mapping[ChannelName, str]] = {
    "email": EMAIL_DELIVERY_ACTIVITY,
    "webhook": WEBHOOK_DELIVERY_ACTIVITY,
    "redis": REDIS_DELIVERY_ACTIVITY,
}


async def deliver(tenant: TenantPayload, planned: Sequence[PlannedDelivery]) -> list[PlannedDelivery]:
    """Deliver every one, whatever becomes of the others.

    Returns:
        The same in the same order, ``delivered`` or ``dead``.

    Raises:
        BaseException: The run is canceled, or it could not be recorded that a delivery is given up; all have ended.
    """
    ended = await asyncio.gather(*(_deliver(tenant, one) for one in planned), return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
    return [one for one in ended if not isinstance(one, BaseException)]


async def _deliver(tenant: TenantPayload, planned: PlannedDelivery) -> PlannedDelivery:
    policy = replace(DELIVERIES[planned.channel], maximum_attempts=planned.max_attempts)
    payload = _payload(tenant, planned)
    try:
        receipt: DeliveryReceipt = await workflow.execute_activity(
            _ACTIVITIES[planned.channel],
            payload,
            result_type=DeliveryReceipt,
            activity_id=planned.activity_id,
            summary=brief(f"Send by {planned.channel} to {planned.target}"),
            **policy.options(),
        )
    except ActivityError as error:
        if is_cancelled_exception(error):
            raise
        receipt = await _bury(payload.model_copy(update={"error_code": _code_of(error)}), planned)
    return planned.model_copy(update={"state": receipt.state})


async def _bury(payload: DeliveryPayload, planned: PlannedDelivery) -> DeliveryReceipt:
    receipt: DeliveryReceipt = await workflow.execute_activity(
        BURY_DELIVERY_ACTIVITY,
        payload,
        result_type=DeliveryReceipt,
        activity_id=f"bury/{planned.channel}/{planned.target}",
        summary=brief(f"Record that {planned.channel} to {planned.target} is given up"),
        **RECORD,
    )
    return receipt


def _payload(tenant: TenantPayload, planned: PlannedDelivery) -> DeliveryPayload:
    return DeliveryPayload(
        organization_id=tenant.organization_id, business_unit_id=tenant.business_unit_id, key=planned.key
    )


def _code_of(error: ActivityError) -> str:
    """Return the finer code of what the last attempt failed with; the kind of a time-out where there is none."""
    cause = error.cause
    if isinstance(cause, ApplicationError):
        details = cause.details[0] if cause.details else None
        code = details.get("code") if isinstance(details, Mapping) else None
        return str(code or cause.type or "")[:100]
    return type(cause).__name__ if cause is not None else ""
