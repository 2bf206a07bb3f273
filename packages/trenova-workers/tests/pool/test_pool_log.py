import io
import logging
from datetime import UTC, datetime

import pytest

from trenova_access import AuditEvent
from trenova_workers._cli_pool_log import WithFields, is_news
from trenova_workers.pool._metrics import PoolMetrics
from trenova_workers.pool._telling import PoolScribe
from trenova_workers.pool.store import PoolPhase, PoolState


@pytest.fixture
def log():
    """What the manager's handler writes of lines of any logger."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(WithFields("%(levelname)s %(message)s"))
    handler.addFilter(is_news)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


class NoStates:
    async def keep(self, lease, state):
        """Nothing is kept."""


async def test_a_decision_is_a_line_with_its_sentence(log):
    scribe = PoolScribe(NoStates(), PoolMetrics())
    now = datetime.now(UTC)
    for desired in (1, 1, 3):
        state = PoolState(
            pool="a", phase=PoolPhase.CHANGING, why=f"To {desired}.", desired=desired, written=1, updated_at=now
        )
        await scribe.keep(None, state, now)
    assert log.getvalue().splitlines() == [
        "INFO pool 'a' is changing and wants 1: To 1.",
        "INFO pool 'a' is changing and wants 3: To 3.",
    ]


def test_what_a_line_carries_is_shown_behind_it(log):
    logging.getLogger("any").warning("a worker crashed", extra={"pool": "a", "how": "signal 9"})
    assert log.getvalue() == "WARNING a worker crashed (pool: a, how: signal 9)\n"


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (AuditEvent("viewer", "a", subject="local", method="local"), False),
        (AuditEvent("operator", "a", subject="local", method="local"), True),
        (AuditEvent("viewer", "a", subject="ann", method="jwt"), True),
        (AuditEvent("viewer", "a", "access.not_permitted", subject="local", method="local"), True),
    ],
)
def test_of_the_own_users_requests_those_that_only_look_are_no_news(log, event, shown):
    logging.getLogger("trenova_access.audit").info("%s", event.action, extra={"audit": event})
    assert bool(log.getvalue()) is shown
