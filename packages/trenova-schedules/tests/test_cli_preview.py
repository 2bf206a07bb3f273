import json
import os
import socket
import subprocess
import sysconfig
import textwrap
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.client import Schedule, ScheduleActionStartWorkflow, ScheduleSpec
from temporalio.testing import WorkflowEnvironment

SCRIPTS = Path(sysconfig.get_path("scripts"))
pytestmark = pytest.mark.asyncio(loop_scope="module")

JOBS = textwrap.dedent("""
    from datetime import timedelta
    from trenova_schedules import ScheduleDefinition

    def define(id, **when):
        return ScheduleDefinition(
            id=id, workflow="W", task_queue="q", owner="me", catchup_window=timedelta(hours=1), **when
        )

    GOOD = [define("good", cron="30 4 * * *", time_zone="Europe/Berlin")]
    BAD = [define("a[b]", cron="30 2 * * *", time_zone="Europe/Berlin")]
    WORSE = [define("never", cron="0 0 31 2 *")]
""")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client():
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(SCRIPTS / "temporal"), dev_server_log_level="error"
    ) as environment:
        yield environment.client


@pytest.fixture
def call(client, tmp_path):
    (tmp_path / "jobs.py").write_text(JOBS)
    settings = {"TEMPORAL_ADDRESS": client.service_client.config.target_host, "COLUMNS": "200"}

    def called(*words: str, **extra: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [SCRIPTS / "trenova-schedules", *words],
            env=os.environ | settings | {"TRENOVA_CODECS_PLAIN": "1"} | extra,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return called


async def test_a_preview_of_a_cron_shows_the_run_that_is_missing(call):
    window = ("--from", "2027-03-27", "--until", "2027-03-30")

    done = call("preview", "--cron", "30 2 * * *", "--zone", "Europe/Berlin", "--viewer", "America/New_York", *window)

    assert done.returncode == 0, done.stderr
    assert "2027-03-27 02:30:00+01:00  2027-03-26 21:30:00-04:00  2027-03-27 01:30:00+00:00" in done.stdout
    assert "spring_lost 2027-03-28 02:30 does not exist" in done.stdout
    assert "Move it to 03 hours local time" in done.stdout


async def test_a_zone_is_shown_once(call):
    done = call("preview", "--every", "3600", "-n", "1", "--from", "2027-03-27")

    assert done.stdout.split() == ["UTC", "hazards", "2027-03-27", "00:00:00+00:00"]


async def test_a_preview_of_a_schedule_that_exists_is_json_for_programs(client, call):
    action = ScheduleActionStartWorkflow("W", id="w", task_queue="q")
    spec = ScheduleSpec(cron_expressions=["0 9 * * *"], time_zone_name="Europe/Berlin")
    await client.create_schedule("nightly", Schedule(action=action, spec=spec))

    done = call("preview", "nightly", "-n", "2", "--from", "2027-06-01T00:00+02:00", "--json")

    shown = json.loads(done.stdout)
    assert (shown["scheduleId"], shown["timeZone"], shown["more"]) == ("nightly", "Europe/Berlin", True)
    assert [fire["at"] for fire in shown["fires"]] == ["2027-06-01T07:00:00Z", "2027-06-02T07:00:00Z"]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("preview", "nope"), 1, "No schedule with id 'nope'"),
        (("preview", "--cron", "61 * * * *"), 1, "Minute is not in range"),
        (("preview", "--cron", "0 * * * *", "--zone", "Mars/Base"), 1, "unknown time zone"),
        (("preview", "--cron", "0 * * * *", "--viewer", "Mars/Base"), 1, "'Mars/Base' is not known here"),
        (("preview", "--cron", "0 * * * *", "--from", "2027-02-01", "--until", "2027-01-01"), 1, "before it begins"),
        (("preview", "--cron", "0 * * * *", "--from", "soon"), 2, "is no time"),
        (("preview",), 2, "Give the ID of a schedule"),
        (("preview", "one", "--every", "5"), 2, "Give the ID of a schedule"),
    ],
)
async def test_what_cannot_be_previewed_is_said_in_one_line(call, words, status, said):
    done = call(*words)

    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("jobs:GOOD",), 0),
        (("jobs:BAD",), 1),
        (("jobs:BAD", "--fail-on", "error"), 0),
        (("jobs:BAD", "--allow", "spring_lost"), 0),
        (("jobs:BAD", "--fail-on", "notice", "--allow", "spring_lost"), 1),
        (("jobs:GOOD", "jobs:WORSE", "--fail-on", "error"), 1),
    ],
)
async def test_lint_fails_a_build_by_what_it_finds(call, words, status):
    done = call("lint", *words)

    assert done.returncode == status, done.stdout + done.stderr


async def test_lint_says_what_is_wrong_and_what_mends_it(call):
    table, plain = call("lint", "jobs:BAD"), call("lint", "jobs:BAD", "--json")

    assert "a[b]" in table.stdout
    assert "cron='30 3 * * *'" in table.stdout
    assert [(one["kind"], one["times"], one["fix"]["changes"]) for one in json.loads(plain.stdout)] == [
        ("spring_lost", 2, {"cron": "30 3 * * *"}),
        ("autumn_once", 2, {"cron": "30 3 * * *"}),
    ]


async def test_lint_reads_definitions_from_a_file(call, tmp_path):
    definition = {"id": "a", "workflow": "W", "task_queue": "q", "owner": "me", "catchup_window": "PT1H"}
    (tmp_path / "good.json").write_text(json.dumps([definition | {"cron": "0 9 * * *"}]))
    (tmp_path / "bad.json").write_text(json.dumps([definition]))

    assert call("lint", "good.json").returncode == 0
    wrong, absent = call("lint", "bad.json"), call("lint", "none.json")
    assert (wrong.returncode, absent.returncode) == (2, 2)
    assert "needs exactly one of cron, interval and calendar" in wrong.stderr


async def test_lint_starts_a_server_of_its_own_and_keeps_it_out_of_the_output(call):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{nobody.getsockname()[1]}"

        alone = call("lint", "jobs:GOOD", "--dev-server", "--json", TEMPORAL_ADDRESS=address)
        without = call("lint", "jobs:GOOD", TEMPORAL_ADDRESS=address)

    assert (alone.returncode, json.loads(alone.stdout)) == (0, [])
    assert without.returncode == 1
    assert "lets us in: Connection refused" in without.stderr
