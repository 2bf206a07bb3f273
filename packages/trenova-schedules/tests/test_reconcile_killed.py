import asyncio
import signal
import socket
import subprocess
import sys
import sysconfig
import textwrap
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ErrorsPlugin
from trenova_schedules import Outcome, PlanKind, Reconciler, ScheduleDefinition

pytestmark = pytest.mark.integration

BINARY = Path(sysconfig.get_path("scripts")) / "temporal"
COUNT = 50
PROGRAM = textwrap.dedent("""
    import asyncio, sys
    from datetime import timedelta
    from temporalio.client import Client
    from trenova_errors import ErrorsPlugin
    from trenova_schedules import Outcome, Reconciler, ScheduleDefinition

    def definitions(cron):
        return [
            ScheduleDefinition(
                id=f"nightly-{number:02}", workflow="Nightly", task_queue="queue", owner="me", cron=cron,
                catchup_window=timedelta(hours=1), args=({"number": number},), labels={"cron": cron.replace(" ", "")
                .replace("*", "x")},
            )
            for number in range(50)
        ]

    async def main():
        client = await Client.connect(sys.argv[1], plugins=[ErrorsPlugin()])
        ours = Reconciler(client, definitions(sys.argv[2]), owner="me", unserved=True, at_once=1)
        plan = await ours.plan()
        print("planned", flush=True)
        report = await ours.apply(plan)
        print(len(report.of(Outcome.CREATED)), report.complete, flush=True)

    asyncio.run(main())
""")


def definitions(cron: str) -> list[ScheduleDefinition]:
    space: dict[str, object] = {}
    exec(compile(PROGRAM.replace("asyncio.run(main())", ""), "program", "exec"), space)  # the same definitions
    return space["definitions"](cron)


async def killed_in_the_middle(client: Client, program: Path, cron: str, *, after: int) -> None:
    """Start to apply in a process of its own and kill it once some schedules are as it wants them."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(program), client.service_client.config.target_host, cron, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"planned\n"
            while not await stands(client, f"nightly-{after:02}", cron):
                pass
        process.kill()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    assert process.returncode == -signal.SIGKILL


async def stands(client: Client, schedule_id: str, cron: str) -> bool:
    """Whether a schedule fires in the hour that a cron names."""
    try:
        found = await client.get_schedule_handle(schedule_id).describe()
    except RPCError:
        return False
    return [one.hour[0].start for one in found.schedule.spec.calendars] == [int(cron.split()[1])]


class Server:
    """A server on a file, which can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._file = folder / "temporal.db"
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        self._process = subprocess.Popen(
            [
                *(BINARY, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", str(self.port)),
                *("--db-filename", str(self._file), "--log-level", "error"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        async with asyncio.timeout(60):
            while True:
                with suppress(RPCError, RuntimeError):
                    client = await self.connect()
                    await anext(aiter(await client.list_schedules()), None)
                    return
                await asyncio.sleep(0.2)

    async def connect(self) -> Client:
        return await Client.connect(f"127.0.0.1:{self.port}", plugins=[ErrorsPlugin()])

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.mark.timeout(180)
async def test_what_a_killed_server_left_undone_is_done_when_it_is_back(tmp_path):
    server = Server(tmp_path)
    wanted = definitions("30 2 * * *")[:20]
    try:
        await server.start()
        ours = Reconciler(await server.connect(), wanted, owner="me", unserved=True, at_once=2)
        applying = asyncio.create_task(ours.reconcile())
        watching = await server.connect()
        async with asyncio.timeout(60):
            while not await stands(watching, "nightly-05", "30 2 * * *"):
                pass
        server.kill()
        restarting = asyncio.create_task(server.start())
        with suppress(RPCError):
            await applying
        await restarting

        again = Reconciler(await server.connect(), wanted, owner="me", unserved=True)
        report = await again.reconcile()
        kinds = {one.kind for one in (await again.plan()).schedules}
    finally:
        server.kill()

    assert report.complete, report
    assert kinds == {PlanKind.UNCHANGED}


@pytest.mark.timeout(180)
async def test_what_a_killed_apply_left_undone_is_done_by_the_next_one(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(BINARY), dev_server_log_level="error", plugins=[ErrorsPlugin()]
    ) as environment:
        client = environment.client
        for cron, outcome in (("30 2 * * *", Outcome.CREATED), ("0 4 * * *", Outcome.UPDATED)):
            await killed_in_the_middle(client, program, cron, after=5)
            ours = Reconciler(client, definitions(cron), owner="me", unserved=True)

            report = await ours.reconcile()

            assert report.complete
            assert 0 < len(report.of(outcome)) <= COUNT - 5
            assert {one.outcome for one in report.schedules} == {outcome, Outcome.CURRENT}
            assert {one.kind for one in (await ours.plan()).schedules} == {PlanKind.UNCHANGED}
            spec = (await client.get_schedule_handle("nightly-49").describe()).schedule.spec
            assert len(spec.calendars) == 1
        assert (
            timedelta(hours=1)
            == (await client.get_schedule_handle("nightly-00").describe()).schedule.policy.catchup_window
        )


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_ten_processes_that_deploy_at_once_create_each_schedule_once(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(BINARY), dev_server_log_level="error", plugins=[ErrorsPlugin()]
    ) as environment:
        address = environment.client.service_client.config.target_host
        words = [sys.executable, str(program), address, "30 2 * * *"]
        processes = [await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE) for _ in range(10)]
        try:
            async with asyncio.timeout(150):
                said = [(await process.communicate())[0].decode().split() for process in processes]
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
        plan = await Reconciler(environment.client, definitions("30 2 * * *"), owner="me", unserved=True).plan()

    assert [complete for _, _, complete in said] == ["True"] * 10
    assert sum(int(created) for _, created, _ in said) == COUNT
    assert {one.kind for one in plan.schedules} == {PlanKind.UNCHANGED}
