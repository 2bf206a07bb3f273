"""Each check against a real server and real services, made to fail and then to pass."""

import asyncio
import signal
import socket
import uuid
from dataclasses import replace
from datetime import timedelta

import pytest
from sample_worker.waiting import eventually
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import RemoveSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow, ScheduleSpec

from trenova_workers._doctor._check_clock import ClockCheck, seconds_apart
from trenova_workers._doctor._check_server import ServerCheck
from trenova_workers._doctor._examine import Options, admit, look
from trenova_workers._search_attributes import register_search_attributes, registered_attributes

pytestmark = pytest.mark.integration  # many processes: once, not on every Python

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
INT = IndexedValueType.INDEXED_VALUE_TYPE_INT


def of(found, check, severity=None):
    return [one for one in found if one["check"] == check and severity in (None, one["severity"])]


@pytest.fixture
def attributes(server):
    """Registers attributes and lists them; what was added is removed again, because a namespace has room for ten."""

    async def run(action):
        return await action(await Client.connect(server.address))

    class Attributes:
        def register(self, kind, *names):
            asyncio.run(run(lambda client: register_search_attributes(client, dict.fromkeys(names, kind))))

        def there(self):
            return asyncio.run(run(lambda client: registered_attributes(client, system=False)))

    yield Attributes()

    async def clear(client):
        if there := await registered_attributes(client, system=False):
            await client.operator_service.remove_search_attributes(
                RemoveSearchAttributesRequest(namespace="default", search_attributes=list(there))
            )

    asyncio.run(run(clear))


def test_a_missing_search_attribute_is_a_problem_until_it_is_fixed(doctor, attributes):
    before = doctor.look("search-attributes")
    fixed = doctor.look("search-attributes", fix=True)
    after = doctor.look("search-attributes")

    assert before[0] == 1
    [missing] = before[1]
    assert (missing["severity"], missing["subject"], missing["fixable"]) == ("problem", doctor.attribute, True)
    assert "is missing, sample-worker needs it as Keyword" in missing["found"]
    assert (fixed[0], fixed[1][0]["severity"]) == (0, "ok")
    assert fixed[1][0]["fixed"] == f"registered {doctor.attribute} as Keyword in namespace default"
    assert (after[0], after[1][0]["severity"], after[1][0]["found"]) == (0, "ok", "Keyword")
    assert attributes.there()[doctor.attribute] == KEYWORD


def test_a_search_attribute_of_another_type_is_a_problem_that_fix_leaves_alone(doctor, attributes):
    attributes.register(INT, doctor.attribute)
    status, [found] = doctor.look("search-attributes", fix=True)

    assert (status, found["severity"], found["fixable"]) == (1, "problem", False)
    assert "is Int, sample-worker needs Keyword" in found["found"]
    assert f"--name {doctor.attribute}" in found["advice"]
    assert attributes.there()[doctor.attribute] == INT


def test_a_namespace_without_room_is_told_before_the_server_refuses(doctor, attributes):
    taken = sum(kind == KEYWORD for kind in attributes.there().values())
    attributes.register(KEYWORD, *(f"Fill{uuid.uuid4().hex[:6]}" for _ in range(10 - taken)))
    status, found = doctor.look("search-attributes", fix=True)

    assert status == 1
    assert [one["subject"] for one in found] == [doctor.attribute, "Keyword"]
    assert "fixing it failed" in found[0]["found"]
    assert "10 of 10 attributes of this type are taken, 1 more are needed" in found[1]["found"]


@pytest.mark.slow
def test_a_queue_needs_pollers_only_when_workers_are_meant_to_be_up(doctor, sample):
    idle = doctor.look("queues")
    child = sample.start("run")
    child.until_ready()
    served = doctor.look("queues", expect_running=True)
    child.process.send_signal(signal.SIGSTOP)
    held = doctor.look("queues", expect_running=True)
    child.process.kill()
    child.process.wait()
    gone = doctor.look("queues", expect_running=True)

    assert (idle[0], idle[1][0]["severity"]) == (0, "warning")
    assert (served[0], served[1][0]["found"]) == (0, "1 worker of sample-worker")
    assert (held[0], held[1][0]["severity"]) == (1, "problem")
    assert (gone[0], gone[1][0]["severity"]) == (1, "problem")
    assert f"gone: sample-worker@{socket.gethostname()}:{child.process.pid}#" in gone[1][0]["found"]


@pytest.mark.slow
def test_a_worker_whose_event_loop_is_held_up_is_found_by_its_process(doctor, sample):
    async def hold_up():
        client = await Client.connect(doctor.environ["TEMPORAL_ADDRESS"])
        arguments = ["sample.hold_up", 1.5]
        await client.execute_workflow("Sample", args=arguments, id=sample.queue, task_queue=sample.queue)

    child = sample.start("run")
    child.until_ready()
    none = doctor.look("event-loop", environ={"SAMPLE_WORKER_QUEUE": "another"})
    elsewhere = doctor.look("event-loop", environ={"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    asyncio.run(hold_up())
    status, [found] = doctor.look("event-loop")

    assert (none[0], none[1][0]["severity"]) == (0, "skipped")
    assert (elsewhere[0], elsewhere[1][0]["severity"]) == (0, "skipped")
    assert (status, found["severity"]) == (1, "problem")
    assert found["subject"] == f"sample-worker, pid {child.process.pid}"
    assert float(found["found"].split()[2]) >= 1
    assert any("event loop is blocked" in line["event"] for line in child.logged())


def test_a_service_that_is_well_is_told_to_be_well(doctor):
    status, found = doctor.look("environment", "services", "options", environ={"SAMPLE_WORKER_LONGEST_S": "15"})

    assert status == 0
    assert {one["severity"] for one in found} == {"ok"}
    assert [one["found"] for one in of(found, "services")] == ["ErrorsPlugin", "has every column"]
    assert "grace, heartbeats, database pool" in of(found, "options")[0]["found"]


def test_rules_that_are_refused_are_told_once_with_their_problems_apart(doctor):
    rules = doctor.folder / "rules.yaml"
    rules.write_text("default: {qeue: x}\nrulse: []\n")
    ended = doctor.call("--only", "services", "--service", "sample-worker", TRENOVA_ROUTING__RULES=str(rules))

    assert ended.returncode == 1
    assert ended.stdout.count("'default.qeue'") == 1
    assert f"Did you mean 'queue'? / {rules}: 'rulse'" in ended.stdout
    assert "client plugins: ErrorsPlugin" in ended.stdout


def test_a_service_is_asked_and_its_own_findings_are_told(doctor):
    amiss = doctor.look("services", environ={"SAMPLE_WORKER_REFUSE": "true"})
    refused = doctor.look("services", environ={"SAMPLE_WORKER_STOER__URL": "x"})

    assert [one["subject"] for one in amiss[1] if one["severity"] == "problem"] == ["sample-worker: store"]
    assert amiss[0] == 1
    assert refused[0] == 1
    assert "Did you mean 'store'?" in refused[1][0]["found"]
    assert "python -m sample_worker config show" in refused[1][0]["advice"]


def test_options_that_do_not_fit_the_work_are_told_from_outside(doctor):
    short = {"SAMPLE_WORKER_LONGEST_S": "15"}
    fatal = doctor.look("options", environ=short | {"SAMPLE_WORKER_STORE__POOL_SIZE": "50"})
    worse = doctor.look("options", environ=short | {"SAMPLE_WORKER_WORKER__GRACEFUL_SHUTDOWN_S": "7"})

    assert fatal[0] == 1
    [pool] = [one for one in fatal[1] if one["severity"] == "problem"]
    assert pool["found"].startswith("worker.max_activities (100, default): so many activities x 1 queue")
    assert "the pool has 50" in pool["found"]
    assert pool["advice"].startswith("Set it to at most 50, or raise the pool")
    [grace] = [one for one in worse[1] if one["severity"] == "warning"]
    assert "worker.graceful_shutdown_s (7" in grace["found"]
    assert "SAMPLE_WORKER_WORKER__GRACEFUL_SHUTDOWN_S" in grace["found"]


def test_a_service_that_breaks_does_not_keep_others_from_being_looked_at(doctor):
    doctor.write("broken_worker", "raise RuntimeError('no such table')\n")
    doctor.write("silent_worker", "print('hello')\n")
    installed = {"broken-worker": "broken_worker", "sample-worker": "sample_worker", "silent-worker": "silent_worker"}
    status, found = doctor.look("services", services=installed)

    assert status == 1
    assert [(one["subject"], one["severity"]) for one in found] == [
        ("broken-worker", "problem"),
        ("sample-worker: client plugins", "ok"),
        ("sample-worker: store", "ok"),
        ("silent-worker", "problem"),
    ]
    assert "no such table" in found[0]["found"]


@pytest.mark.slow
def test_workers_of_one_queue_that_register_different_work_are_told(doctor, sample):
    sample.start("run").until_ready()
    before = doctor.look("registrations")
    sample.start("run", SAMPLE_WORKER_LACKS='["sample.block"]').until_ready()
    status, found = eventually(lambda: (now := doctor.look("registrations"))[0] == 1 and now, seconds=60)

    assert before[0] == 0
    assert status == 1
    [differs] = of(found, "registrations", "problem")
    assert differs["subject"] == "sample-worker: registrations"
    assert "activities only with the" in differs["found"]
    assert "sample.block" in differs["found"]


def test_a_schedule_of_a_workflow_that_nobody_registers_is_told(doctor, sample):
    async def create():
        client = await Client.connect(doctor.environ["TEMPORAL_ADDRESS"])
        action = ScheduleActionStartWorkflow("Nobody", id="nobody", task_queue=sample.queue)
        await client.create_schedule(sample.queue, Schedule(action, ScheduleSpec(cron_expressions=["0 0 1 1 *"])))

    async def delete():
        client = await Client.connect(doctor.environ["TEMPORAL_ADDRESS"])
        await client.get_schedule_handle(sample.queue).delete()

    def looked(status):
        return eventually(lambda: (now := doctor.look("registrations"))[0] == status and now[1])

    asyncio.run(create())
    found = looked(1)
    asyncio.run(delete())
    gone = looked(0)

    [lost] = of(found, "registrations", "problem")
    assert lost["subject"] == "sample-worker: schedules"
    assert "Nobody" in lost["found"]
    assert of(gone, "registrations", "problem") == []


def test_misspelt_variables_are_named_with_what_was_meant(doctor):
    wrong = {"TEMPORAL_ADRESS": "x:1", "TRENOVA_WROKER__MAX_ACTIVITIES": "5", "TEMPORAL_CLI_SHOW": "1"}
    status, found = doctor.look("environment", environ=wrong)

    assert status == 0
    assert {one["subject"]: one["advice"] for one in of(found, "environment", "warning")} == {
        "TEMPORAL_ADRESS": "Did you mean TEMPORAL_ADDRESS?",
        "TRENOVA_WROKER__MAX_ACTIVITIES": "Did you mean TRENOVA_WORKER__MAX_ACTIVITIES?",
    }


def test_all_wrong_variables_are_named_also_while_settings_do_not_hold(doctor):
    wrong = {"TRENOVA_WORKER__MAX_ACTIVITES": "4", "TRENOVA_STOER__URL": "x", "SAMPLE_WORKER_EXPECTED": "one"}
    status, found = doctor.look("environment", environ=wrong)

    assert status == 1
    assert {one["subject"] for one in of(found, "environment", "problem")} == {
        "SAMPLE_WORKER_EXPECTED",
        "TRENOVA_WORKER__MAX_ACTIVITES",
    }
    [misspelt] = of(found, "environment", "warning")
    assert misspelt["advice"] == "Did you mean TRENOVA_STORE__URL?"


def test_a_service_that_says_nothing_leaves_its_variables_unjudged_and_that_is_told(doctor):
    doctor.write("silent_worker", "raise SystemExit('no keys')")
    status, found = doctor.look(
        "environment", services={"sample-worker": "silent_worker"}, environ={"TRENOVA_STOER__URL": "x"}
    )

    assert status == 2
    [unjudged] = of(found, "environment", "skipped")
    assert "nobody knows which variables it reads" in unjudged["found"]
    assert "no keys" in unjudged["found"]


@pytest.mark.parametrize(
    ("environ", "severity", "said"),
    [
        ({"TEMPORAL_CONFIG_FILE": "{folder}/temporal.toml"}, "warning", "adress"),
        ({"TEMPORAL_CONFIG_FILE": "{folder}/broken.toml"}, "problem", "line 2"),
        ({"TEMPORAL_CONFIG_FILE": "nowhere.toml"}, "problem", "nowhere.toml"),
        ({"TEMPORAL_ADDRESS": "http://x:7233"}, "problem", "is a URL"),
    ],
)
def test_a_profile_that_leads_nowhere_or_holds_unknown_words_is_told(doctor, environ, severity, said):
    (doctor.folder / "temporal.toml").write_text('[profile.default]\nadress = "hunter2"\n')
    (doctor.folder / "broken.toml").write_text('[profile.default]\napi_key = "hunter2\n')
    doctor.write("silent_worker", "")
    told = {name: value.format(folder=doctor.folder) for name, value in environ.items()}
    _, found = doctor.look("environment", services={"silent-worker": "silent_worker"}, environ=told, offline=True)

    [profile] = [one for one in found if one["subject"] == "profile"]
    assert (profile["severity"], said in profile["found"]) == (severity, True)
    assert "hunter2" not in str(found)


def test_versions_that_do_not_fit_are_a_problem(doctor):
    doctor.install("old-worker", "old_worker", "temporalio<1.0", "never-heard-of-it", 'absent; extra == "x"')
    doctor.write("old_worker", "")
    status, found = doctor.look("environment", services={"old-worker": "old_worker"})

    assert status == 1
    [lacks] = of(found, "environment", "problem")
    assert lacks["subject"] == "old-worker"
    assert "needs temporalio<1.0, installed is" in lacks["found"]
    assert "never-heard-of-it, which is not installed" in lacks["found"]
    assert "absent" not in lacks["found"]


def test_blocking_calls_in_async_functions_are_shown_with_their_place(doctor):
    nap = "import time\n\n\nasync def nap():\n    time.sleep(1)\n\n\ndef block():\n    time.sleep(1)\n"
    doctor.write("slow_worker", nap)
    doctor.write("reading_worker", "async def read():\n    with open('x') as file:\n        return file.name\n")
    installed = {name.replace("_", "-"): name for name in ("sample_worker", "slow_worker", "reading_worker", "nowhere")}
    status, found = doctor.look("blocking", services=installed)

    assert status == 1
    assert [(one["subject"], one["severity"]) for one in found] == [
        ("sample-worker", "ok"),
        ("slow-worker", "problem"),
        ("reading-worker", "warning"),
        ("nowhere", "skipped"),
    ]
    assert found[1]["found"].startswith("slow_worker.py:5 ASYNC251")
    assert ";" not in found[1]["found"]


async def test_the_server_is_described_and_what_it_lacks_is_told(doctor, client):
    patient = await admit(Options(doctor.environ, doctor.folder), [])
    found = await look(ServerCheck(), patient)
    nowhere = await admit(Options(doctor.environ | {"TEMPORAL_NAMESPACE": "nowhere"}, doctor.folder), [])
    [missing] = await look(ServerCheck(), nowhere)

    assert [(str(one.severity), one.subject) for one in found] == [
        ("ok", doctor.environ["TEMPORAL_ADDRESS"]),
        ("ok", "default"),
        ("ok", "default"),
        ("warning", "matching.enableFairness"),
    ]
    assert found[0].found.startswith("Temporal 1.")
    assert "temporal operator namespace create -n nowhere" in missing.advice


async def test_what_a_server_keeps_and_can_is_told(doctor, server):
    other = type(server).start(
        None,
        *("--dynamic-config-value", "matching.enableFairness=true"),
        *("--dynamic-config-value", "frontend.WorkerHeartbeatsEnabled=false"),
    )
    try:
        client = await Client.connect(other.address)
        request = RegisterNamespaceRequest(namespace="short")
        request.workflow_execution_retention_period.FromTimedelta(timedelta(hours=1))
        await client.workflow_service.register_namespace(request)
        environ = doctor.environ | {"TEMPORAL_ADDRESS": other.address, "TEMPORAL_NAMESPACE": "short"}
        patient = await until_there(Options(environ, doctor.folder))
        _, retention, heartbeats, fairness = await look(ServerCheck(), patient)
    finally:
        other.kill()

    assert (str(retention.severity), retention.found.startswith("closed runs are kept 1 h only")) == ("warning", True)
    assert (str(heartbeats.severity), "frontend.WorkerHeartbeatsEnabled" in heartbeats.advice) == ("warning", True)
    assert (str(fairness.severity), fairness.found.startswith("on, ")) == ("ok", True)


async def until_there(options):
    """Admit as soon as a new namespace is known."""
    for _ in range(100):
        patient = await admit(options, [])
        if patient.client:
            return patient
        await asyncio.sleep(0.1)
    pytest.fail("the namespace did not appear")


@pytest.mark.parametrize(
    ("ahead", "severity", "said"),
    [
        (0, "ok", "agree to the second"),
        (4, "warning", "s ahead of the server"),
        (-4, "warning", "s behind the server"),
        (600, "problem", "jobs refuse to run from 300 s on"),
        (-600, "problem", "s behind the server"),
    ],
)
async def test_clocks_apart_are_a_warning_and_then_a_problem(doctor, ahead, severity, said):
    patient = await admit(Options(doctor.environ, doctor.folder), [])
    [found] = await look(ClockCheck(), replace(patient, now=lambda: patient.now() + ahead))

    assert (str(found.severity), said in found.found) == (severity, True)


async def test_the_distance_of_clocks_is_measured_to_the_tenth_of_a_second(client):
    import time

    apart = await seconds_apart(client, lambda: time.time() + 30)

    assert apart == pytest.approx(30, abs=0.5)


def test_without_a_server_the_rest_is_looked_at(doctor):
    status, found = doctor.look(environ={"TEMPORAL_ADDRESS": "127.0.0.1:1"})

    assert status == 1
    [away] = of(found, "server", "problem")
    assert away["found"] == "No Temporal server at '127.0.0.1:1' lets us in: Connection refused"
    assert away["advice"].startswith("Start one ('trenova-workers up'")
    for check in ("clock", "search-attributes", "queues"):
        assert [one["found"] for one in of(found, check)] == ["the server does not answer"]
    assert of(found, "services")[0]["severity"] == "ok"


def test_offline_opens_no_connection(doctor):
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        port.listen()
        address = f"127.0.0.1:{port.getsockname()[1]}"
        status, found = doctor.look(environ={"TEMPORAL_ADDRESS": address}, offline=True)
        port.settimeout(0)
        with pytest.raises(BlockingIOError):
            port.accept()

    assert status == 0
    for check in ("server", "clock", "search-attributes", "queues"):
        assert {one["severity"] for one in of(found, check)} == {"skipped"}
