"""The pool manager's API as the dashboard's page of workers asks for it: two packages that do not know each other."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from system_worker._pool_options import PoolManagerOptions
from trenova_errors import ResourceNotFoundError
from trenova_schedules.worker_pools import (
    ManagerSeen,
    NoPoolManagerError,
    PoolDecision,
    PoolDecisions,
    PoolDetail,
    PoolPoint,
    PoolSeen,
    PoolsSeen,
    WorkerSeen,
)
from trenova_workers.pool import PoolReport
from trenova_workers.pool.client import AddressFile, PoolClient, PoolServerAddress, fixed_address
from trenova_workers.pool.store import KeptDecision

_FILE = "pools-server.json"


@asynccontextmanager
async def open_pools(
    options: PoolManagerOptions, data_dir: Path, told: Path | None
) -> AsyncIterator["PoolManagerPools"]:
    """Give the dashboard a pool manager to ask, for the length of a block; nothing is connected before it is asked.

    Args:
        options: Of this service.
        data_dir: Where a manager of this machine leaves its file.
        told: Where the manager of ``up`` does; None without one, and then there may be none at all.

    Raises:
        ConfigurationError: ``url`` is no address.
    """
    async with PoolClient(_address(options, data_dir, told), timeout_s=options.timeout_s) as client:
        yield PoolManagerPools(client)


class PoolManagerPools:
    """Fulfils ``trenova_schedules.worker_pools.WorkerPools``.

    Args:
        client: Of the manager's API.
    """

    def __init__(self, client: PoolClient) -> None:
        self._client = client

    async def pools(self) -> PoolsSeen:
        """Return all pools, each with its last decision."""
        told = await self._client.pools()
        latest = await asyncio.gather(*(self._latest(one.name) for one in told.pools))
        return PoolsSeen(
            manager=ManagerSeen(**told.manager.model_dump()),
            pools=tuple(_pool(one, decision) for one, decision in zip(told.pools, latest, strict=True)),
        )

    async def pool(self, name: str, *, hours: float, parts: int) -> PoolDetail:
        """Return one pool, its workers and its last hours."""
        told, workers, history, latest = await asyncio.gather(
            self._client.pools(),
            self._client.workers(),
            self._client.history(name, hours=hours, parts=parts),
            self._latest(name),
        )
        shown = next((one for one in told.pools if one.name == name), None)
        if shown is None:
            raise ResourceNotFoundError.of("pool", name)
        return PoolDetail(
            manager=ManagerSeen(**told.manager.model_dump()),
            pool=_pool(shown, latest),
            workers=tuple(WorkerSeen(**one.model_dump()) for one in workers.workers if one.pool == name),
            points=tuple(PoolPoint(**one.model_dump()) for one in history.points),
            part_s=history.part_s,
        )

    async def decisions(self, name: str, *, cursor: int | None, limit: int, changes: bool) -> PoolDecisions:
        """Return decisions about a pool."""
        page = await self._client.decisions(name, cursor=cursor, limit=limit, changes=changes)
        return PoolDecisions(decisions=tuple(_decision(one) for one in page.decisions), next_cursor=page.next_cursor)

    async def override(self, name: str, count: int, until: datetime, reason: str, *, by: str) -> None:
        """Fix the number of workers, in the name of a person."""
        await self._client.override(name, count, until, reason, on_behalf_of=by)

    async def pause(self, name: str, reason: str, *, by: str) -> None:
        """Leave a pool at its number, in the name of a person."""
        await self._client.pause(name, reason, on_behalf_of=by)

    async def resume(self, name: str, reason: str, *, by: str) -> None:
        """Let load decide again, in the name of a person."""
        await self._client.resume(name, reason, on_behalf_of=by)

    async def _latest(self, name: str) -> PoolDecision | None:
        page = await self._client.decisions(name, limit=1)
        return _decision(page.decisions[0]) if page.decisions else None


def _pool(told: PoolReport, latest: PoolDecision | None) -> PoolSeen:
    fields = told.model_dump(exclude={"phase", "counts", "orders", "bounds"})
    bounds = told.bounds.model_dump() if told.bounds is not None else {}
    orders = told.orders.model_dump(include={"pause", "override"})
    phase = "" if told.phase is None else str(told.phase)
    return PoolSeen(**fields, **told.counts, **bounds, **orders, phase=phase, latest=latest)


def _decision(told: KeptDecision) -> PoolDecision:
    document = told.document
    seen = document.get("observation") or {}
    return PoolDecision.model_validate(
        {
            **told.model_dump(exclude={"document"}),
            "trigger": str(document.get("trigger") or ""),
            "held_because": str(document.get("heldBecause") or ""),
            "clamp": str(document.get("clamp") or ""),
            **_figures(seen),
            "inputs": document,
        }
    )


def _figures(seen: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "backlog": "backlog",
        "backlog_age_s": "backlogAgeS",
        "arrival_rate": "arrivalRate",
        "dispatch_rate": "dispatchRate",
        "slots_used": "slotsUsed",
        "slots": "slots",
    }
    found = {name: seen.get(told) for name, told in names.items()}
    return {name: value if isinstance(value, int | float) else None for name, value in found.items()}


def _address(options: PoolManagerOptions, data_dir: Path, told: Path | None) -> Callable[[], PoolServerAddress]:
    """Return what says where the manager is; see :func:`open_pools`."""
    if options.url is not None:
        return fixed_address(options.url, options.token_file)
    if told is not None:
        return AddressFile(told)
    file = AddressFile(data_dir / _FILE)

    def if_there() -> PoolServerAddress:
        if not file.is_there:
            raise NoPoolManagerError(f"No pool manager has left its address in {str(file.file)!r}.")
        return file()

    return if_there
