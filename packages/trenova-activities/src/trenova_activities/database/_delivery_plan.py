"""Which messages have to leave for a stored notification, written in the transaction that stores it."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._delivery_contract import ChannelName, PlannedDelivery
from trenova_activities.channels._message import Message
from trenova_activities.channels._options import ChannelDefaults, ChannelOptions
from trenova_activities.database._catalog import Catalog
from trenova_activities.database._engine import Database
from trenova_activities.database._notice import Notice
from trenova_activities.database._preferences import NotificationPreferences, Wishes
from trenova_activities.database._recipients import Directory
from trenova_activities.database._tenant import Tenant
from trenova_errors import ApplicationError, ConfigurationError

MOST_DELIVERIES: Final = 100
"""Of one notification, so that its result stays small."""


@dataclass(frozen=True)
class Plan:
    """What has to leave.

    Attributes:
        deliveries: By channel and target.
        left_out: Users of the role beyond those.
    """

    deliveries: list[PlannedDelivery]
    left_out: int = 0


NOTHING: Final = Plan([])


class Planner:
    """Decides by settings and preferences who is told through which channel.

    Args:
        database: The TMS's database.
        catalog: Its tables.
        options: The channels of the service.
    """

    def __init__(self, database: Database, catalog: Catalog, options: ChannelOptions) -> None:
        self._database = database
        self._options = options
        self._any = any((options.email, options.webhook, options.redis))
        self.directory = Directory(catalog, options.roles)

    async def probe(self) -> None:
        """Read once whatever planning reads, so that a privilege that is lacking is found when the worker starts.

        Raises:
            ConfigurationError: With the first thing that may not be read.
        """
        if not self._any:
            return
        nobody, jobs, roles = Tenant("", ""), self._database.jobs, self._options.roles
        preferences = NotificationPreferences(self._database, nobody)
        looks: dict[str, Callable[[AsyncConnection], Awaitable[object]]] = {
            jobs.channel_deliveries.fullname: lambda one: self.known(one, nobody, "", ""),
            jobs.notification_preferences.fullname: lambda one: preferences.wishes(one, [], event_type="", priority=""),
            "users (email_address, status)": lambda one: self.directory.with_mail(one, nobody, []),
            roles.table if roles else "no table of roles": lambda one: self.directory.recipients(one, nobody, "role/"),
        }
        for what, look in looks.items():
            await self._look(what, look)

    async def _look(self, what: str, look: Callable[[AsyncConnection], Awaitable[object]]) -> None:
        try:
            async with self._database.read() as connection:
                await look(connection)
        except ApplicationError as error:
            if not error.kind.permanent:
                raise
            raise ConfigurationError(
                f"The channels of notifications cannot read {what}. Grant it to the worker's user "
                "(docs/postgresql-roles.md), or turn the channels off."
            ) from error

    async def plan(
        self, connection: AsyncConnection, tenant: Tenant, notice: Notice, *, stored: str, workflow_id: str, at: int
    ) -> Plan:
        """Write one row for each message that has to leave.

        Args:
            connection: The transaction that stores the notification.
            tenant: Whose it is.
            notice: What it says.
            stored: The id of its row.
            workflow_id: The run that delivers.
            at: The database's time, unix seconds.
        """
        if not self._any:
            return NOTHING
        found = await self.directory.recipients(connection, tenant, notice.target)
        preferences = NotificationPreferences(self._database, tenant)
        wishes = await preferences.wishes(
            connection, found.users, event_type=notice.event_type, priority=notice.priority
        )
        targets = [*self._shared(tenant, notice, wishes)]
        users = await self._mail(connection, tenant, list(found.users), wishes)
        free = MOST_DELIVERIES - len(targets)
        targets += [("email", f"user/{user}", self._options.email) for user in users[:free] if self._options.email]
        rows = [self._row(tenant, notice, one, stored=stored, workflow_id=workflow_id, at=at) for one in targets]
        if rows:
            insert_into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            table = self._database.jobs.channel_deliveries
            await connection.execute(insert_into(table).values(rows).on_conflict_do_nothing())
        known = await self.known(connection, tenant, stored, notice.digest())
        return Plan(known, found.left_out + max(0, len(users) - free))

    async def again(self, connection: AsyncConnection, tenant: Tenant, notice: Notice, stored: str) -> Plan:
        """Return the plan of a notification that was stored before: the same messages, whatever users wish by now."""
        deliveries = await self.known(connection, tenant, stored, notice.digest())
        if not any(one.channel == "email" for one in deliveries):
            return Plan(deliveries)
        found = await self.directory.recipients(connection, tenant, notice.target)
        return Plan(deliveries, found.left_out)

    async def known(
        self, connection: AsyncConnection, tenant: Tenant, stored: str, digest: str
    ) -> list[PlannedDelivery]:
        """Return what was planned for a notification that was stored before; nothing where no channel is on."""
        if not self._any:
            return []
        table = self._database.jobs.channel_deliveries
        query = select(table.c.key, table.c.channel, table.c.target, table.c.max_attempts).where(
            tenant.owns(table), table.c.notification_id == stored, table.c.digest == digest
        )
        rows = await connection.execute(query.order_by(table.c.channel, table.c.target))
        return [planned(row) for row in rows]

    def _shared(
        self, tenant: Tenant, notice: Notice, wishes: Wishes
    ) -> Iterator[tuple[ChannelName, str, ChannelDefaults]]:
        """Yield receivers that are nobody's own; what the user of the notification wishes counts for them too."""
        webhook, redis = self._options.webhook, self._options.redis
        if webhook is not None and wishes.tells(notice.user_id, "webhook", webhook):
            for name, endpoint in webhook.endpoints.items():
                if not endpoint.organizations or tenant.organization_id in endpoint.organizations:
                    yield "webhook", f"endpoint/{name}", webhook
        if redis is not None and wishes.tells(notice.user_id, "redis", redis):
            yield "redis", f"stream/{redis.stream}", redis

    async def _mail(self, connection: AsyncConnection, tenant: Tenant, users: list[str], wishes: Wishes) -> list[str]:
        email = self._options.email
        if email is None:
            return []
        wanting = [user for user in users if wishes.tells(user, "email", email)]
        return sorted(await self.directory.with_mail(connection, tenant, wanting))

    def _row(
        self,
        tenant: Tenant,
        notice: Notice,
        delivery: tuple[ChannelName, str, ChannelDefaults],
        *,
        stored: str,
        workflow_id: str,
        at: int,
    ) -> dict[str, object]:
        channel, target, defaults = delivery
        digest = notice.digest()
        key = delivery_key(tenant, stored, digest, channel, target)
        message = message_of(notice, tenant, key=key, stored=stored, at=at)
        return {
            **tenant.values,
            "key": key,
            "notification_id": stored,
            "digest": digest,
            "workflow_id": workflow_id,
            "channel": channel,
            "target": target,
            "message": message.model_dump(mode="json", by_alias=True),
            "max_attempts": defaults.max_attempts,
            "state": "pending",
            "attempts": 0,
            "ambiguous": False,
            "created_at": at,
            "updated_at": at,
        }


def planned(row: Any) -> PlannedDelivery:
    """Return a row as the workflow knows it."""
    return PlannedDelivery.model_validate(
        {"key": row.key, "channel": row.channel, "target": row.target, "max_attempts": row.max_attempts}
    )


def delivery_key(tenant: Tenant, notification_id: str, digest: str, channel: str, target: str) -> str:
    """Return the same key for the same message to the same target, whoever computes it (SHA-256, hexadecimal)."""
    parts = (tenant.organization_id, tenant.business_unit_id, notification_id, digest, channel, target)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def message_of(notice: Notice, tenant: Tenant, *, key: str, stored: str, at: int) -> Message:
    """Return what channels send of a notice."""
    return Message(
        id=key,
        notification_id=stored,
        organization_id=tenant.organization_id,
        business_unit_id=tenant.business_unit_id,
        event_type=notice.event_type,
        priority=notice.priority,
        title=notice.title,
        message=notice.message,
        target=notice.target,
        job_id=notice.job_id,
        data=notice.data,
        related_entities=notice.related_entities,
        actions=notice.actions,
        tags=list(notice.tags),
        created_at=at,
    )
