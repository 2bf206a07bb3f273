"""The activities that store notifications: one row per workflow id and target, however often they run."""

from typing import Any, Self

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio import activity

from trenova_activities._heartbeats import heartbeats
from trenova_activities._names import CONFIGURATION_COPIED_ACTIVITY, JOB_NOTIFICATION_ACTIVITY, NOTIFICATION_JOB
from trenova_activities._notification_contract import (
    ConfigurationCopiedPayload,
    JobNotificationPayload,
    NotificationResult,
)
from trenova_activities._wire import TenantPayload
from trenova_activities.channels._options import ChannelOptions
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._delivery_plan import NOTHING, Plan, Planner
from trenova_activities.database._engine import Database
from trenova_activities.database._ids import new_id
from trenova_activities.database._notice import Notice, copied_notice, job_notice
from trenova_activities.database._requirements import ready_catalog
from trenova_activities.database._rows import insertable
from trenova_activities.database._tenant import Tenant
from trenova_errors import AmbiguousOutcomeError, RetryableError

_IN_APP = "in_app"
_IN_APP_ONLY = ChannelOptions()
_MAX_RETRIES = 3  # the TMS's default for notifications.max_retries


class NotificationActivities:
    """The activities of the notification queue.

    Args:
        database: The TMS's database.
        catalog: Its tables, as reflected when the worker started.
        options: The channels through which messages leave beside the stored row; none by default.
    """

    def __init__(self, database: Database, catalog: Catalog, options: ChannelOptions = _IN_APP_ONLY) -> None:
        self._database = database
        self._catalog = catalog
        self._planner = Planner(database, catalog, options)

    @classmethod
    async def open(cls, database: Database, options: ChannelOptions = _IN_APP_ONLY) -> Self:
        """Read the database and refuse one that lacks something notifications need.

        Raises:
            ConfigurationError: With everything that is lacking, or with what the channels need and may not read.
        """
        catalog = await ready_catalog(database, NOTIFICATION_JOB)
        if options.roles is not None:
            roles = await Catalog.reflect(database, [options.roles.table])
            catalog = Catalog({**catalog.tables, **roles.tables})
        activities = cls(database, catalog, options)
        activities._planner.directory.check()
        await activities._planner.probe()
        return activities

    @activity.defn(name=JOB_NOTIFICATION_ACTIVITY)
    async def notify(self, payload: JobNotificationPayload) -> NotificationResult:
        """Tell a user or a role how a job ended."""
        workflow_id = _workflow_id()
        async with heartbeats() as beats:
            beats.stage("storing the notification")
            who = await self._name(payload)
            return await self._deliver(payload, job_notice(payload, workflow_id=workflow_id, who=who), workflow_id)

    @activity.defn(name=CONFIGURATION_COPIED_ACTIVITY)
    async def configuration_copied(self, payload: ConfigurationCopiedPayload) -> NotificationResult:
        """Tell the owner of a configuration that it was copied."""
        workflow_id = _workflow_id()
        async with heartbeats() as beats:
            beats.stage("storing the notification")
            return await self._deliver(payload, copied_notice(payload, workflow_id=workflow_id), workflow_id)

    async def _name(self, payload: JobNotificationPayload) -> str:
        """Return the name of the user, as far as the database knows one."""
        column = self._catalog.first("users", "name", "email_address")
        if payload.user_id is None or column is None or not self._catalog.owned("users"):
            return ""
        users = self._catalog["users"]
        tenant = Tenant(payload.organization_id, payload.business_unit_id)
        query = select(users.c[column]).where(tenant.owns(users), users.c.id == payload.user_id)
        async with self._database.read() as connection:
            return str((await connection.execute(query)).scalar_one_or_none() or "")

    async def _deliver(self, payload: TenantPayload, notice: Notice, workflow_id: str) -> NotificationResult:
        tenant = Tenant(payload.organization_id, payload.business_unit_id)
        outbox = Outbox(self._database, self._catalog, tenant, workflow_id, self._planner)
        try:
            notification_id, plan = await outbox.store(notice, asked_at=payload.timestamp)
        except AmbiguousOutcomeError as error:
            raise RetryableError("The connection was lost during the commit; the next attempt finds out.") from error
        return NotificationResult(
            notification_id=notification_id,
            delivered=True,
            channels=[_IN_APP],
            result=f"{notice.title}: delivered to {notice.target}.",
            deliveries=plan.deliveries,
            recipients_left_out=plan.left_out,
        )


class Outbox:
    """The notifications of one workflow: who was told what, and which row says it."""

    def __init__(
        self, database: Database, catalog: Catalog, tenant: Tenant, workflow_id: str, planner: Planner
    ) -> None:
        self._database = database
        self._table = database.jobs.deliveries
        self._notifications = catalog["notifications"]
        self._tenant = tenant
        self._workflow_id = workflow_id
        self._planner = planner

    async def store(self, notice: Notice, *, asked_at: int | None) -> tuple[str, Plan]:
        """Write the notice once; a newer outcome of the same workflow replaces the older message.

        Args:
            notice: What to say.
            asked_at: When the outcome came about, unix seconds; an older one never replaces a newer one.

        Returns:
            The id of the notification's row, and what has to leave for it through channels: nothing for an outcome that
            a newer one has replaced.
        """
        async with self._database.write() as connection:
            at = await self._database.clock(connection)
            fresh = new_id("notif")
            if await self._claim(connection, notice, fresh, asked_at, at):
                await self._insert(connection, notice, fresh, at)
                return fresh, await self._plan(connection, notice, fresh, at)
            known = await self._known(connection, notice.target)
            stored = str(known.notification_id)
            if known.digest == notice.digest():
                return stored, await self._planner.again(connection, self._tenant, notice, stored)
            if (asked_at or 0) < (known.asked_at or 0):
                return stored, NOTHING
            stored = await self._replace(connection, notice, known, asked_at=asked_at, at=at)
            return stored, await self._plan(connection, notice, stored, at)

    async def _plan(self, connection: AsyncConnection, notice: Notice, stored: str, at: int) -> Plan:
        return await self._planner.plan(
            connection, self._tenant, notice, stored=stored, workflow_id=self._workflow_id, at=at
        )

    async def _claim(
        self, connection: AsyncConnection, notice: Notice, notification_id: str, asked_at: int | None, at: int
    ) -> bool:
        insert_into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        row = {
            **self._tenant.values,
            "workflow_id": self._workflow_id,
            "target": notice.target,
            "digest": notice.digest(),
            "notification_id": notification_id,
            "status": "delivered",
            "attempts": 1,
            "asked_at": asked_at,
            "created_at": at,
            "delivered_at": at,
        }
        claimed = await connection.execute(insert_into(self._table).values(row).on_conflict_do_nothing())
        return claimed.rowcount == 1

    async def _insert(self, connection: AsyncConnection, notice: Notice, notification_id: str, at: int) -> None:
        row = {
            **self._tenant.values,
            **notice.row(at),
            "id": notification_id,
            "correlation_id": self._workflow_id[:100],
            "retry_count": 0,
            "max_retries": _MAX_RETRIES,
            "version": 0,
            "created_at": at,
        }
        await connection.execute(insert(self._notifications).values(insertable(self._notifications, row)))

    async def _known(self, connection: AsyncConnection, target: str) -> Row[Any, Any, Any]:
        query = select(self._table.c.digest, self._table.c.notification_id, self._table.c.asked_at)
        return (await connection.execute(query.where(*self._mine(target)).with_for_update())).one()

    async def _replace(
        self,
        connection: AsyncConnection,
        notice: Notice,
        known: Row[Any, Any, Any],
        *,
        asked_at: int | None,
        at: int,
    ) -> str:
        table = self._notifications
        changes = insertable(table, notice.row(at))
        if "version" in table.c:
            changes["version"] = table.c.version + 1
        mine = (self._tenant.owns(table), table.c.id == known.notification_id)
        replaced = await connection.execute(update(table).where(*mine).values(changes))
        notification_id = str(known.notification_id)
        if not replaced.rowcount:  # its reader deleted it; the newer outcome is news again
            notification_id = new_id("notif")
            await self._insert(connection, notice, notification_id, at)
        await connection.execute(
            update(self._table)
            .where(*self._mine(notice.target))
            .values(
                digest=notice.digest(),
                notification_id=notification_id,
                asked_at=asked_at,
                attempts=self._table.c.attempts + 1,
                delivered_at=at,
            )
        )
        return notification_id

    def _mine(self, target: str) -> list[Any]:
        return [
            self._tenant.owns(self._table),
            self._table.c.workflow_id == self._workflow_id,
            self._table.c.target == target,
        ]


def _workflow_id() -> str:
    info = activity.info()
    return info.workflow_id or info.activity_id
