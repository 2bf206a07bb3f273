"""Whether what the tasks of a pool need can be reached: more workers would only fail more while it cannot."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import aiohttp

from trenova_workers.pool._dependency_options import DependencyOptions

_SERVER_FAILED: Final = 500
_log = logging.getLogger(__name__)


class DependencyHealth(Protocol):
    """Knows whether what tasks need works."""

    async def down(self, pool: str) -> Sequence[str]:
        """Return the names of what the tasks of a pool need and what is down.

        Called before each decision about the pool, which waits for it: answer within a few seconds.

        Raises:
            Exception: Of any kind where that is not known. Nothing is then taken to be down.
        """


@dataclass
class _Seen:
    """What was found of one dependency."""

    checked: float = float("-inf")
    failures: int = 0


class DependencyProbes:
    """Connects to what pools name under ``dependencies``; a `DependencyHealth`.

    What several pools name is asked once for all. An answer is good for ``every_s`` seconds.

    Args:
        pools: What each pool names.
        clock: Returns seconds that only grow.
    """

    def __init__(
        self, pools: Mapping[str, Sequence[DependencyOptions]], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pools, self._clock = {name: tuple(told) for name, told in pools.items()}, clock
        self._seen: dict[DependencyOptions, _Seen] = {one: _Seen() for told in self._pools.values() for one in told}
        self._locks = {one: asyncio.Lock() for one in self._seen}

    async def down(self, pool: str) -> Sequence[str]:
        """See `DependencyHealth`."""
        told = self._pools.get(pool, ())
        await asyncio.gather(*map(self._check, told))
        return [one.name for one in told if self._seen[one].failures >= one.failures]

    async def _check(self, one: DependencyOptions) -> None:
        async with self._locks[one]:
            seen = self._seen[one]
            if self._clock() - seen.checked < one.every_s:
                return
            failed = await _failure(one)
            before = seen.failures >= one.failures
            seen.failures = seen.failures + 1 if failed else 0
            seen.checked = self._clock()
        now = seen.failures >= one.failures
        if now != before:
            facts = {"dependency": one.name, "target": one.target, "why": failed or "it answers"}
            _log.warning("a dependency is %s", "down" if now else "up again", extra=facts)


async def _failure(one: DependencyOptions) -> str:
    """Return why a dependency does not work, in a few words; empty if it does."""
    try:
        async with asyncio.timeout(one.timeout_s):
            return await (_ask(one.url) if one.url else _connect(*one.address))
    except TimeoutError:
        return f"no answer within {one.timeout_s:g} s"
    except (OSError, aiohttp.ClientError, UnicodeError) as error:
        return type(error).__name__


async def _connect(host: str, port: int) -> str:
    _, writer = await asyncio.open_connection(host, port)
    writer.close()
    return ""


async def _ask(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url, allow_redirects=False) as answer:
        return f"status {answer.status}" if answer.status >= _SERVER_FAILED else ""
