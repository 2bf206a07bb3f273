import asyncio
import json
import os
import subprocess
import sysconfig
import textwrap
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from trenova_errors import ErrorsPlugin

SCRIPTS = Path(sysconfig.get_path("scripts"))
Done: TypeAlias = "subprocess.CompletedProcess[str]"

DEFINITIONS = textwrap.dedent("""
    from datetime import timedelta
    from trenova_schedules import ScheduleContribution, ScheduleDefinition

    class Knows:
        async def workflows(self, client, task_queue):
            return ["Nightly"] if task_queue == "queue" else None

    def define(id, **changes):
        fields = {"cron": "30 2 * * *", "workflow": "Nightly", "task_queue": "queue", "owner": "ops"}
        return ScheduleDefinition(id=id, catchup_window=timedelta(hours=1), **{**fields, **changes})

    FIRST = ScheduleContribution(owner="ops", definitions=[define("a"), define("b")], registrations=Knows())
    NEXT = ScheduleContribution(owner="ops", definitions=[define("a", cron="0 4 * * *")], registrations=Knows())
    TYPO = ScheduleContribution(owner="ops", definitions=[define("c", workflow="Nigthly")], registrations=Knows())
    BARE = [define("c"), define("d", owner="others")]
    WRONG = 7

    def wrong(environ):
        return define("w", cron="* *")

    def told(environ):
        return [define("a", cron=environ["CRON"])]
""")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(SCRIPTS / "temporal"), dev_server_log_level="error", plugins=[ErrorsPlugin()]
    ) as environment:
        yield environment.client


@pytest.fixture
def call(client: Client, tmp_path: Path) -> Callable[..., "asyncio.Future[Done]"]:
    (tmp_path / "jobs.py").write_text(DEFINITIONS)
    address = client.service_client.config.target_host
    # A codec that is installed beside is told that there is nothing to encrypt.
    environ = os.environ | {"TEMPORAL_ADDRESS": address, "COLUMNS": "160", "TRENOVA_CODECS_PLAIN": "1"}

    async def called(*words: str, answer: str = "", **extra: str) -> Done:
        return await asyncio.to_thread(
            subprocess.run,
            [SCRIPTS / "trenova-schedules", *words],
            input=answer,
            env=environ | extra,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return called


async def listed(client: Client, count: int) -> list[str]:
    async with asyncio.timeout(30):
        while True:
            ids = sorted([one.id async for one in await client.list_schedules()])
            if len([one for one in ids if not one.startswith("trenova-preview-")]) == count:
                return ids
            await asyncio.sleep(0.1)


async def test_a_build_plans_applies_and_prunes(client, call):
    first = await call("plan", "jobs:FIRST", "--detailed-exitcode")
    assert first.returncode == 3, first.stderr
    assert "+ a  create" in first.stdout
    assert "ticks of the next 30 days: +30 -0, 0 moved, 0 unchanged" in first.stdout
    assert "2 create" in first.stdout
    assert (await call("plan", "jobs:FIRST")).returncode == 0

    applied = await call("apply", "jobs:FIRST", "--json")
    assert applied.returncode == 0, applied.stderr
    assert [one["outcome"] for one in json.loads(applied.stdout)[0]["schedules"]] == ["created", "created"]
    assert (await call("plan", "jobs:FIRST", "--detailed-exitcode")).returncode == 0

    await listed(client, 2)
    second = await call("plan", "jobs:NEXT", "--prune")
    assert 'when: {"cron":"30 2 * * *"} -> {"cron":"0 4 * * *"}' in second.stdout
    assert "ticks of the next 30 days: +0 -0, 30 moved, 0 unchanged" in second.stdout
    assert "- b  orphaned, will be deleted" in second.stdout
    refused = await call("apply", "jobs:NEXT", "--prune", answer="n\n")
    assert (refused.returncode, "Delete 1 schedules (b)?" in refused.stderr) == (1, True)
    assert await listed(client, 2)

    pruned = await call("apply", "jobs:NEXT", "--prune", "--yes")
    assert pruned.returncode == 0, pruned.stderr
    assert "updated a" in pruned.stdout
    assert "deleted b" in pruned.stdout
    assert await listed(client, 1) == ["a"]


async def test_what_nobody_serves_fails_a_build(client, call):
    refused = await call("plan", "jobs:TYPO", "--json")

    assert refused.returncode == 1
    [planned] = json.loads(refused.stdout)[0]["schedules"]
    assert planned["kind"] == "refused"
    assert "do not register workflow 'Nigthly' but Nightly" in planned["reason"]
    assert (await call("apply", "jobs:TYPO")).returncode == 1
    assert (await call("apply", "jobs:TYPO", "--allow-unserved")).returncode == 0


async def test_definitions_may_be_a_list_or_a_function_of_the_environment_and_are_sorted_by_owner(client, call):
    several = await call("plan", "jobs:BARE", "--json", "--allow-unserved", "--days", "0")
    one = await call("plan", "jobs:BARE", "--json", "--allow-unserved", "--days", "0", "--owner", "others")
    told = await call("plan", "jobs:told", "--json", "--allow-unserved", "--days", "0", CRON="7 7 * * *")

    assert [(plan["owner"], plan["schedules"][0]["id"]) for plan in json.loads(several.stdout)] == [
        ("ops", "c"),
        ("others", "d"),
    ]
    assert [plan["owner"] for plan in json.loads(one.stdout)] == ["others"]
    changes = {change["field"]: change["new"] for change in json.loads(told.stdout)[0]["schedules"][0]["changes"]}
    assert changes["when"] == {"cron": "7 7 * * *"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("jobs", "write module:attribute"),
        ("nowhere:X", "cannot be loaded: No module named 'nowhere'"),
        ("jobs:wrong", "'jobs:wrong' has a definition that does not hold. cron: cron '* *' has 2 fields"),
        ("jobs:MISSING", "cannot be loaded: "),
        ("jobs:WRONG", "'jobs:WRONG' is int; it has to be a ScheduleDefinition"),
    ],
)
async def test_a_name_that_is_none_is_said_in_one_line(call, name, said):
    done = await call("plan", name)

    assert done.returncode == 2
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


async def test_to_overwrite_what_no_definition_has_is_refused(call):
    done = await call("plan", "jobs:FIRST", "--overwrite", "nobody")
    assert done.returncode == 2
    assert "no definition here has the id nobody" in done.stderr
