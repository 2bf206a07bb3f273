import asyncio
import os
import signal
import sys
import sysconfig
import textwrap
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ErrorsPlugin
from trenova_schedules import Outcome, PlanKind, Reconciler, ScheduleDefinition

COUNT = 50
PROGRAM = textwrap.dedent("""
    import asyncio, sys
    from datetime import timedelta
    from temporalio.client import Client
    from trenova_errors import ErrorsPlugin
    from trenova_schedules import Reconciler, ScheduleDefinition

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
        ours = Reconciler(client, definitions(sys.argv[2]), owner="me", unserved=True, at_once=2)
        plan = await ours.plan()
        print("planned", flush=True)
        await ours.apply(plan)
        print("applied", flush=True)

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
            while await as_wanted(client, cron, at_most=after) < after:
                pass
    finally:
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()


async def as_wanted(client: Client, cron: str, *, at_most: int) -> int:
    """Count the first few that stand as defined."""
    plan = await Reconciler(client, definitions(cron)[:at_most], owner="me", unserved=True).plan()
    return len(plan.of(PlanKind.UNCHANGED))


@pytest.mark.timeout(180)
async def test_what_a_killed_apply_left_undone_is_done_by_the_next_one(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary), dev_server_log_level="error", plugins=[ErrorsPlugin()]
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
