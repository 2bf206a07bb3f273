import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import workflow
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
)
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError
from trenova_schedules import (
    Actor,
    AuditEntry,
    CatchUp,
    ScheduleConflictError,
    ScheduleDefinition,
    ScheduleService,
)
from trenova_schedules._managing import write_schedule
from trenova_schedules._managing._pausing import CATCH_UP_MEMO, PendingCatchUp, pausing
from trenova_schedules._reading import read_schedule

pytestmark = pytest.mark.integration

ANN = Actor(name="ann", source="cli", request_id="r1")


@workflow.defn(name="Quick")
class Quick:
    @workflow.run
    async def run(self) -> None: ...


@workflow.defn(name="Long")
class Long:
    @workflow.run
    async def run(self) -> None:
        await asyncio.sleep(600)


class Sink:
    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def begin(self, entry):
        assert entry.id not in {one.id for one in self.entries}

    async def forget(self, entry):
        pass

    async def record(self, *entries: AuditEntry) -> None:
        self.entries += entries


def define(schedule_id="purge", **changes):
    fields = {
        "id": schedule_id,
        "workflow": "Quick",
        "task_queue": "q",
        "catchup_window": timedelta(hours=1),
        "owner": "system-worker",
        "cron": "30 2 * * *",
    }
    return ScheduleDefinition.model_validate({**fields, **changes})


def service_of(client, **options):
    return ScheduleService(client=client, **{"serves": False, **options})


def working(client):
    return Worker(client, task_queue="q", workflows=[Quick, Long], workflow_runner=UnsandboxedWorkflowRunner())


async def interval(client, seconds=1, schedule_id="s", workflow_name="Quick", overlap=ScheduleOverlapPolicy.ALLOW_ALL):
    await client.create_schedule(
        schedule_id,
        Schedule(
            action=ScheduleActionStartWorkflow(workflow_name, id=schedule_id, task_queue="q"),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=seconds))]),
            policy=SchedulePolicy(overlap=overlap, catchup_window=timedelta(hours=1)),
        ),
    )


async def ids_of_runs(client, count, within=15.0):
    deadline = asyncio.get_running_loop().time() + within
    while True:
        found = sorted([one.id async for one in client.list_workflows()])
        if len(found) >= count or asyncio.get_running_loop().time() > deadline:
            return found
        await asyncio.sleep(0.1)


async def test_a_schedule_is_created_with_the_marks_of_the_reconciler_and_told_to_the_audit_trail(client):
    sink = Sink()
    definition = define(labels={"team": "ops"}, runbook="https://example.test/purge")

    change = await service_of(client, audit=sink).create(definition, actor=ANN, reason="new")

    document = change.after
    assert (document.owner, document.labels, document.cron) == ("system-worker", {"team": "ops"}, "30 2 * * *")
    assert document.runbook == "https://example.test/purge"
    (entry,) = sink.entries
    told = (entry.actor, entry.action, entry.schedule_id, entry.outcome, entry.reason, entry.request_id, entry.source)
    assert told == ("ann (claimed)", "create", "purge", "done", "new", "r1", "cli")
    assert (entry.before, entry.after["etag"]) == (None, document.etag)


async def test_a_second_schedule_of_the_same_id_is_refused(client):
    service = service_of(client)
    await service.create(define(), actor=ANN)

    with pytest.raises(ConflictError, match="A schedule 'purge' exists"):
        await service.create(define(cron="@hourly"), actor=ANN)

    assert (await service.describe("purge")).cron == "30 2 * * *"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cron": "0 0 31 2 *"}, "would never fire"),
        ({"cron": "61 * * * *"}, "Minute is not in range"),
        ({"end_at": datetime(2020, 1, 1, tzinfo=UTC)}, "would never fire"),
    ],
)
async def test_what_would_never_fire_is_not_created(client, changes, said):
    service = service_of(client)

    with pytest.raises(InvalidInputError, match=said):
        await service.create(define(**changes), actor=ANN)

    with pytest.raises(ResourceNotFoundError):
        await service.describe("purge")


async def test_a_schedule_that_nobody_would_run_is_not_created(client):
    service = service_of(client, serves=True)
    with pytest.raises(InvalidInputError, match="nobody polls task queue 'q'"):
        await service.create(define(), actor=ANN)
    async with working(client):
        for _ in range(100):
            try:
                await service.create(define(), actor=ANN)
                break
            except InvalidInputError:
                await asyncio.sleep(0.1)
        document = await service.describe("purge")
        with pytest.raises(InvalidInputError, match="nobody polls task queue 'elsewhere'"):
            await service.patch("purge", {"taskQueue": "elsewhere"}, etag=document.etag, actor=ANN)
    assert (await service.describe("purge")).etag == document.etag


async def test_a_patch_changes_what_it_names_and_leaves_pause_note_and_arguments(client):
    service = service_of(client)
    await service.create(define(args=("org_1",), jitter=timedelta(seconds=30)), actor=ANN)
    await service.pause("purge", reason="audit", actor=ANN)
    before = await service.describe("purge")
    raw = (await client.get_schedule_handle("purge").describe()).raw_description

    patch = {"cron": "15 4 * * 1", "timeZone": "Europe/Berlin", "jitter": None, "overlap": "buffer_one"}
    change = await service.patch("purge", patch, etag=before.etag, actor=ANN)

    after = change.after
    assert (after.cron, after.time_zone, after.overlap) == ("15 4 * * 1", "Europe/Berlin", "buffer_one")
    assert len(after.calendars) == 1
    assert after.jitter == timedelta(0)
    assert (after.paused, after.note) == (True, "Paused by ann (claimed): audit")
    assert after.catchup_window == before.catchup_window
    now = (await client.get_schedule_handle("purge").describe()).raw_description
    assert now.schedule.action.start_workflow.input == raw.schedule.action.start_workflow.input


async def test_an_interval_replaces_the_cron_and_the_cron_the_interval(client):
    service = service_of(client)
    await service.create(define(), actor=ANN)
    first = (await service.patch("purge", {"interval": "PT90S"}, etag="*", actor=ANN)).after
    assert (first.cron, first.calendars, first.intervals[0].every) == (None, (), timedelta(seconds=90))

    second = (await service.patch("purge", {"cron": "@hourly"}, etag="*", actor=ANN)).after

    assert (second.cron, second.intervals, len(second.calendars)) == ("@hourly", (), 1)


async def test_the_cron_string_is_shown_only_while_it_is_true(client):
    service = service_of(client)
    await service.create(define(), actor=ANN)
    handle = client.get_schedule_handle("purge")

    from temporalio.client import ScheduleUpdate

    def later(given):
        schedule = given.description.schedule
        schedule.spec = ScheduleSpec(cron_expressions=["45 3 * * *"])
        return ScheduleUpdate(schedule=schedule)

    await handle.update(later)

    document = await service.describe("purge")
    assert document.cron is None
    assert document.calendars[0].hour == "3"


REFUSED = [
    ({"cron": "*/10 * * * * *"}, "6 fields"),
    ({"cron": "61 * * * *"}, "Minute is not in range"),
    ({"cron": "0 0 31 2 *"}, "would never fire"),
    ({"cron": "0 0 13 * 5"}, "only on days that are both"),
    ({"cron": "CRON_TZ=Asia/Tokyo 0 0 * * *"}, "sets its own time zone"),
    ({"timeZone": "Mars/Base"}, "is not an IANA name"),
    ({"interval": "PT0.5S"}, "whole seconds"),
    ({"interval": "PT1H", "cron": "@daily"}, "give one of them"),
    ({"startAt": "2030-01-02T00:00:00Z", "endAt": "2030-01-01T00:00:00Z"}, "is before the start"),
    ({"endAt": "2020-01-01T00:00:00Z"}, "would never fire"),
    ({"catchupWindow": "PT1S"}, "at least 10 s"),
    ({"overlap": "sometimes"}, "overlap must be one of"),
    ({"cron": None}, "cannot be taken away"),
    ({"colour": "red"}, "colour"),
    ({"paused": True}, "paused"),
    ({}, "names no field"),
]


async def test_what_the_server_lets_through_or_refuses_is_said_clearly_and_nothing_is_changed(client):
    service = service_of(client)
    await service.create(define(), actor=ANN)
    before = await service.describe("purge")

    for patch, said in REFUSED:
        with pytest.raises(InvalidInputError, match=said) as caught:
            await service.patch("purge", patch, etag=before.etag, actor=ANN)
        assert caught.value.message.endswith("Nothing was changed."), patch

    assert await service.describe("purge") == before
    left = [one.id async for one in await client.list_schedules()]
    assert left == ["purge"]


async def test_an_end_before_the_start_that_is_there_is_refused(client):
    service = service_of(client)
    await service.create(define(start_at=datetime(2100, 1, 1, tzinfo=UTC)), actor=ANN)
    before = await service.describe("purge")

    with pytest.raises(InvalidInputError, match="before it starts at 2100-01-01T00:00:00Z"):
        await service.patch("purge", {"endAt": "2099-01-01T00:00:00Z"}, etag=before.etag, actor=ANN)

    assert await service.describe("purge") == before


async def test_a_patch_needs_the_etag_of_what_it_was_decided_on(client):
    sink = Sink()
    service = service_of(client, audit=sink)
    await service.create(define(), actor=ANN)
    seen = await service.describe("purge")
    await service.patch("purge", {"note": "first"}, etag=f'"{seen.etag}"', actor=ANN)

    with pytest.raises(ScheduleConflictError) as caught:
        await service.patch("purge", {"note": "second"}, etag=seen.etag, actor=ANN)
    with pytest.raises(InvalidInputError, match="needs the ETag"):
        await service.patch("purge", {"note": "second"}, etag="", actor=ANN)

    assert caught.value.current.note == "first"
    assert [entry.outcome for entry in sink.entries] == ["done", "done", "refused", "refused"]


async def test_a_patch_that_changes_nothing_writes_nothing(client):
    sink = Sink()
    service = service_of(client, audit=sink)
    await service.create(define(), actor=ANN)
    before = await service.describe("purge")

    change = await service.patch("purge", {"cron": "30 2 * * *", "timeZone": "UTC"}, etag=before.etag, actor=ANN)

    assert (change.changed, change.after) == (False, before)
    assert await service.describe("purge") == before
    assert [entry.action for entry in sink.entries] == ["create"]


async def test_pause_and_resume_need_a_reason_and_say_who_and_why(client):
    service = service_of(client)
    await service.create(define(), actor=ANN)
    with pytest.raises(InvalidInputError, match="A reason of 1 to 500 characters"):
        await service.pause("purge", reason="  ", actor=ANN)

    paused = await service.pause("purge", reason="audit\nof March", actor=Actor(name="bob", verified=True))
    again = await service.pause("purge", reason="another", actor=ANN)
    resumed = await service.resume("purge", reason="done", actor=ANN)

    assert (paused.after.paused, paused.after.note) == (True, "Paused by bob: audit of March")
    assert (again.changed, again.after.note) == (False, "Paused by bob: audit of March")
    assert (resumed.after.paused, resumed.after.note) == (False, "Resumed by ann (claimed): done")


async def test_a_schedule_is_deleted_only_with_a_reason_and_while_it_is_what_was_seen(client):
    sink = Sink()
    service = service_of(client, audit=sink)
    await service.create(define(), actor=ANN)
    seen = await service.describe("purge")
    await service.pause("purge", reason="audit", actor=ANN)
    for reason, etag, error in (("", "*", InvalidInputError), ("old", seen.etag, ScheduleConflictError)):
        with pytest.raises(error):
            await service.delete("purge", reason=reason, etag=etag, actor=ANN)

    change = await service.delete("purge", reason="old", actor=ANN)

    assert (change.before.note, change.after) == ("Paused by ann (claimed): audit", None)
    assert sink.entries[-1].before["id"] == "purge"
    with pytest.raises(ResourceNotFoundError):
        await service.delete("purge", reason="old", actor=ANN)
    assert sink.entries[-1].outcome == "failed"


async def nominal_times(client, schedule_id):
    """Of all runs of a schedule; one that ran twice is there twice."""
    found = [one.id async for one in client.list_workflows(f"WorkflowId STARTS_WITH '{schedule_id}-'")]
    return sorted(datetime.fromisoformat(one.removeprefix(f"{schedule_id}-")) for one in found)


async def test_a_pause_of_another_tool_does_not_begin_where_one_of_ours_did(client):
    service = service_of(client)
    await interval(client, 3600)
    handle = client.get_schedule_handle("s")
    await service.pause("s", reason="audit", actor=ANN)
    assert (await service.missed("s")).since_known
    await handle.unpause()
    await see(client, paused=False)
    await handle.pause()
    await see(client, paused=True)
    assert not (await service.missed("s")).since_known


async def see(client, *, paused):
    for _ in range(200):
        if (await client.get_schedule_handle("s").describe()).schedule.state.paused is paused:
            return
        await asyncio.sleep(0.05)
    pytest.fail("The server has not taken the change.")


@pytest.mark.parametrize(
    "choice",
    [pytest.param(choice, marks=[pytest.mark.slow] if choice is not CatchUp.ALL else []) for choice in CatchUp],
)
async def test_resume_starts_none_the_last_or_all_of_the_missed_ticks_each_once(client, choice):
    service = service_of(client)
    await interval(client, 2, overlap=ScheduleOverlapPolicy.SKIP)
    async with working(client):
        await service.pause("s", reason="audit", actor=ANN)
        await asyncio.sleep(7)
        missed = await service.missed("s")
        change = await service.resume("s", reason="done", actor=ANN, catch_up=choice)
        resumed_at = datetime.now(UTC)
        await asyncio.sleep(6)
        runs = await nominal_times(client, "s")

    assert missed.since_known
    assert 3 <= missed.count <= 4
    in_the_pause = [at for at in runs if missed.since < at <= resumed_at]
    expected = {CatchUp.NONE: 0, CatchUp.LAST: 1, CatchUp.ALL: change.caught_up}[choice]
    assert change.caught_up == expected
    assert len(in_the_pause) in {expected, expected + 1}  # the tick of the moment of the resume
    assert len(runs) == len(set(runs))
    if choice is CatchUp.ALL:
        assert change.caught_up >= missed.count
    assert max(runs) > resumed_at


@pytest.mark.slow
async def test_a_resume_that_was_killed_goes_on_when_it_is_called_again(client):
    service = service_of(client)
    await interval(client, 2)
    await service.pause("s", reason="audit", actor=ANN)
    await asyncio.sleep(7)
    missed = await service.missed("s")
    pending = PendingCatchUp(catch_up=CatchUp.ALL, since=missed.since, until=missed.until)
    snapshot = await read_schedule(client, "s")
    # As after a kill between the resume and the start of what was missed; the interval is out of the way.
    memo = {CATCH_UP_MEMO: pending.model_dump_json()}
    snapshot = await write_schedule(client, snapshot, pausing("ann", "done", pause=False), identity="ann", memo=memo)
    async with working(client):
        for expected in (missed.count, 0):
            change = await service.resume("s", reason="again", actor=ANN)
            assert change.caught_up == expected
        await asyncio.sleep(3)
        runs = await nominal_times(client, "s")

    assert len([at for at in runs if missed.since <= at <= missed.until]) == missed.count
    assert len(runs) == len(set(runs))


async def test_of_two_resumes_at_once_one_starts_what_was_missed(client):
    service = service_of(client)
    await interval(client, 2)
    await service.pause("s", reason="audit", actor=ANN)
    await asyncio.sleep(7)
    async with working(client):
        calls = (service.resume("s", reason="done", actor=ANN, catch_up=CatchUp.ALL) for _ in range(2))
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.sleep(3)
        runs = await nominal_times(client, "s")

    assert sum(isinstance(one, ScheduleConflictError) for one in outcomes) == 1, outcomes
    assert len(runs) == len(set(runs))


@pytest.mark.slow
async def test_the_chasm_scheduler_is_patched_paused_and_caught_up_alike(chasm_client):
    service = service_of(chasm_client)
    await interval(chasm_client, 2)
    async with working(chasm_client):
        seen = await service.describe("s")
        patched = await service.patch("s", {"note": "held", "catchupWindow": "PT2H"}, etag=seen.etag, actor=ANN)
        await service.pause("s", reason="audit", actor=ANN)
        with pytest.raises(ScheduleConflictError):
            await service.patch("s", {"note": "late"}, etag=patched.after.etag, actor=ANN)
        with pytest.raises(InvalidInputError, match="would never fire"):
            await service.patch("s", {"cron": "0 0 31 2 *"}, etag="*", actor=ANN)
        await asyncio.sleep(7)
        missed = await service.missed("s")
        change = await service.resume("s", reason="done", actor=ANN, catch_up=CatchUp.ALL)
        await asyncio.sleep(4)
        runs = await nominal_times(chasm_client, "s")

    assert change.caught_up >= missed.count >= 3
    assert len([at for at in runs if missed.since <= at <= missed.until]) == missed.count
    assert len(runs) == len(set(runs))
    document = await service.describe("s")
    assert (document.paused, document.catchup_window) == (False, timedelta(hours=2))


async def test_another_number_of_missed_ticks_than_was_confirmed_is_a_conflict(client):
    service = service_of(client)
    await interval(client, 1)
    await service.pause("s", reason="audit", actor=ANN)
    await asyncio.sleep(3)

    with pytest.raises(ConflictError, match="missed ticks of schedule 's' would be started now, not 1000"):
        await service.resume("s", reason="done", actor=ANN, catch_up=CatchUp.ALL, confirmed=1000)

    assert (await service.describe("s")).paused


@pytest.mark.parametrize("paused", [True, False])
async def test_as_many_triggers_at_once_as_runs(client, paused):
    service = service_of(client)
    await interval(client, 3600)
    if paused:
        await service.pause("s", reason="audit", actor=ANN)
    etag = (await service.describe("s")).etag
    async with working(client):
        found = await asyncio.gather(*(service.trigger("s", actor=ANN, reason="by hand") for _ in range(5)))
        runs = await ids_of_runs(client, 5)

    assert {run.outcome for run in found} == {"started"}
    assert sorted(run.workflow_id for run in found) == runs
    assert len(set(runs)) == 5
    assert (await service.describe("s")).etag == etag


async def test_as_many_triggers_at_once_as_runs_on_the_chasm_scheduler_too(chasm_client):
    service = service_of(chasm_client)
    await interval(chasm_client, 3600)
    async with working(chasm_client):
        found = await asyncio.gather(*(service.trigger("s", actor=ANN) for _ in range(3)))
        runs = await ids_of_runs(chasm_client, 3)

    assert len({run.run_id for run in found}) == 3
    assert sorted(run.workflow_id for run in found) == runs


@pytest.mark.slow
async def test_a_trigger_beside_a_run_under_way_is_said_to_be_skipped_or_to_wait(client):
    service = service_of(client)
    await interval(client, 3600, "s", "Long", ScheduleOverlapPolicy.SKIP)
    async with working(client):
        first = await service.trigger("s", actor=ANN)
        second = await service.trigger("s", actor=ANN)
        third = await service.trigger("s", actor=ANN, overlap="buffer_one")

    assert [one.outcome for one in (first, second, third)] == ["started", "skipped", "buffered"]
    with pytest.raises(InvalidInputError, match="overlap must be one of"):
        await service.trigger("s", actor=ANN, overlap="perhaps")


async def test_a_schedule_that_fires_every_second_is_not_triggered_into_one_of_its_own_ticks(client):
    service = service_of(client)
    await interval(client, 1)

    with pytest.raises(Exception, match="no second free"):
        await service.trigger("s", actor=ANN)
