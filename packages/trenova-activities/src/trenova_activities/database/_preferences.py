"""What users want to be told through which channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Final, cast

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from trenova_activities._delivery_contract import ChannelName
from trenova_activities.channels._options import ChannelDefaults, Rule
from trenova_activities.database._engine import Database
from trenova_activities.database._tenant import Tenant

EVERY_EVENT: Final = "*"
_URGENT: Final = frozenset({"critical", "high"})
_Key = tuple[str, str]


@dataclass(frozen=True)
class Preference:
    """One wish of a user.

    Attributes:
        user_id: Whose.
        channel: ``email``, ``webhook`` or ``redis``.
        event_type: The event, or ``*`` for every one that has no wish of its own.
        rule: ``on``, ``urgent`` (only priority high and critical) or ``off``.
    """

    user_id: str
    channel: ChannelName
    event_type: str
    rule: Rule


@dataclass(frozen=True)
class Wishes:
    """The wishes of some users about one event.

    Attributes:
        event_type: The event.
        priority: How urgent it is.
    """

    event_type: str
    priority: str
    _exact: Mapping[_Key, Rule] = field(default_factory=dict)
    _every: Mapping[_Key, Rule] = field(default_factory=dict)

    def tells(self, user_id: str | None, channel: ChannelName, defaults: ChannelDefaults) -> bool:
        """Whether the event goes to this user through this channel; None for a message that is nobody's own."""
        rule = self._rule(user_id, channel, defaults)
        return rule == "on" or (rule == "urgent" and self.priority in _URGENT)

    def _rule(self, user_id: str | None, channel: ChannelName, defaults: ChannelDefaults) -> Rule:
        key = (user_id or "", channel)
        wish = self._exact.get(key) or self._every.get(key)
        if wish is not None:
            return wish
        return defaults.rule if any(fnmatchcase(self.event_type, pattern) for pattern in defaults.events) else "off"


class NotificationPreferences:
    """Preferences of one tenant's users, in our own table.

    Args:
        database: The TMS's database.
        tenant: Whose users.
    """

    def __init__(self, database: Database, tenant: Tenant) -> None:
        self._database = database
        self._tenant = tenant
        self._table = database.jobs.notification_preferences

    async def of(self, user_id: str) -> list[Preference]:
        """Return the wishes of a user, by channel and event."""
        table = self._table
        query = select(table.c.user_id, table.c.channel, table.c.event_type, table.c.rule)
        query = query.where(self._tenant.owns(table), table.c.user_id == user_id)
        async with self._database.read() as connection:
            rows = await connection.execute(query.order_by(table.c.channel, table.c.event_type))
            return [Preference(row.user_id, row.channel, row.event_type, row.rule) for row in rows]

    async def set(self, preference: Preference) -> None:
        """Write a wish, in place of an earlier one about the same event and channel."""
        async with self._database.write() as connection:
            insert_into = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
            changed = {"rule": preference.rule, "updated_at": await self._database.clock(connection)}
            key = {
                **self._tenant.values,
                "user_id": preference.user_id,
                "channel": preference.channel,
                "event_type": preference.event_type,
            }
            statement = insert_into(self._table).values(**key, **changed)
            await connection.execute(statement.on_conflict_do_update(index_elements=list(key), set_=changed))

    async def clear(self, user_id: str, channel: ChannelName, event_type: str = EVERY_EVENT) -> bool:
        """Remove a wish, so that the service's settings decide; return whether there was one."""
        table = self._table
        mine = (table.c.user_id == user_id, table.c.channel == channel, table.c.event_type == event_type)
        async with self._database.write() as connection:
            done = await connection.execute(delete(table).where(self._tenant.owns(table), *mine))
        return bool(done.rowcount)

    async def wishes(
        self, connection: AsyncConnection, users: Iterable[str], *, event_type: str, priority: str
    ) -> Wishes:
        """Return what these users wish to hear of an event, read in the caller's transaction."""
        table = self._table
        query = select(table.c.user_id, table.c.channel, table.c.event_type, table.c.rule).where(
            self._tenant.owns(table),
            table.c.user_id.in_(list(users)),
            table.c.event_type.in_([event_type, EVERY_EVENT]),
        )
        rows = (await connection.execute(query)).all()
        rules = {(row.user_id, row.channel, row.event_type == EVERY_EVENT): cast("Rule", row.rule) for row in rows}
        exact = {(user, channel): rule for (user, channel, every), rule in rules.items() if not every}
        every = {(user, channel): rule for (user, channel, every), rule in rules.items() if every}
        return Wishes(event_type, priority, exact, every)
