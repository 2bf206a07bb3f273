"""The activities that deliver notifications through channels."""

import asyncio
from typing import Any, Final, Self

from temporalio import activity

from trenova_activities._delivery_contract import (
    ChannelName,
    DeliveryPayload,
    DeliveryReceipt,
    PlannedDelivery,
    RedeliverPayload,
)
from trenova_activities._heartbeats import Heartbeats, heartbeats
from trenova_activities._names import (
    BURY_DELIVERY_ACTIVITY,
    EMAIL_DELIVERY_ACTIVITY,
    NOTIFICATION_JOB,
    REDIS_DELIVERY_ACTIVITY,
    REOPEN_DELIVERY_ACTIVITY,
    WEBHOOK_DELIVERY_ACTIVITY,
)
from trenova_activities._wire import TenantPayload
from trenova_activities.channels._channels import Channels
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._delivery_rows import Begun, Deliveries
from trenova_activities.database._engine import Database
from trenova_activities.database._recipients import Directory
from trenova_activities.database._requirements import ready_catalog
from trenova_activities.database._tenant import Tenant
from trenova_errors import ApplicationError, ResourceNotFoundError

_COUNTER: Final = "trenova_notification_deliveries"
_PATIENCE_S: Final = (0.2, 1.0)
"""Between attempts to record that a message was taken: what is not recorded is sent again."""


class DeliveryActivities:
    """One activity per channel; each sends one message, and never one that is known to be taken.

    An attempt is on record before it sends. One that ends without a record, because its worker died, is ambiguous: the
    next attempt sends the same message under the same id.

    Args:
        database: The TMS's database.
        catalog: Its tables.
        channels: What this worker can send through.
    """

    def __init__(self, database: Database, catalog: Catalog, channels: Channels) -> None:
        self._database = database
        self._channels = channels
        self._directory = Directory(catalog, channels.options.roles)

    @classmethod
    async def open(cls, database: Database, channels: Channels) -> Self:
        """Read the database and refuse one that lacks something notifications need.

        Raises:
            ConfigurationError: With everything that is lacking.
        """
        return cls(database, await ready_catalog(database, NOTIFICATION_JOB), channels)

    @activity.defn(name=EMAIL_DELIVERY_ACTIVITY)
    async def email(self, payload: DeliveryPayload) -> DeliveryReceipt:
        """Send one mail."""
        return await self._deliver("email", payload)

    @activity.defn(name=WEBHOOK_DELIVERY_ACTIVITY)
    async def webhook(self, payload: DeliveryPayload) -> DeliveryReceipt:
        """Post one signed request."""
        return await self._deliver("webhook", payload)

    @activity.defn(name=REDIS_DELIVERY_ACTIVITY)
    async def redis(self, payload: DeliveryPayload) -> DeliveryReceipt:
        """Append one entry to a stream."""
        return await self._deliver("redis", payload)

    @activity.defn(name=BURY_DELIVERY_ACTIVITY)
    async def bury(self, payload: DeliveryPayload) -> DeliveryReceipt:
        """Record that a delivery is given up; it waits for somebody to look."""
        async with heartbeats() as beats:
            beats.stage("waiting for the database")
            row = await self._rows(payload).bury(payload.key, payload.error_code)
        if row.state == "dead":
            _count(row.channel, "dead")
            activity.logger.error(
                "Delivery of a notification is given up; 'trenova-activities notifications show' says more",
                extra={"delivery": payload.key, "channel": row.channel, "error_code": row.last_error or ""},
            )
        return DeliveryReceipt(state=row.state, receipt=row.receipt or "")

    @activity.defn(name=REOPEN_DELIVERY_ACTIVITY)
    async def reopen(self, payload: RedeliverPayload) -> PlannedDelivery:
        """Record who wants a delivery tried again, and make it ready."""
        async with heartbeats() as beats:
            beats.stage("waiting for the database")
            return await self._rows(payload).reopen(payload, activity.info().workflow_run_id or "")

    async def _deliver(self, name: ChannelName, payload: DeliveryPayload) -> DeliveryReceipt:
        async with heartbeats() as beats:
            return await self._send(name, payload, beats)

    async def _send(self, name: ChannelName, payload: DeliveryPayload, beats: Heartbeats) -> DeliveryReceipt:
        channel = self._channels[name]
        rows = self._rows(payload)
        beats.stage("reading the message")
        begun = await rows.begin(payload.key)
        if begun.receipt is not None:
            return DeliveryReceipt(state="delivered", receipt=begun.receipt, repeated=True)
        beats.stage(f"sending by {name}")
        try:
            receipt = await channel.send(begun.message, await self._destination(name, payload, begun))
        except ApplicationError as error:
            _count(name, "failed")
            await rows.failed(payload.key, begun.attempt, error)
            raise
        beats.stage("recording that it was taken")
        await _record(rows, payload.key, receipt)
        _count(name, "delivered")
        return DeliveryReceipt(state="delivered", receipt=receipt)

    async def _destination(self, name: ChannelName, payload: DeliveryPayload, begun: Begun) -> str:
        receiver = begun.target.partition("/")[2]
        if name != "email":
            return receiver
        async with self._database.read() as connection:
            address = await self._directory.address(connection, _tenant(payload), receiver)
        if address is None:
            raise ResourceNotFoundError.of("mail address of active user", receiver)
        return address

    def _rows(self, payload: TenantPayload) -> Deliveries:
        return Deliveries(self._database, _tenant(payload))


async def _record(rows: Deliveries, key: str, receipt: str) -> None:
    for pause in (*_PATIENCE_S, None):
        try:
            await rows.taken(key, receipt)
        except ApplicationError:
            if pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return


def _tenant(payload: TenantPayload) -> Tenant:
    return Tenant(payload.organization_id, payload.business_unit_id)


def _count(channel: Any, outcome: str) -> None:
    meter = activity.metric_meter().with_additional_attributes({"channel": str(channel), "outcome": outcome})
    meter.create_counter(_COUNTER, "Attempts to deliver notifications, by channel and outcome").add(1)
