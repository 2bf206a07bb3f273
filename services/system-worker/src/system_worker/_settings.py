"""Everything the system worker may be told, e.g. ``SYSTEM_WORKER_WORKER__MAX_ACTIVITIES``."""

import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from temporalio.client import Plugin

from system_worker._pool_options import PoolManagerOptions
from trenova_activities import (
    CHECK_DATABASE_ACTIVITY,
    DELETE_AUDIT_ENTRIES_ACTIVITY,
    SYSTEM_QUEUE,
    longest_attempt,
    shortest_heartbeat,
)
from trenova_activities.database import Database, DatabaseOptions, NotifyRoles, PlanOptions
from trenova_codecs import CodecOptions, CodecPlugin
from trenova_errors import ErrorsPlugin
from trenova_schedules.store import ScheduleStore, StoreOptions
from trenova_workers import ServiceSettings, WorkLimits

if TYPE_CHECKING:
    from trenova_workers.pool.store import PoolStore

_ACTIVITIES = (CHECK_DATABASE_ACTIVITY, DELETE_AUDIT_ENTRIES_ACTIVITY)


class Settings(ServiceSettings):
    """Settings of the system worker; the Temporal connection is ``temporalio.envconfig``'s."""

    model_config = SettingsConfigDict(env_prefix="SYSTEM_WORKER_")

    queues: tuple[str, ...] = Field(default=(SYSTEM_QUEUE,), min_length=1)
    """Task queues to poll, the service's own first; further ones isolate or overflow."""
    database: DatabaseOptions
    """The TMS's database. No default: production must say which."""
    codec: CodecOptions
    """How payloads are encrypted and compressed. No default: production must say where its keys are."""
    notify_roles: NotifyRoles = NotifyRoles()
    """Which role is told when a nightly job fails, per organization."""
    plans: PlanOptions = PlanOptions()
    """When the nightly job needs a plan that people have approved, and what makes a plan valid."""

    pool_manager: PoolManagerOptions = PoolManagerOptions()
    """Which pool manager the console's page of workers asks. Not `pools`: `TRENOVA_POOLS` is the command's file."""

    def open_database(self) -> AbstractAsyncContextManager[Database]:
        """Open the database for the length of a block."""
        return Database.open(self.database.within(self.data_dir))

    def open_store(self) -> AbstractAsyncContextManager[ScheduleStore]:
        """Open the store of schedules, in the same database, for the length of a block."""
        return ScheduleStore.open(StoreOptions(url=self.database.within(self.data_dir).url))

    def open_pools(self) -> "AbstractAsyncContextManager[PoolStore]":
        """Open the store of worker pools, in the same database, for the length of a block."""
        from trenova_workers.pool.store import PoolStore, PoolStoreOptions  # only `prepare` needs it

        return PoolStore.open(PoolStoreOptions(url=self.database.within(self.data_dir).url))

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
