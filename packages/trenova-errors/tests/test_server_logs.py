"""What is written about failures on a real server: exactly the lines that the policy names, and no secret."""

import asyncio
import logging
import traceback
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from log_scenarios import ACTIVITIES, SECRET, WORKFLOWS, Calls, CallsRaw, Cancels, Job, Many, Raising
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowFailureError, WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.runtime import MetricBuffer, Runtime, TelemetryConfig
from temporalio.worker import Replayer, Worker

from trenova_errors import BudgetOptions, ErrorsPlugin

# What the server does is the same for every Python.
pytestmark = pytest.mark.integration

LIMIT = 20
KEYS = {
    "organization_id", "workflow_id", "run_id", "workflow_type", "activity_type", "attempt", "task_queue",
    "error_kind", "error_code",
}  # fmt: skip


class Lines(logging.Handler):
    """All records of the process, with everything that a formatter could write of them."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.records = []

    def emit(self, record):
        self.records.append(record)

    def of(self, **keys):
        return [record for record in self.records if all(getattr(record, k, None) == v for k, v in keys.items())]

    def text(self):
        return "\n".join(_everything(record) for record in self.records)


def _everything(record):
    trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    return f"{record.getMessage()} {record.__dict__!r} {trace} {record.exc_text}"


@pytest.fixture
def lines():
    handler, root = Lines(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


class Bench:
    def __init__(self, client: Client) -> None:
        self.client, self.queue = client, f"q-{uuid.uuid4()}"
        self.worker = Worker(
            client,
            task_queue=self.queue,
            workflows=WORKFLOWS,
            activities=ACTIVITIES,
            activity_executor=ThreadPoolExecutor(4),
            max_concurrent_workflow_tasks=10,
        )

    async def start(self, run, *args):
        return await self.client.start_workflow(run, args=args, id=f"w-{uuid.uuid4()}", task_queue=self.queue)

    async def failed(self, run, *args):
        handle = await self.start(run, *args)
        with pytest.raises(WorkflowFailureError):
            await asyncio.wait_for(handle.result(), LIMIT)
        return handle


@pytest.fixture
async def bench(client):
    bench = Bench(client)
    async with bench.worker:
        yield bench


def _seen(records):
    return Counter((record.levelname, record.error_kind, record.attempt) for record in records)


async def test_a_hundred_failing_activities_write_exactly_the_lines_of_the_policy(bench, lines):
    jobs = [
        *[Job(how="unavailable", attempts=2)] * 30,
        *[Job(how="connection", attempts=3)] * 20,
        *[Job(how="unclassified")] * 20,
        *[Job(how="group")] * 5,
        *[Job(how="conflict", attempts=3)] * 15,
        *[Job(how="not_found")] * 5,
        *[Job(how="untyped", attempts=3)] * 5,
    ]
    handle = await bench.start(Many.run, jobs)

    assert await asyncio.wait_for(handle.result(), 60) == len(jobs) == 100

    written = lines.of(workflow_id=handle.id)
    assert _seen(written) == {
        ("WARNING", "unavailable", 1): 50,
        ("ERROR", "unavailable", 2): 30,
        ("ERROR", "unavailable", 3): 20,
        ("ERROR", "retryable", 1): 25,
        ("INFO", "conflict", 1): 15,
        ("INFO", "resource_not_found", 1): 5,
        ("ERROR", "non_retryable", 1): 5,
    }
    assert all(record.name == "trenova_errors" and vars(record).keys() >= KEYS for record in written)
    assert {record.organization_id for record in written} == {"org_1"}
    assert not [record for record in lines.records if record.name.startswith("temporalio.activity")]
    assert SECRET not in lines.text()


async def test_the_last_line_says_where_in_the_code_and_by_what_types_it_failed(bench, lines):
    handle = await bench.failed(Calls.run, "fail_how", Job(how="unclassified"))

    [line] = lines.of(workflow_id=handle.id, levelname="ERROR")
    assert line.error_types == "DriverError <- KeyError"
    assert line.error_stack[-1].startswith("log_scenarios:")
    assert line.error_stack[-1].endswith(" _fail")
    assert (line.error_code, line.activity_type) == ("unclassified", "fail_how")


async def test_a_run_that_fails_because_of_an_activity_repeats_no_error(bench, lines):
    handle = await bench.failed(Calls.run, "fail_how", Job(how="unavailable"))

    assert [(line.levelname, line.getMessage().split(":")[0]) for line in lines.of(workflow_id=handle.id)] == [
        ("ERROR", "Activity failed"),
        ("INFO", "Workflow failed"),
    ]


async def test_of_many_attempts_only_the_first_the_tenth_and_the_last_are_written():
    from trenova_errors._attempts import Attempt
    from trenova_errors._failure_log import Summary, level_of

    summary = Summary(kind="unavailable", code="unavailable", benign=False)
    levels = {
        number: level_of(summary, final=number == 1500, milestone=Attempt(number, None, None).milestone)
        for number in range(1, 1501)
    }

    assert {number: level for number, level in levels.items() if level is not None} == {
        1: logging.WARNING,
        10: logging.WARNING,
        100: logging.WARNING,
        1000: logging.WARNING,
        1500: logging.ERROR,
    }


async def test_a_cancellation_writes_nothing(bench, lines):
    handle = await bench.start(Cancels.run, Job(how="none"))

    await asyncio.wait_for(handle.result(), LIMIT)

    assert lines.of(workflow_id=handle.id) == []


async def test_a_cancelled_run_and_one_that_continues_as_new_write_nothing(bench, lines):
    waiting = await bench.start(Raising.run, "wait")
    await asyncio.sleep(0.3)
    await waiting.cancel()
    with pytest.raises(WorkflowFailureError):
        await asyncio.wait_for(waiting.result(), LIMIT)
    again = await bench.start(Raising.run, "again")
    await asyncio.wait_for(again.result(), LIMIT)

    assert lines.records == []


async def test_an_activity_that_times_out_is_written_although_no_worker_answered(bench, lines):
    handle = await bench.failed(Calls.run, "hang", Job(how="none"))

    errors = lines.of(workflow_id=handle.id, levelname="ERROR")
    assert [(line.getMessage().split(":")[0], line.error_code.split(".")[0]) for line in errors] == [
        ("Activity 'hang' ended without an answer", "timeout")
    ]


async def test_an_activity_that_says_it_is_idempotent_is_tried_again_when_nobody_knows_its_outcome(bench, lines):
    twice = await bench.failed(Calls.run, "offer", Job(how="none", attempts=2))
    once = await bench.failed(Calls.run, "offer_once", Job(how="none", attempts=2))

    assert [line.attempt for line in lines.of(workflow_id=twice.id, activity_type="offer")] == [1, 2]
    assert [line.levelname for line in lines.of(workflow_id=once.id, activity_type="offer_once")] == ["ERROR"]


async def test_a_raise_in_workflow_code_is_written_once_by_what_it_is(bench, lines):
    for how, level, kind in [
        ("unavailable", "ERROR", "unavailable"),
        ("conflict", "INFO", "conflict"),
        ("untyped", "ERROR", "non_retryable"),
        ("timeout", "ERROR", "unavailable"),
    ]:
        handle = await bench.failed(Raising.run, how)
        written = lines.of(workflow_id=handle.id)
        assert [(line.levelname, line.error_kind) for line in written] == [(level, kind)]
    assert SECRET not in lines.text()


async def test_a_bug_in_workflow_code_keeps_the_run_and_is_written_at_its_first_and_tenth_time(bench, lines):
    handle = await bench.start(Raising.run, "unclassified")
    await asyncio.sleep(2.5)
    await handle.terminate()

    written = lines.of(workflow_id=handle.id)
    assert [line.getMessage().split(":")[0] for line in written] == [
        "Workflow task failed and is tried again until the code is mended"
    ]
    assert (written[0].levelname, written[0].workflow_task_failures) == ("ERROR", 1)
    assert (written[0].error_kind, written[0].error_code) == ("retryable", "workflow_task")
    assert "until the code is mended" in written[0].error_reason
    assert not [line for line in lines.records if line.name == "temporalio.worker._workflow_instance"]
    assert SECRET not in lines.text()


async def test_a_raise_in_a_signal_handler_ends_the_run_and_is_written_once(bench, lines):
    handle = await bench.start(Raising.run, "wait")
    await handle.signal(Raising.fail_by_signal, "unavailable")
    with pytest.raises(WorkflowFailureError) as caught:
        await asyncio.wait_for(handle.result(), LIMIT)

    assert caught.value.cause.type == "unavailable"
    assert [(line.levelname, line.signal) for line in lines.of(workflow_id=handle.id)] == [("ERROR", "fail_by_signal")]
    assert SECRET not in lines.text()


async def test_a_raise_in_an_update_fails_the_update_alone_and_is_written_once(bench, lines):
    handle = await bench.start(Raising.run, "wait")
    for update, how in [
        (Raising.fail_by_update, "unavailable"),
        (Raising.fail_by_validator, "conflict"),
        (Raising.fail_by_validator, "unclassified"),
    ]:
        with pytest.raises(WorkflowUpdateFailedError) as caught:
            await asyncio.wait_for(handle.execute_update(update, how), LIMIT)
        assert caught.value.cause.type in ("unavailable", "conflict", "retryable")
    await handle.signal(Raising.finish)
    await asyncio.wait_for(handle.result(), LIMIT)

    assert [(line.levelname, line.update, line.error_kind) for line in lines.of(workflow_id=handle.id)] == [
        ("ERROR", "fail_by_update", "unavailable"),
        ("INFO", "fail_by_validator", "conflict"),
        ("WARNING", "fail_by_validator", "retryable"),
    ]
    assert SECRET not in lines.text()


async def test_a_replay_writes_nothing(bench, lines):
    handle = await bench.failed(Raising.run, "unavailable")
    history = await handle.fetch_history()
    lines.records.clear()

    await Replayer(workflows=WORKFLOWS, plugins=[ErrorsPlugin()]).replay_workflow(history)

    assert lines.records == []


async def test_a_spent_budget_stretches_the_delay_and_says_so_once(server, lines):
    small = BudgetOptions(tokens=14, stretch=4)
    bench = Bench(await Client.connect(server, plugins=[ErrorsPlugin(budget=small)]))
    async with bench.worker:
        await asyncio.wait_for((await bench.start(Many.run, [Job(how="connection", attempts=2)] * 6)).result(), LIMIT)

    spent = [line for line in lines.records if line.getMessage().startswith("Retry budget of")]
    assert len(spent) == 2  # one for each type of activity
    delays = sorted(line.next_attempt_in for line in lines.of(levelname="WARNING") if hasattr(line, "next_attempt_in"))
    assert delays[:2] == [1.0, 1.0]
    assert all(2.5 <= delay <= 4 for delay in delays[2:])


async def test_the_delay_that_is_written_is_the_one_that_was_asked_of_the_server(server, lines):
    small = BudgetOptions(tokens=14, retry_cost=14, stretch=4)
    bench = Bench(await Client.connect(server, plugins=[ErrorsPlugin(budget=small)]))
    async with bench.worker:
        loop = asyncio.get_running_loop()
        await bench.failed(Calls.run, "fail_how", Job(how="connection", attempts=2))
        started = loop.time()
        handle = await bench.failed(Calls.run, "fail_how", Job(how="connection", attempts=2))

    assert loop.time() - started >= lines.of(workflow_id=handle.id, attempt=1)[0].next_attempt_in


async def test_failures_and_what_nobody_has_decided_about_are_counted(server):
    buffer = MetricBuffer(10_000)
    runtime = Runtime(telemetry=TelemetryConfig(metrics=buffer))
    bench = Bench(await Client.connect(server, plugins=[ErrorsPlugin()], runtime=runtime))
    async with bench.worker:
        await bench.failed(Calls.run, "fail_how", Job(how="unclassified"))

    counted = {
        update.metric.name: dict(update.attributes)
        for update in buffer.retrieve_updates()
        if update.metric.name.startswith("trenova_errors")
    }
    assert counted["trenova_errors_unclassified"] == {
        "activity_type": "fail_how",
        "exception": "log_scenarios.DriverError",
    } | _extra(counted["trenova_errors_unclassified"])
    assert counted["trenova_errors_failures"]["error_kind"] == "retryable"


def _extra(attributes):
    return {name: value for name, value in attributes.items() if name not in ("activity_type", "exception")}


async def test_what_nobody_has_decided_about_is_not_tried_for_ever(server, lines):
    bench = Bench(await Client.connect(server, plugins=[ErrorsPlugin(max_unclassified_attempts=2)]))
    async with bench.worker:
        handle = await bench.failed(Calls.run, "fail_how", Job(how="unclassified", attempts=0))

    assert [
        (line.levelname, line.attempt, line.error_kind)
        for line in lines.of(activity_type="fail_how", workflow_id=handle.id)
    ] == [
        ("WARNING", 1, "retryable"),
        ("ERROR", 2, "non_retryable"),
    ]


async def test_the_sdks_own_lines_come_back_when_the_last_worker_has_gone(client, lines):
    sdk = logging.getLogger("temporalio.activity")
    other = await Client.connect(client.service_client.config.target_host, plugins=[ErrorsPlugin()])
    async with Bench(client).worker:
        async with Bench(other).worker:
            await asyncio.sleep(0.2)
            assert len(sdk.filters) == 1
        assert len(sdk.filters) == 1

    assert not sdk.filters


async def test_a_run_and_an_update_whose_arguments_do_not_validate_have_one_line_each(bench, lines):
    failed = await bench.failed("Calls", "fail_how", {"how": [SECRET]})
    waiting = await bench.start(Raising.run, "wait")
    with pytest.raises(WorkflowUpdateFailedError):
        await asyncio.wait_for(waiting.execute_update("fail_by_update", [SECRET]), LIMIT)
    await waiting.signal(Raising.finish)
    await asyncio.wait_for(waiting.result(), LIMIT)

    [run], [update] = lines.of(workflow_id=failed.id), lines.of(workflow_id=waiting.id)
    assert (run.levelname, run.error_code, run.getMessage().split(":")[0]) == ("INFO", "payload", "Workflow failed")
    assert (update.levelname, update.error_code, update.update) == ("INFO", "payload", "fail_by_update")
    assert SECRET not in lines.text()
    lines.records.clear()
    for handle in (failed, waiting):
        history = await handle.fetch_history()
        await Replayer(workflows=WORKFLOWS, plugins=[ErrorsPlugin()]).replay_workflow(history)
    assert lines.records == []


async def test_a_dropped_signal_has_one_line_with_the_same_keys_also_where_its_task_is_tried_again(bench, lines):
    handle = await bench.start(Raising.run, "wait")
    await handle.signal("fail_by_signal", [SECRET])
    await handle.signal("fail_by_signal", args=[])
    await handle.signal("fail_by_signal", RawValue(Payload(metadata={"encoding": b"binary/encrypted"}, data=b"x")))
    await handle.signal("fail_by_signal", "unclassified")
    await asyncio.sleep(2.5)
    await handle.terminate()

    written = lines.of(workflow_id=handle.id, signal="fail_by_signal", levelname="WARNING")
    assert sorted((line.name, line.error_code) for line in written) == [
        ("trenova_errors", "argument_count"),
        ("trenova_errors", "payload"),
        ("trenova_errors", "undecodable"),
    ]
    assert all(vars(line).keys() >= {"run_id", "workflow_type", "task_queue", "error_reason"} for line in written)
    assert not [line for line in lines.records if "deserializing" in line.getMessage()]
    assert SECRET not in lines.text()


async def test_the_type_of_a_foreign_failure_is_not_its_kind(bench, lines):
    handle = await bench.failed(Calls.run, "fail_how", Job(how="untyped"))

    [line] = lines.of(workflow_id=handle.id, levelname="ERROR")
    assert (line.error_kind, line.error_type) == ("non_retryable", "MyOwn")


@pytest.mark.parametrize(("name", "code"), [("hang", "timeout.heartbeat"), ("beat_never", "timeout.heartbeat")])
async def test_of_a_time_out_one_line_is_an_error_and_all_of_them_say_why(bench, lines, name, code):
    handle = await bench.failed(Calls.run, name, Job(how="none"))
    await asyncio.sleep(1)

    written = lines.of(workflow_id=handle.id)
    assert [line.error_code for line in written if line.levelname == "ERROR"] == [code]
    assert all(line.error_source and line.error_reason and line.runbook for line in written)


async def test_a_cancellation_that_nobody_asked_for_is_a_failed_attempt(bench, lines):
    handle = await bench.failed(Calls.run, "cancelled_by_nobody", Job(how="none"))

    [line] = lines.of(workflow_id=handle.id, levelname="ERROR")
    assert (line.error_code, line.error_source) == ("cancelled", "asyncio.CancelledError")
    assert not [line for line in lines.records if line.name == "temporalio.activity"]


@pytest.mark.parametrize(
    ("name", "job", "said"),
    [
        ("nobody_has_it", Job(how="none"), "Activity is not registered with this worker ERROR"),
        ("fail_how", Job.model_construct(how=[SECRET]), "Activity failed before it began INFO"),
        ("leave", Job(how="none"), "Activity ended by SystemExit ERROR"),
    ],
)
@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
async def test_what_the_sdk_writes_of_an_attempt_that_nobody_saw_names_the_attempt(bench, lines, name, job, said):
    job = job.model_copy(update={"attempts": 1})
    handle = await bench.failed(CallsRaw.run, name, job.model_dump(by_alias=True, warnings=False))

    [line] = lines.of(workflow_id=handle.id, name="temporalio.activity")
    assert f"{line.getMessage().split(':')[0]} {line.levelname}" == said
    assert (line.activity_type, line.attempt, bool(line.run_id)) == (name, 1, True)
    assert SECRET not in lines.text()
