import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from backfill_site import Site
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, ScheduleOverlapPolicy, SchedulePolicy
from temporalio.common import Priority
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import PayloadCodec

from trenova_errors import ConflictError, ErrorsPlugin
from trenova_schedules.backfill import BACKFILL_MEMO, preview_backfill

pytestmark = pytest.mark.integration


class NoncedCodec(PayloadCodec):
    """Writes the same value otherwise each time, as encryption does."""

    async def encode(self, payloads):
        return [
            Payload(metadata={"encoding": b"binary/nonced"}, data=os.urandom(8) + payload.SerializeToString())
            for payload in payloads
        ]

    async def decode(self, payloads):
        return [
            Payload.FromString(payload.data[8:]) if payload.metadata["encoding"] == b"binary/nonced" else payload
            for payload in payloads
        ]


SKIP = SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP)


async def test_a_paused_schedule_gets_a_run_for_each_tick_and_no_other(site):
    schedule = await site.make()
    async with site.worker():
        result = await site.backfilled(schedule)
        found = await site.runs_of(schedule)

    assert found == site.each_minute(10)
    assert (result.planned, result.started.started, result.started.had_run) == (10, 10, 0)
    assert (result.done, result.verified.holes, result.holes) == (True, 0, [])
    assert result.evidence == "visibility"
    assert "by visibility, none is without a run" in result.result
    assert (await schedule.describe()).schedule.state.paused


async def test_the_preview_is_what_the_backfill_does(site):
    schedule = await site.make()
    preview = await preview_backfill(site.client, site.ask(schedule))
    async with site.worker():
        result = await site.backfilled(schedule, digest=preview.digest)

    assert (preview.planned, preview.judged.due, preview.mode) == (10, 10, "each")
    assert result.digest == preview.digest
    assert preview.times == sorted(at for at, _ in site.each_minute(10))


async def test_missing_leaves_alone_what_has_any_run_and_fills_the_rest(site):
    schedule = await site.make("fail")
    async with site.worker():
        await site.backfilled(schedule, minutes=5)
        await site.tell(schedule, "done")
        await site.runs_of(schedule)
        result = await site.backfilled(schedule)
        found = await site.runs_of(schedule)

    assert found == site.each_minute(5, "FAILED") + site.each_minute(5, after=5)
    assert (result.started.started, result.started.had_run, result.verified.failed) == (5, 5, 5)
    assert result.done
    assert "5 have failed" in result.result


async def test_missing_and_failed_runs_what_failed_again_and_nothing_that_completed(site):
    schedule = await site.make()
    half = site.hours_ago(2) + timedelta(minutes=5)
    async with site.worker():
        await site.backfilled(schedule, start_at=half)
        await site.tell(schedule, "fail")
        await site.backfilled(schedule, end_at=half)
        await site.tell(schedule, "done")
        await site.runs_of(schedule)
        result = await site.backfilled(schedule, policy="missing_and_failed")
        found = await site.runs_of(schedule)

    assert found == site.each_minute(10) + site.each_minute(5, "FAILED")
    assert (result.started.started, result.started.had_run, result.verified.failed) == (5, 5, 0)


@pytest.mark.slow
async def test_all_runs_every_tick_once_more(site):
    schedule = await site.make()
    async with site.worker():
        await site.backfilled(schedule)
        await site.runs_of(schedule)
        result = await site.backfilled(schedule, policy="all")
        found = await site.runs_of(schedule)

    assert found == site.each_minute(10) + site.each_minute(10)
    assert result.started.started == 10


async def test_neighbouring_ranges_share_no_tick(site):
    schedule = await site.make()
    half = site.hours_ago(2) + timedelta(minutes=5)
    async with site.worker():
        first = await site.backfilled(schedule, end_at=half)
        second = await site.backfilled(schedule, start_at=half)

    assert (first.started.started, second.started.started, second.started.had_run) == (5, 5, 0)


async def test_a_run_is_like_the_schedules_own_but_for_its_priority(site):
    like = {"memo": {"asked": {"by": "the schedule"}}, "static_summary": "Purge", "priority": Priority(priority_key=1)}
    schedule = await site.make(action=like)
    async with site.worker():
        await schedule.trigger()
        await site.backfilled(schedule)
        await site.runs_of(schedule)
    started = (await schedule.describe()).info.recent_actions[0].action.workflow_id
    own = await site.client.get_workflow_handle(started).describe()
    run = await site.client.get_workflow_handle(f"{schedule.id}-{site.hours_ago(2):%Y-%m-%dT%H:%M:%SZ}").describe()

    memo = dict(await run.memo())
    assert memo.pop(BACKFILL_MEMO)["backfill"].startswith(f"backfill/{schedule.id}/")
    assert memo == await own.memo()
    assert (await run.static_summary(), run.workflow_type, run.task_queue) == ("Purge", "NumberWorkflow", site.queue)
    keys = {pair.key.name for pair in run.typed_search_attributes}
    assert keys == {pair.key.name for pair in own.typed_search_attributes}
    priority = run.raw_description.workflow_execution_info.priority
    assert (priority.priority_key, priority.fairness_key) == (5, f"backfill/{schedule.id}")


async def test_a_tick_that_is_running_is_not_run_a_second_time(site):
    schedule = await site.make("3")
    async with site.worker():
        first = await site.backfilled(schedule)
        second = await site.backfilled(schedule, policy="all")

    assert (first.started.started, first.verified.running) == (10, 10)
    assert (second.started.started, second.started.had_run) == (0, 10)


async def test_no_two_runs_are_open_at_once_where_the_schedule_skips_overlaps(site):
    schedule = await site.make("1", policy=SKIP)
    async with site.worker():
        await schedule.trigger()  # a run that is not the backfill's counts too
        await site.runs_of(schedule)
        await site.backfilled(schedule, minutes=3)
        await asyncio.sleep(2)
    events = []
    async for run in site.client.list_workflows(f"TemporalScheduledById = '{schedule.id}'"):
        events += [(run.start_time, 1), (run.close_time or datetime.max.replace(tzinfo=UTC), -1)]
    depth = [0]
    for _, step in sorted(events):
        depth.append(depth[-1] + step)

    assert len(events) == 8
    assert max(depth) == 1


async def test_a_rate_is_kept_from_start_to_start(site):
    schedule = await site.make()
    async with site.worker():
        await site.backfilled(schedule, rate_per_second=4.0)
        await site.runs_of(schedule)
    listed = site.client.list_workflows(f"TemporalScheduledById = '{schedule.id}'")
    began = sorted([run.start_time async for run in listed])

    assert (began[-1] - began[0]).total_seconds() >= 9 * 0.25 * 0.95
    assert min(later - earlier for earlier, later in pairwise(began)) >= timedelta(seconds=0.1)


async def test_one_key_makes_one_backfill(site):
    schedule = await site.make()
    async with site.worker():
        first = await site.start(schedule, key="once")
        await first.result()
        again = await site.start(schedule, key="once", by="bob")
        with pytest.raises(ConflictError, match="already used for another backfill"):
            await site.start(schedule, key="once", minutes=5)

    assert again.id == first.id == f"backfill/{schedule.id}/once"
    await site.runs_of(schedule)
    assert (await site.client.count_workflows(f"WorkflowId = '{first.id}'")).count == 1


async def test_payloads_of_the_schedule_are_passed_on_as_they_are_encrypted(address):
    converter = replace(pydantic_data_converter, payload_codec=NoncedCodec())
    site = Site(await Client.connect(address, plugins=[ErrorsPlugin()], data_converter=converter))
    schedule = await site.make("done", action={"memo": {"asked": "by people"}, "static_summary": "Purge"})
    async with site.worker():
        await site.backfilled(schedule)
    kept = (await schedule.describe()).raw_description.schedule.action.start_workflow
    run = site.client.get_workflow_handle(f"{schedule.id}-{site.hours_ago(2):%Y-%m-%dT%H:%M:%SZ}")
    first = await anext(aiter(run.fetch_history_events()))
    started = first.workflow_execution_started_event_attributes

    assert kept.input.payloads[0].metadata["encoding"] == b"binary/nonced"
    assert list(started.input.payloads) == list(kept.input.payloads)
    assert started.memo.fields["asked"] == kept.memo.fields["asked"]
    assert started.memo.fields[BACKFILL_MEMO].metadata["encoding"] == b"binary/nonced"
    assert first.user_metadata.summary == kept.user_metadata.summary
