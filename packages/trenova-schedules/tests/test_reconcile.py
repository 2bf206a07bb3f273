import asyncio
import json
import re
import sysconfig
from collections.abc import AsyncIterator, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel
from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    CreateScheduleInput,
    Interceptor,
    OutboundInterceptor,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from trenova_errors import ConfigurationError, ErrorsPlugin
from trenova_schedules import (
    Actor,
    BackfillPolicy,
    Outcome,
    Plan,
    PlanKind,
    Reconciler,
    ScheduleDefinition,
    ScheduleService,
    ScheduleSlo,
    create_missing,
)
from trenova_schedules._reading import read_schedule

OWNER = "system-worker"
KIND = SearchAttributeKey.for_keyword("Kind")


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary),
        dev_server_log_level="error",
        search_attributes=[KIND],
        plugins=[ErrorsPlugin()],
    ) as environment:
        yield environment.client


@pytest.fixture
async def client_of_chasm() -> AsyncIterator[Client]:
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(binary),
        dev_server_log_level="error",
        dev_server_extra_args=CHASM,
        plugins=[ErrorsPlugin()],
    ) as environment:
        yield environment.client


CHASM = [
    word
    for key, value in (
        ("history.enableChasm", "true"),
        ("history.enableCHASMSchedulerCreation", "true"),
        ("history.enableCHASMSchedulerRouting", "true"),
        ("history.chasmSchedulerCreationRolloutPercent", "100"),
    )
    for word in ("--dynamic-config-value", f"{key}={value}")
]


class Serves:
    """What the workers of one queue register."""

    def __init__(self, *names: str) -> None:
        self._names = names

    async def workflows(self, client: Client, task_queue: str) -> Collection[str] | None:
        return self._names if task_queue == "system-queue" else None


class Request(BaseModel):
    organization: str = "org_1"
    days: int = 30


class FreshNonce(PayloadCodec):
    """Makes other bytes at each time, as encryption does."""

    made = 0

    async def encode(self, payloads):
        return [
            Payload(metadata={"encoding": b"x/nonce"}, data=self._nonce() + p.SerializeToString()) for p in payloads
        ]

    async def decode(self, payloads):
        for payload in payloads:
            if payload.metadata["encoding"] != b"x/nonce":
                raise ValueError("a payload in clear is refused")
        return [Payload.FromString(payload.data[4:]) for payload in payloads]

    def _nonce(self) -> bytes:
        FreshNonce.made += 1
        return FreshNonce.made.to_bytes(4)


def define(schedule_id: str = "purge", **changes: object) -> ScheduleDefinition:
    fields = {
        "id": schedule_id,
        "workflow": "PurgeWorkflow",
        "task_queue": "system-queue",
        "args": (Request(),),
        "catchup_window": timedelta(hours=1),
        "owner": OWNER,
        "cron": "30 2 * * *",
    }
    return ScheduleDefinition.model_validate({**fields, **changes})


def reconciler(client: Client, *definitions: ScheduleDefinition, **options: object) -> Reconciler:
    return Reconciler(client, definitions, **{"owner": OWNER, "unserved": True, **options})


def kinds(plan: Plan) -> dict[str, str]:
    return {one.id: one.kind.value for one in plan.schedules}


def fields(planned) -> dict[str, tuple[object, object]]:
    return {change.field: (change.old, change.new) for change in planned.changes}


async def ids(client: Client) -> list[str]:
    return sorted([one.id async for one in await client.list_schedules()])


async def set_cron(client: Client, schedule_id: str, cron: str) -> None:
    """Change a cron as the SDK's users do, and see it changed: a pause that follows at once is lost on the server."""

    def changed(given: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = given.description.schedule
        schedule.spec.calendars = []
        schedule.spec.cron_expressions = [cron]
        return ScheduleUpdate(schedule)

    handle = client.get_schedule_handle(schedule_id)
    before = (await handle.describe()).info.last_updated_at
    await handle.update(changed)
    for _ in range(400):
        if (await handle.describe()).info.last_updated_at != before:
            return
        await asyncio.sleep(0.05)
    pytest.fail("The server has not taken the update.")


@pytest.mark.parametrize(
    "definition",
    [
        define(),
        define(cron="@daily", time_zone="America/New_York", note="Nightly", paused=True),
        define(cron=None, interval=timedelta(minutes=5), jitter=timedelta(seconds=30)),
        define(cron=None, calendar=ScheduleCalendarSpec(hour=[ScheduleRange(3, 8, 2)], comment="odd hours")),
        define(
            start_at=datetime(2030, 1, 1, tzinfo=UTC),
            end_at=datetime(2031, 1, 1, tzinfo=UTC),
            overlap=ScheduleOverlapPolicy.BUFFER_ONE,
            pause_on_failure=True,
            labels={"team": "ops"},
            runbook="https://runbooks.test/purge",
            slo=ScheduleSlo(max_run_time=timedelta(minutes=5)),
            run_summary="Purges",
            run_details="All of it",
            run_memo={"job": {"by": "schedule"}},
        ),
    ],
    ids=["cron", "shorthand", "interval", "calendar", "everything"],
)
async def test_what_was_applied_is_unchanged_at_the_next_look(client, definition):
    ours = reconciler(client, definition)

    planned = await ours.plan()
    report = await ours.apply(planned)

    assert kinds(planned) == {"purge": "create"}
    assert report.ids([Outcome.CREATED]) == ("purge",)
    for _ in range(2):
        assert (await ours.plan()).schedules[0].model_dump() == {
            "id": "purge",
            "kind": PlanKind.UNCHANGED,
            "changes": (),
            "overrides": (),
            "fires": None,
            "paused": definition.paused,
            "reason": "",
        }
    assert await ids(client) == ["purge"]


async def test_an_update_shows_each_field_as_it_was_and_will_be_and_writes_only_those(client):
    await reconciler(client, define()).reconcile()
    changed = define(
        cron="0 4 * * *",
        args=(Request(days=7),),
        time_zone="Europe/Berlin",
        jitter=timedelta(minutes=1),
        labels={"team": "ops"},
        workflow="OtherWorkflow",
    )

    planned = (await reconciler(client, changed).plan()).schedules[0]
    report = await reconciler(client, changed).reconcile()

    assert planned.kind is PlanKind.UPDATE
    assert fields(planned) == {
        "workflow": ("PurgeWorkflow", "OtherWorkflow"),
        "args": ([{"organization": "org_1", "days": 30}], [{"organization": "org_1", "days": 7}]),
        "when": ({"cron": "30 2 * * *"}, {"cron": "0 4 * * *"}),
        "timeZone": ("UTC", "Europe/Berlin"),
        "jitter": ("PT0S", "PT1M"),
        "labels": ({}, {"team": "ops"}),
    }
    assert report.ids([Outcome.UPDATED]) == ("purge",)
    found = await client.get_schedule_handle("purge").describe()
    assert len(found.schedule.spec.calendars) == 1
    assert found.info.next_action_times[0].astimezone(UTC).minute in {0, 1}
    assert kinds(await reconciler(client, changed).plan()) == {"purge": "unchanged"}


async def test_a_pause_a_note_and_a_changed_cron_survive_20_reconciles_and_3_deploys(client):
    await reconciler(client, define()).reconcile()
    await set_cron(client, "purge", "15 5 * * *")
    await client.get_schedule_handle("purge").pause(note="Held for the audit")

    for deploy in range(3):
        deployed = define(note=f"Deploy {deploy}", catchup_window=timedelta(hours=2 + deploy), cron=f"{deploy} 1 * * *")
        reports = [await reconciler(client, deployed).reconcile() for _ in range(20)]
        assert [len(report.of(Outcome.UPDATED)) for report in reports] == [1, *[0] * 19]

    found = (await client.get_schedule_handle("purge").describe()).schedule
    assert (found.state.paused, found.state.note) == (True, "Held for the audit")
    assert found.policy.catchup_window == timedelta(hours=4)
    [calendar] = found.spec.calendars
    assert (calendar.hour[0].start, calendar.minute[0].start) == (5, 15)
    planned = (await reconciler(client, deployed).plan()).schedules[0]
    assert (planned.kind, planned.paused) == (PlanKind.OVERRIDDEN, True)
    [override] = planned.overrides
    assert (override.field, override.defined) == ("when", {"cron": "2 1 * * *"})
    assert override.kept == {"calendars": [{"minute": "15", "hour": "5"}]}


async def test_a_pause_of_the_management_service_is_no_override_and_keeps_since_when(client):
    first = reconciler(client, define())
    await first.apply(await first.plan())
    await ScheduleService(client=client).pause("purge", reason="audit", actor=Actor(name="ann", source="cli"))
    assert kinds(await reconciler(client, define()).plan()) == {"purge": "unchanged"}

    changed = reconciler(client, define(run_memo={"team": "ops"}), overwrite=["purge"])
    await changed.apply(await changed.plan())
    snapshot = await read_schedule(client, "purge")
    assert snapshot.document.paused
    assert set(snapshot.raw.schedule.action.start_workflow.memo.fields) >= {"trenova.paused", "team"}


async def test_an_override_ends_when_it_is_taken_back_or_overwritten(client):
    changed = define(cron="0 4 * * *")
    await reconciler(client, define()).reconcile()
    await set_cron(client, "purge", "15 5 * * *")
    await reconciler(client, changed).reconcile()

    await set_cron(client, "purge", "30 2 * * *")
    assert fields((await reconciler(client, changed).plan()).schedules[0]) == {
        "when": ({"cron": "30 2 * * *"}, {"cron": "0 4 * * *"})
    }
    await set_cron(client, "purge", "15 5 * * *")
    await reconciler(client, changed, overwrite=["purge"]).reconcile()

    found = (await client.get_schedule_handle("purge").describe()).schedule
    assert [calendar.hour[0].start for calendar in found.spec.calendars] == [4]
    assert kinds(await reconciler(client, changed).plan()) == {"purge": "unchanged"}


async def test_a_foreign_schedule_is_never_touched(client):
    theirs = ScheduleActionStartWorkflow("Theirs", id="theirs", task_queue="their-queue")
    await client.create_schedule("purge", replace(define().to_schedule(), action=theirs))
    other = define("report", owner="other-worker")
    await create_missing(client, [other])
    before = [(await client.get_schedule_handle(one).describe()).raw_description for one in ("purge", "report")]

    ours = reconciler(client, define(), define("report", cron="@hourly"), overwrite=["purge", "report"])
    plan = await ours.plan()
    forged = plan.model_copy(
        update={
            "schedules": tuple(one.model_copy(update={"kind": kind}) for one in plan.schedules for kind in PlanKind)
        }
    )
    reports = [await ours.apply(plan, prune=True), await ours.apply(forged, prune=True)]
    pruned = await reconciler(client).apply(await reconciler(client).plan(), prune=True)

    assert kinds(plan) == {"purge": "foreign", "report": "foreign"}
    assert "carries no owner" in plan.schedules[0].reason
    assert "belongs to 'other-worker'" in plan.schedules[1].reason
    assert not plan.pending(prune=True)
    assert not reports[0].complete
    assert {one.outcome for report in reports for one in report.schedules} <= {
        Outcome.FOREIGN,
        Outcome.CURRENT,
        Outcome.REFUSED,
    }
    assert pruned.schedules == ()
    after = [(await client.get_schedule_handle(one).describe()).raw_description for one in ("purge", "report")]
    assert [one.schedule for one in after] == [one.schedule for one in before]
    assert [one.conflict_token for one in after] == [one.conflict_token for one in before]


async def test_only_pruning_deletes_and_only_what_this_owner_made(client):
    await create_missing(client, [define("theirs", owner="other-worker")])
    await reconciler(client, define("old"), define("kept")).reconcile()
    async with asyncio.timeout(30):
        while len(await ids(client)) < 3:  # noqa: ASYNC110 (of another process)
            await asyncio.sleep(0.1)
    ours = reconciler(client, define("kept"))

    plan = await ours.plan()
    left = await ours.apply(plan)
    assert kinds(plan) == {"kept": "unchanged", "old": "orphaned"}
    assert (plan.pending(), plan.pending(prune=True)) == (False, True)
    assert left.ids([Outcome.KEPT]) == ("old",)
    pruned = await ours.apply(plan, prune=True)

    assert pruned.ids([Outcome.DELETED]) == ("old",)
    with pytest.raises(RPCError, match="not found"):
        await client.get_schedule_handle("old").describe()
    for kept in ("kept", "theirs"):
        await client.get_schedule_handle(kept).describe()


async def test_ten_processes_at_once_make_each_schedule_once_and_agree(client):
    before = [define(f"purge-{number}") for number in range(5)]
    after = [define(f"purge-{number}", cron="0 4 * * *", labels={"team": "ops"}) for number in range(5)]

    created = await asyncio.gather(*(reconciler(client, *before).reconcile() for _ in range(10)))
    updated = await asyncio.gather(*(reconciler(client, *after).reconcile() for _ in range(10)))

    assert all(report.complete for report in (*created, *updated))
    wanted = [f"purge-{number}" for number in range(5)]
    assert sorted(one for report in created for one in report.ids([Outcome.CREATED])) == wanted
    assert sorted(one for report in updated for one in report.ids([Outcome.UPDATED])) == wanted
    assert set(kinds(await reconciler(client, *after).plan()).values()) == {"unchanged"}


async def test_the_other_scheduler_of_the_server_comes_to_the_same(client_of_chasm):
    client = client_of_chasm
    definitions = [define(f"purge-{number}") for number in range(3)]
    changed = [define(f"purge-{number}", cron="0 4 * * *", note="new") for number in range(3)]

    created = await asyncio.gather(*(reconciler(client, *definitions).reconcile() for _ in range(10)))
    await client.get_schedule_handle("purge-1").pause(note="Held for the audit")
    updated = await asyncio.gather(*(reconciler(client, *changed).reconcile() for _ in range(10)))

    wanted = ["purge-0", "purge-1", "purge-2"]
    assert sorted(one for report in created for one in report.ids([Outcome.CREATED])) == wanted
    assert sorted(one for report in updated for one in report.ids([Outcome.UPDATED])) == wanted
    assert set(kinds(await reconciler(client, *changed).plan()).values()) == {"unchanged"}
    state = (await client.get_schedule_handle("purge-1").describe()).schedule.state
    assert (state.paused, state.note) == (True, "Held for the audit")


async def test_an_operators_pause_in_the_middle_of_updates_is_not_lost(client):
    await reconciler(client, define()).reconcile()
    handle = client.get_schedule_handle("purge")

    async def deploy() -> None:
        for minute in range(15):
            report = await reconciler(client, define(cron=f"{minute} 3 * * *")).reconcile()
            assert report.complete, report

    deploying = asyncio.create_task(deploy())
    for number in range(15):
        await handle.pause(note=f"pause {number}")
        found = (await handle.describe()).schedule.state
        assert (found.paused, found.note) == (True, f"pause {number}")
        await asyncio.sleep(0.02)
    await deploying

    found = await handle.describe()
    assert (found.schedule.state.paused, found.schedule.state.note) == (True, "pause 14")
    assert [one.minute[0].start for one in found.schedule.spec.calendars] == [14]


async def test_what_create_missing_keeps_is_what_a_reconciler_would_have_applied(client):
    slo = ScheduleSlo(margin=timedelta(minutes=7))
    made = define(slo=slo, labels={"team": "night"}, runbook="https://runbooks.example/purge", description="Purges")
    await create_missing(client, [made])

    assert (await read_schedule(client, "purge")).document.slo == slo
    plan = await reconciler(client, define(slo=slo, runbook="https://runbooks.example/new")).plan()

    changed = {change.field: change.new for change in plan.schedules[0].changes}
    assert changed == {"runbook": "https://runbooks.example/new", "labels": {}, "description": ""}
    assert plan.schedules[0].overrides == ()


async def test_a_schedule_that_the_sdk_made_is_taken_over_and_what_was_changed_stays(client):
    for made in (define("same"), define("changed")):
        await client.create_schedule(made.id, made.to_schedule(), memo=made.memo)
    await set_cron(client, "changed", "15 5 * * *")
    ours = reconciler(client, define("same"), define("changed"))

    plan = await ours.plan()
    report = await ours.apply(plan)

    assert kinds(plan) == {"same": "update", "changed": "update"}
    assert [one.reason for one in plan.schedules] == ["what is applied was not recorded yet"] * 2
    assert [one.changes for one in plan.schedules] == [(), ()]
    assert report.ids([Outcome.UPDATED]) == ("same", "changed")
    assert kinds(await ours.plan()) == {"same": "unchanged", "changed": "overridden"}
    assert fields((await reconciler(client, define("same", cron="0 4 * * *")).plan()).schedules[0]) == {
        "when": ({"cron": "30 2 * * *"}, {"cron": "0 4 * * *"})
    }


async def test_arguments_are_compared_by_what_they_say_and_not_by_their_ciphertext(client):
    sealed = replace(client.data_converter, payload_codec=FreshNonce())
    theirs = Client(client.service_client, namespace=client.namespace, data_converter=sealed)
    kind = TypedSearchAttributes([SearchAttributePair(KIND, "nightly")])
    said = {"run_memo": {"by": "us"}, "run_summary": "Purges", "run_details": "All", "run_search_attributes": kind}
    definition = define(args=({"days": 30},), **said)
    assert (await reconciler(theirs, definition).reconcile()).complete

    assert kinds(await reconciler(theirs, definition).plan()) == {"purge": "unchanged"}
    planned = (await reconciler(theirs, define(args=({"days": 7},), **said)).plan()).schedules[0]
    assert fields(planned)["args"] == ([{"days": 30}], [{"days": 7}])
    assert kinds(await reconciler(client, definition).plan()) == {"purge": "foreign"}


async def test_what_cannot_be_decrypted_is_foreign_or_refused_and_left_alone(client):
    class Broken(FreshNonce):
        async def decode(self, payloads):
            if any(b"hidden" in payload.data for payload in payloads):
                raise ZeroDivisionError("hunter2")
            return await super().decode(payloads)

    def with_codec(codec: PayloadCodec) -> Client:
        sealed = replace(client.data_converter, payload_codec=codec)
        return Client(client.service_client, namespace=client.namespace, data_converter=sealed)

    hidden = define(args=("hidden",))
    await reconciler(with_codec(FreshNonce()), hidden).reconcile()
    await Reconciler(with_codec(FreshNonce()), [define("b", owner="hidden")], owner="hidden", unserved=True).reconcile()
    blind = reconciler(with_codec(Broken()), define(args=("other",)), define("b"))

    plan = await blind.plan()
    report = await blind.apply(plan, prune=True)

    assert kinds(plan) == {"purge": "refused", "b": "foreign"}
    assert "cannot be compared: A payload cannot be decoded here (ZeroDivisionError)" in plan.schedules[0].reason
    assert "hunter2" not in plan.model_dump_json()
    assert report.ids([Outcome.REFUSED, Outcome.FOREIGN]) == ("purge", "b")
    assert kinds(await reconciler(with_codec(FreshNonce()), hidden).plan()) == {"purge": "unchanged"}


async def test_what_nobody_serves_is_refused_until_somebody_does(client):
    definition = define("purge"), define("typo", workflow="PurgWorkflow"), define("lost", task_queue="nobody")
    served = reconciler(client, *definition, unserved=False, registrations=Serves("PurgeWorkflow"))

    plan = await served.plan()
    report = await served.apply(plan)

    assert kinds(plan) == {"purge": "create", "typo": "refused", "lost": "refused"}
    assert plan.schedules[1].reason == (
        "workers of task queue 'system-queue' do not register workflow 'PurgWorkflow' but PurgeWorkflow; "
        "register it there, or name the queue on which it is"
    )
    assert "nobody polls task queue 'nobody' for workflows" in plan.schedules[2].reason
    assert report.ids([Outcome.REFUSED]) == ("typo", "lost")
    assert await ids(client) == ["purge"]
    assert kinds(await reconciler(client, define("lost", task_queue="nobody")).plan())["lost"] == "create"


@pytest.mark.parametrize(
    ("cron", "said"),
    [("61 * * * *", r"Minute is not in range \[0-59\]"), ("a b * * *", "Temporal refuses these times")],
)
async def test_what_the_server_refuses_is_refused_in_the_plan_and_leaves_nothing_behind(client, cron, said):
    plan = await reconciler(client, define(cron=cron), define("good")).plan()

    assert kinds(plan) == {"purge": "refused", "good": "create"}
    assert re.search(said, plan.schedules[0].reason)
    assert await ids(client) == []


@workflow.defn(name="PurgeWorkflow", sandboxed=False)
class PurgeWorkflow:
    @workflow.run
    async def run(self, request: Request) -> None:
        """Never started here."""


async def test_without_knowledge_of_registrations_a_queue_that_somebody_polls_is_enough(client):
    ours = reconciler(client, define(), unserved=False)
    before = await ours.plan()

    async with Worker(client, task_queue="system-queue", workflows=[PurgeWorkflow]), asyncio.timeout(30):
        while (report := await reconciler(client, define(), unserved=False).reconcile()).of(Outcome.REFUSED):  # noqa: ASYNC110
            await asyncio.sleep(0.1)

    assert kinds(before) == {"purge": "refused"}
    assert report.ids([Outcome.CREATED]) == ("purge",)


async def test_routing_by_an_interceptor_is_no_override(client):
    class Routed(OutboundInterceptor):
        async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:  # noqa: A002 (the SDK's)
            input.schedule.action.task_queue = "isolated-queue"
            return await super().create_schedule(input)

    class Routes(Interceptor):
        def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 (the SDK's)
            return Routed(next)

    routed = Client(
        client.service_client,
        namespace=client.namespace,
        data_converter=client.data_converter,
        interceptors=[Routes()],
    )

    await reconciler(routed, define()).reconcile()

    assert (await client.get_schedule_handle("purge").describe()).schedule.action.task_queue == "isolated-queue"
    assert kinds(await reconciler(routed, define()).plan()) == {"purge": "unchanged"}


async def test_a_record_that_another_tool_removed_is_written_again_and_nothing_else(client):
    await reconciler(client, define()).reconcile()

    def replaced(given: ScheduleUpdateInput) -> ScheduleUpdate:
        given.description.schedule.action = replaced_action
        given.description.schedule.spec = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(hours=1))])
        return ScheduleUpdate(given.description.schedule)

    replaced_action = define().to_schedule().action
    await client.get_schedule_handle("purge").update(replaced)
    report = await reconciler(client, define()).reconcile()

    [applied] = report.of(Outcome.UPDATED)
    assert (applied.changes, [one.field for one in applied.overrides]) == ((), ["when"])
    found = (await client.get_schedule_handle("purge").describe()).schedule
    assert found.spec.intervals == [ScheduleIntervalSpec(every=timedelta(hours=1))]


async def test_a_plan_compares_the_ticks_of_a_month_where_times_change(client):
    await reconciler(client, define("moved"), define("same")).reconcile()

    plan = await reconciler(
        client, define("moved", cron="0 4 * * *"), define("same", note="new"), define("new", cron="@daily")
    ).plan(days=30)

    moved, same, new = plan.schedules
    assert (len(moved.fires.moved), len(moved.fires.added), len(moved.fires.removed)) == (30, 0, 0)
    assert all(pair.after - pair.before == timedelta(minutes=90) for pair in moved.fires.moved)
    assert (same.fires, [change.field for change in same.changes]) == (None, ["note"])
    assert (len(new.fires.added), new.fires.unchanged) == (30, 0)
    assert sorted(one for one in await ids(client) if not one.startswith("trenova-preview-")) == ["moved", "same"]


async def test_what_a_definition_says_is_read_back_by_whoever_reads_the_schedule(client):
    definition = define(
        description="Purges", labels={"team": "ops"}, runbook="https://runbooks.test/", backfill="never", note="Nightly"
    )
    await reconciler(client, definition).reconcile()
    document = (await read_schedule(client, "purge")).document

    assert (document.owner, document.cron, document.note) == (OWNER, "30 2 * * *", "Nightly")
    assert (document.description, document.labels) == ("Purges", {"team": "ops"})
    assert (document.runbook, document.slo, document.backfill) == (
        "https://runbooks.test/",
        ScheduleSlo(),
        BackfillPolicy.NEVER,
    )
    assert document.revision is not None
    assert document.unreadable == ()


async def test_a_plan_of_another_owner_is_not_applied(client):
    plan = await reconciler(client, define()).plan()

    with pytest.raises(ConfigurationError, match="plan is that of 'system-worker'"):
        await Reconciler(client, [], owner="other-worker").apply(plan)
    with pytest.raises(ConfigurationError, match="belongs to 'system-worker' and not to 'other-worker'"):
        Reconciler(client, [define()], owner="other-worker")
    with pytest.raises(ConfigurationError, match="'purge' defined more than once"):
        reconciler(client, define(), define())


async def test_a_plan_survives_a_file(client):
    plan = await reconciler(client, define()).plan()

    again = Plan.model_validate_json(plan.model_dump_json(by_alias=True))

    assert json.loads(plan.model_dump_json(by_alias=True))["schedules"][0]["kind"] == "create"
    assert (await reconciler(client, define()).apply(again)).ids([Outcome.CREATED]) == ("purge",)
