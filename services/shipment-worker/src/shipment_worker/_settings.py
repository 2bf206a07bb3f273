"""Everything the shipment worker may be told, e.g. ``SHIPMENT_WORKER_WORKER__MAX_ACTIVITIES``."""

import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from temporalio.client import Plugin

from trenova_activities import (
    CANCEL_SHIPMENTS_ACTIVITY,
    DUPLICATE_SHIPMENT_ACTIVITY,
    SHIPMENT_QUEUE,
    TRANSFER_CANCEL_ACTIVITY,
    TRANSFER_COPY_ACTIVITY,
    TRANSFER_RELEASE_ACTIVITY,
    TRANSFER_RESERVE_ACTIVITY,
    TRANSFER_RESTORE_ACTIVITY,
    TRANSFER_VERIFY_ACTIVITY,
    TRANSFER_WITHDRAW_ACTIVITY,
    longest_attempt,
    shortest_heartbeat,
)
from trenova_activities.database import Database, DatabaseOptions, NotifyRoles, PlanOptions, ProNumberOptions
from trenova_codecs import CodecOptions, CodecPlugin
from trenova_errors import ErrorsPlugin
from trenova_workers import ServiceSettings, WorkLimits

_ACTIVITIES = (
    CANCEL_SHIPMENTS_ACTIVITY,
    DUPLICATE_SHIPMENT_ACTIVITY,
    TRANSFER_CANCEL_ACTIVITY,
    TRANSFER_COPY_ACTIVITY,
    TRANSFER_RELEASE_ACTIVITY,
    TRANSFER_RESERVE_ACTIVITY,
    TRANSFER_RESTORE_ACTIVITY,
    TRANSFER_VERIFY_ACTIVITY,
    TRANSFER_WITHDRAW_ACTIVITY,
)


class Settings(ServiceSettings):
    """Settings of the shipment worker; the Temporal connection is ``temporalio.envconfig``'s."""

    model_config = SettingsConfigDict(env_prefix="SHIPMENT_WORKER_")

    queues: tuple[str, ...] = Field(default=(SHIPMENT_QUEUE,), min_length=1)
    """Task queues to poll, the service's own first; further ones isolate or overflow."""
    database: DatabaseOptions
    """The TMS's database. No default: production must say which."""
    codec: CodecOptions
    """How payloads are encrypted and compressed. No default: production must say where its keys are."""
    pro_numbers: ProNumberOptions = ProNumberOptions()
    """How the pro numbers of copies look, per organization."""
    notify_roles: NotifyRoles = NotifyRoles()
    """Which role is told when a nightly job fails, per organization."""
    plans: PlanOptions = PlanOptions()
    """When the nightly job needs a plan that people have approved, and what makes a plan valid."""

    def open_database(self) -> AbstractAsyncContextManager[Database]:
        """Open the database for the length of a block."""
        return Database.open(self.database.within(self.data_dir))

    def plugins(self) -> Sequence[Plugin]:
        """Return what the client is given: one decision about failures, and the codec of payloads.

        Raises:
            ApplicationError: There are no keys, or payloads may be in clear outside ``dev``.
        """
        codec = self.codec.within(self.data_dir).require_protection(self.env)
        return ErrorsPlugin(), CodecPlugin(codec, environ=os.environ)

    def limits(self) -> WorkLimits:
        """Return what our activities and the database demand of the worker's options."""
        silence = shortest_heartbeat(*_ACTIVITIES)
        return WorkLimits(
            longest_start_to_close_s=longest_attempt(*_ACTIVITIES).total_seconds(),
            start_to_close_s=tuple(sorted({longest_attempt(one).total_seconds() for one in _ACTIVITIES})),
            shortest_heartbeat_timeout_s=None if silence is None else silence.total_seconds(),
            database_connections=self.database.pool_size,
        )
