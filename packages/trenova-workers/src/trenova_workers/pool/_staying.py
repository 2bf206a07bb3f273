"""What still runs after a manager was told to drain its workers and to stop, so that somebody can see to it."""

import socket
from collections.abc import Iterable, Mapping, Sequence

import psutil

from trenova_workers._identity import parse_identity
from trenova_workers.pool.processes._mark import born
from trenova_workers.pool.store import PoolStore


async def running_pids(store: PoolStore, scope: str) -> Mapping[str, Sequence[int]]:
    """Return the processes of this machine that managers of a scope have started and that run, by pool.

    Raises:
        UnavailableError: The store cannot be reached.
    """
    found: dict[str, list[int]] = {}
    for record in await store.workers.alive(scope):
        if born(record.pid) == record.born:
            found.setdefault(record.pool, []).append(record.pid)
    return found


def said_of_ours(pids: Mapping[str, Sequence[int]], why: str) -> list[str]:
    """Return a sentence for each pool whose workers go on.

    Args:
        pids: Of its workers.
        why: Why they go on, as a sentence without its end, and what to do about it.
    """
    return [f"pool {pool!r}: {_counted(of)} still running ({_pids(of)}). {why}." for pool, of in pids.items()]


def said_of_strangers(pool: str, service: str, identities: Iterable[str]) -> list[str]:
    """Return a sentence about workers that nobody of ours started; none if they have ended.

    Args:
        pool: On whose queues they are.
        service: Which they are workers of.
        identities: As the server lists them, which it does for a while after their end.
    """
    here, elsewhere = [], []
    for identity in identities:
        who = parse_identity(identity)
        if who is None or who.host != socket.gethostname():
            elsewhere.append(identity)
        elif psutil.pid_exists(who.pid):
            here.append(who.pid)
    told = [*([_pids(here)] if here else []), *elsewhere]
    if not told:
        return []
    there = f"{_counted([*here, *elsewhere])} still on its queues that this manager did not start"
    what = "Stop what started them, or end each with `kill PID`; they finish what they do"
    return [f"pool {pool!r}: {there}, of {service} ({', '.join(told)}). {what}."]


def _counted(these: Sequence[object]) -> str:
    return "1 worker is" if len(these) == 1 else f"{len(these)} workers are"


def _pids(pids: Sequence[int]) -> str:
    return f"{'pid' if len(pids) == 1 else 'pids'} {', '.join(map(str, pids))}"
