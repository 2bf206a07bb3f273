"""One ``up`` from the lock to the last process gone."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any

from trenova_workers._up._age import process_age
from trenova_workers._up._consoles import CODEC_SERVER, Console, ConsoleService, console_ports, origins
from trenova_workers._up._demo import Demo
from trenova_workers._up._discovery import Service
from trenova_workers._up._embedded import EmbeddedServer, children_environ, require_binary, write_profile
from trenova_workers._up._kept import Kept, State, ended
from trenova_workers._up._lock import lock_folder, lock_server, private_folder
from trenova_workers._up._options import LOOPBACK, Options
from trenova_workers._up._pools import (
    SERVER_FILE,
    PooledWorker,
    PoolManagerProcess,
    Pools,
    manager_port,
    read_pools,
)
from trenova_workers._up._preparations import Preparation, prepare_machine
from trenova_workers._up._processes import Processes
from trenova_workers._up._restarts import Restarts
from trenova_workers._up._screen import Screen
from trenova_workers._up._signals import Signals
from trenova_workers._up._summary import summary
from trenova_workers._up._table import consoles_table, seconds, workers_table
from trenova_workers._up._together import cancel, together
from trenova_workers._up._workers import Worker

_INSISTED = 130


async def bring_up(
    options: Options,
    services: Sequence[Service],
    screen: Screen,
    consoles: Sequence[ConsoleService] = (),
    preparations: Sequence[Preparation] = (),
) -> int:
    """Run ``up`` until it is asked to stop, or its demo is over; the exit status.

    Raises:
        UpError: It could not start, or not go on; nothing of it runs any more.
    """
    age = process_age()
    require_binary(options.server_binary)
    options = replace(options, data_dir=private_folder(options.data_dir))
    with ExitStack() as stack:
        stack.enter_context(lock_folder(options.data_dir))
        lock = await lock_server(
            options.data_dir,
            options.limits.previous_server,
            lambda pid: screen.say(f"waiting for the Temporal server of an earlier up (pid {pid}) to end"),
        )
        stack.enter_context(lock)
        processes = Processes()
        ports = console_ports(options, consoles)
        codec = f"http://{LOOPBACK}:{ports[CODEC_SERVER]}" if CODEC_SERVER in ports else None
        server = EmbeddedServer(options, processes, lock.fd, codec_endpoint=codec)
        environ = children_environ(options, server.address)
        await prepare_machine(options, preparations, environ, processes=processes, screen=screen)
        write_profile(options, server.address)
        session = _Session(options, services, screen=screen, processes=processes, server=server, age=age)
        session.add_consoles(consoles, ports)
        if options.pools is not None:
            session.use_pools(read_pools(options.pools, services, options.data_dir))
        with Signals(processes.kill_all) as signals:
            return await session.run(signals)


class _Session:
    def __init__(
        self,
        options: Options,
        services: Sequence[Service],
        *,
        screen: Screen,
        processes: Processes,
        server: EmbeddedServer,
        age: float,
    ) -> None:
        environ = children_environ(options, server.address)
        self._options = options
        self._screen = screen
        self._server = server
        self._age = age
        self._begun = time.monotonic()
        self._environ = environ
        self._processes = processes
        self._consoles: list[Console] = []
        self._manager: PoolManagerProcess | None = None
        self._workers = [Worker(service, environ, processes, screen, options.limits) for service in services]
        self._demo = Demo(environ, processes, screen, options.limits)
        self._server_ready = asyncio.Event()
        self._took_server = 0.0
        self._agreed = not options.demo
        screen.name([service.name for service in services])

    def add_consoles(self, consoles: Sequence[ConsoleService], ports: Mapping[str, int]) -> None:
        """Start these consoles too, each at its port."""
        environ = {**self._environ, "TRENOVA_CONSOLE__ORIGINS": origins(self._server.ui_port)}
        if self._options.pools is not None:
            environ["TRENOVA_CONSOLE__POOLS"] = str(self._options.data_dir / SERVER_FILE)
        self._consoles = [
            Console(one, environ, self._processes, self._screen, self._options.limits, port=ports[one.name])
            for one in consoles
        ]
        self._screen.name([kept.name for kept in self._kept])

    def use_pools(self, pools: Pools) -> None:
        """Have a manager run the workers that have a pool."""
        taken = {self._options.port, self._options.ui_port, *(one.port for one in self._consoles)}
        port = manager_port(self._options.ui_port, taken)
        limits = self._options.limits
        self._manager = PoolManagerProcess(pools, self._environ, self._processes, self._screen, limits, port=port)
        self._workers = [self._manager.pooled(one) for one in self._workers]
        self._screen.name([kept.name for kept in self._kept])

    @property
    def _kept(self) -> list[Kept]:
        return [*self._workers, *([self._manager] if self._manager else []), *self._consoles]

    @property
    def _pooled(self) -> list[PooledWorker]:
        return [one for one in self._workers if isinstance(one, PooledWorker)]

    async def run(self, signals: Signals) -> int:
        server, work, _ = tasks = [
            asyncio.ensure_future(one) for one in (self._keep_server(), self._work(), signals.asked.wait())
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped = await self._stop(tasks)
        self._screen.say(stopped)
        for task in (work, server):
            if error := None if task.cancelled() else task.exception():
                raise error
        if signals.insisted:
            for pooled in self._pooled:
                pooled.kill()
            return _INSISTED
        failed = any(kept.state is State.FAILED for kept in self._kept)
        return int(failed or not self._agreed)

    async def _work(self) -> None:
        await self._start()
        await self._describe()
        if self._options.demo:
            self._agreed = await self._run_demo()
            if not self._options.keep:
                return
        await asyncio.Event().wait()

    async def _start(self) -> None:
        consoles = f", {', '.join(one.name for one in self._consoles)}" if self._consoles else ""
        self._screen.say(f"starting Temporal on {self._server.address} and {len(self._workers)} workers{consoles}")
        starting = (self._start_worker(worker) for worker in self._workers)
        await together(*starting, self._start_consoles(), self._start_manager())
        with suppress(TimeoutError):
            async with asyncio.timeout(self._options.limits.worker_start):
                await together(*(kept.settled.wait() for kept in self._kept))
        total = self._age + time.monotonic() - self._begun
        if not all(worker.queues for worker in self._workers):
            await self._describe()
        self._show_table(total)

    async def _describe(self) -> None:
        await together(*(worker.describe() for worker in self._workers if worker.facts is None))

    async def _start_consoles(self) -> None:
        await self._server_ready.wait()
        for console in self._consoles:
            console.keep()

    async def _start_manager(self) -> None:
        if self._manager:
            for worker in self._pooled:
                await worker.prepared.wait()
            self._manager.keep()

    async def _start_worker(self, worker: Worker) -> None:
        await self._server_ready.wait()
        await worker.prepare()
        worker.keep()

    async def _keep_server(self) -> None:
        restarts = Restarts(self._options.limits)
        while True:
            begun = time.monotonic()
            child = await self._server.start()
            if not self._server_ready.is_set():
                self._took_server = time.monotonic() - begun
                self._server_ready.set()
            else:
                self._screen.say(f"the Temporal server answers again (pid {child.pid})")
            status = await child.wait()
            delay = restarts.after_death()
            if delay is None:
                raise self._server.failure(f"The Temporal server ended {restarts.said()}")
            self._screen.say(
                f"the Temporal server {ended(status)}; starting it again in {seconds(delay)}", "bold yellow"
            )
            await asyncio.sleep(delay)

    async def _run_demo(self) -> bool:
        missing = [worker.service.name for worker in self._workers if worker.state is not State.READY]
        if missing:
            self._screen.say(f"demo not run: {', '.join(missing)} not ready", "bold red")
            return False
        ordered = sorted(self._workers, key=lambda worker: (worker.demo_order, worker.service.name))
        demo = asyncio.ensure_future(self._demo.run([worker.service for worker in ordered]))
        watches = [asyncio.ensure_future(worker.given_up.wait()) for worker in self._workers]
        try:
            await asyncio.wait([demo, *watches], return_when=asyncio.FIRST_COMPLETED)
            if demo.done():
                return demo.result()
            self._screen.say("demo not finished: a worker it needs was given up", "bold red")
            return False
        finally:
            await cancel([demo, *watches])

    async def _stop(self, tasks: Sequence["asyncio.Future[Any]"]) -> str:
        begun = time.monotonic()
        self._screen.say("stopping: the workers drain, then the server ends (a second Ctrl-C kills)")
        server, *others = tasks
        await cancel(others)
        await asyncio.gather(*(kept.stop() for kept in self._kept if kept not in self._consoles))
        await asyncio.gather(*(console.stop() for console in self._consoles))  # they show the drain to its end
        drained = time.monotonic() - begun
        await cancel([server])
        await self._server.stop()
        took = time.monotonic() - begun
        some = self._manager is not None and self._manager.state is State.FAILED
        what = "stopped, but not all workers (see above)," if some else "stopped"
        return f"{what} in {seconds(took)}: workers {seconds(drained)}, server {seconds(took - drained)}"

    def _show_table(self, total: float) -> None:
        rows = [worker.row for worker in self._workers]
        self._screen.show(workers_table(rows, plain=self._screen.plain))
        if self._consoles:
            self._screen.show(consoles_table([one.row for one in self._consoles], plain=self._screen.plain))
        ready = all(kept.state is State.READY and (not kept.reason or kept in self._pooled) for kept in self._kept)
        spent = f"command {seconds(self._age)}, server {seconds(self._took_server)}, then each worker as above"
        self._screen.show(summary(self._server, self._options.data_dir, is_ready=ready, total=total, spent=spent))
