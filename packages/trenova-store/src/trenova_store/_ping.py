"""Looking whether a pooled connection still lives before it is given out, but not after every few milliseconds.

SQLAlchemy's ``pool_pre_ping`` asks each time, which takes asyncpg three round trips (BEGIN, nothing, ROLLBACK): as
many as all else that a small batch says. A connection that was in use a moment ago is asked nothing but whether the
driver has seen it close.
"""

import time
from typing import Any, Final

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine

IDLE_S: Final = 1.0
"""Seconds without use after which a connection is pinged."""

_USED: Final = "trenova_used"


def ping_idle(engine: AsyncEngine) -> None:
    """Make the pool of an asyncpg engine ping connections that were idle; a dead one is replaced, with all others."""
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkin")
    def checkin(_raw: object, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    @event.listens_for(engine.sync_engine, "checkout")
    def checkout(raw: Any, record: Any, _proxy: object) -> None:
        used = record.info.pop(_USED, None)
        if used is None:  # it has just been opened
            return
        if record.driver_connection.is_closed():
            raise InvalidatePoolError
        if time.monotonic() - used < IDLE_S:
            return
        try:
            dialect.do_ping(raw)
        except dialect.loaded_dbapi.Error as error:
            if dialect.is_disconnect(error, raw, None):
                raise InvalidatePoolError from error
            raise
