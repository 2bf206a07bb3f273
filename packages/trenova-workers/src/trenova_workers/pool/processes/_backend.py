"""A pool of processes. They outlive their manager, and the next one finds each again by its record."""

import asyncio
import os
import secrets
import socket
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from trenova_errors import ConfigurationError
from trenova_workers._up._ports import free_ports
from trenova_workers.pool._backend import Capabilities
from trenova_workers.pool._worker import PoolView, PoolWorker, WorkerEnd
from trenova_workers.pool.processes._health import Said, ask
from trenova_workers.pool.processes._looking import Acquaintance, described
from trenova_workers.pool.processes._mark import born
from trenova_workers.pool.processes._output import Outputs
from trenova_workers.pool.processes._program import Program
from trenova_workers.pool.processes._spawning import Children, Newborn, ask_to_end, end_by_force
from trenova_workers.pool.store import Ending, Lease, PoolStore, WorkerRecord

_AT_ONCE: Final = 16


class ProcessBackend:
    """Runs the workers of one pool as processes of this machine.

    A process is written into the records, under the lease, before it becomes a worker; it ends unseen if that is
    refused, or if the manager is killed in between. So every worker is in a record, and a record without its process
    is a worker that has ended.

    Args:
        pool: Name of the pool.
        program: What its workers run.
        store: Where their records are.
        folder: Private folder for their output.
        scope: Of the manager.
    """

    capabilities = Capabilities()

    def __init__(self, pool: str, program: Program, store: PoolStore, folder: Path, *, scope: str) -> None:
        self._pool = pool
        self._program = program
        self._options = program.process
        self._records = store.workers
        self._outputs = Outputs(folder / "pools" / pool, self._options.log_kept_mib)
        self._children = Children()
        self._known: defaultdict[str, Acquaintance] = defaultdict(Acquaintance)
        self._scope = scope
        self._host = socket.gethostname()

    async def build(self) -> str:
        """See `Backend`."""
        return self._program.build()

    def cannot_start(self, build: str) -> str:
        """See `Backend`."""
        return self._program.cannot_start(build)

    async def look(self, lease: Lease | None) -> PoolView:
        """See `Backend`."""
        records = await self._records.alive(self._scope, self._pool)
        now = await self._records.now()
        self._refuse_strangers(records)
        there: list[WorkerRecord] = []
        ends: list[WorkerEnd] = []
        for record in records:
            status = self._children.status(record.pid)
            if status is None and born(record.pid) == record.born:
                there.append(record)
            else:
                ends.append(await self._ended(lease, record, status))
        self._forget_others(there)
        answers = await self._ask(there)
        workers = [await self._seen(lease, *one, now) for one in zip(there, answers, strict=True)]
        return PoolView(workers, ends)

    async def start(self, lease: Lease, count: int, *, build: str) -> None:
        """See `Backend`."""
        for port in free_ports(count):
            await self._start(lease, port, build)

    async def drain(self, lease: Lease, worker_id: str, *, why: str) -> None:
        """See `Backend`."""
        record = await self._records.find(self._scope, worker_id)
        if record is None or record.ended_at is not None or record.drain_at is not None:
            return
        await self._records.drain(lease, worker_id, why=why, deadline_s=self._program.drain_s)
        self._ask_to_end(lease, record)

    async def stop(self, lease: Lease, worker_id: str) -> None:
        """See `Backend`."""
        record = await self._records.find(self._scope, worker_id)
        if record is None or record.ended_at is not None:
            return
        if record.drain_at is None:
            await self._records.drain(lease, worker_id, why="it is ended by force", deadline_s=0)
        self._end_by_force(lease, record)

    async def _start(self, lease: Lease, port: int, build: str) -> None:
        worker_id = secrets.token_hex(8)
        log = self._outputs.prepare(worker_id)
        lease.require()
        newborn = Newborn(self._program.command(build), self._program.told(port, build), log)
        try:
            await self._records.add(
                lease,
                worker_id=worker_id,
                pool=self._pool,
                host=self._host,
                pid=newborn.pid,
                born=newborn.born,
                build=build,
                port=port,
            )
            lease.require()
        except BaseException:
            newborn.let_end()
            raise
        self._children.add(newborn.pid)
        newborn.let_live()

    async def _ask(self, records: Sequence[WorkerRecord]) -> Sequence[Said | None]:
        limit = asyncio.Semaphore(_AT_ONCE)

        async def one(record: WorkerRecord) -> Said | None:
            async with limit:
                return await ask(record.port, was_ready=record.ready_at is not None)

        return await asyncio.gather(*(one(record) for record in records))

    async def _seen(self, lease: Lease | None, record: WorkerRecord, said: Said | None, now: datetime) -> PoolWorker:
        known = self._known[record.id]
        if said is not None:
            known.hear(said, record)
        if lease is not None:
            if said is not None and said.ready and record.ready_at is None and record.drain_at is None:
                await self._records.ready(lease, record.id, said.identity)
            if record.drain_at is not None:
                self._see_to_the_drain(lease, record, said, now)
            self._outputs.limit(record.id)
        return described(record, said, known, self._options, age_s=(now - record.started_at).total_seconds())

    def _see_to_the_drain(self, lease: Lease, record: WorkerRecord, said: Said | None, now: datetime) -> None:
        """End by force what has drained for too long; ask what an earlier manager may not have come to ask.

        A worker that was asked says so. One that does not answer is not asked again, unless it never was ready: a
        second request would cut its work off.
        """
        if record.deadline_at is not None and now >= record.deadline_at:
            self._end_by_force(lease, record)
        elif not self._known[record.id].asked and (said is not None or record.ready_at is None):
            self._ask_to_end(lease, record)

    def _ask_to_end(self, lease: Lease, record: WorkerRecord) -> None:
        lease.require()
        self._known[record.id].asked = True
        if born(record.pid) == record.born:
            ask_to_end(record.pid)

    def _end_by_force(self, lease: Lease, record: WorkerRecord) -> None:
        lease.require()
        self._known[record.id].forced = True
        if born(record.pid) == record.born:
            end_by_force(record.pid)

    async def _ended(self, lease: Lease | None, record: WorkerRecord, status: int | None) -> WorkerEnd:
        known = self._known[record.id]
        ended = _ending(record, known, status)
        if lease is not None:
            await self._records.end(lease, record.id, ended=ended, status=status)
        said = _how(status)
        crashed = ended == "crashed"
        last = self._outputs.last_line(record.id) if crashed else ""
        return WorkerEnd(
            record.id,
            crashed=crashed,
            ours=record.drain_at is not None,
            said=f"{said}; the last it said: {last}" if last else said,
            build=record.build,
        )

    def _forget_others(self, there: Sequence[WorkerRecord]) -> None:
        for worker_id in set(self._known) - {record.id for record in there}:
            del self._known[worker_id]

    def _refuse_strangers(self, records: Sequence[WorkerRecord]) -> None:
        """Refuse to judge processes of another machine: here they all look as if they had ended."""
        boot = (born(os.getpid()) or "").partition(":")[0]
        for record in records:
            if record.host != self._host and record.born.partition(":")[0] != boot:
                raise ConfigurationError(
                    f"The pool {self._pool!r} in scope {self._scope!r} has workers on {record.host!r}, and this is "
                    f"{self._host!r}. Processes can only be managed on their own machine: "
                    "give each a scope of its own.",
                    pool=self._pool,
                )


def _ending(record: WorkerRecord, known: Acquaintance, status: int | None) -> Ending:
    if record.drain_at is not None:
        if known.forced:
            return "killed"
        return "stopped" if record.ready_at is None else "drained"
    return "ended" if status == 0 or known.left_alone else "crashed"


def _how(status: int | None) -> str:
    if status is None:
        return "it ended"
    return f"it was killed by signal {-status}" if status < 0 else f"it ended with status {status}"
