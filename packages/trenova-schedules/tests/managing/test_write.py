import asyncio
from datetime import timedelta

import pytest
from temporalio.client import (
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
)

from trenova_errors import InvalidInputError, ResourceNotFoundError
from trenova_schedules._managing import write_schedule
from trenova_schedules._reading import ScheduleConflictError, read_schedule

pytestmark = pytest.mark.integration

DAILY = ScheduleSpec(calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(2)])])
EVERY_SECOND = ScheduleSpec(intervals=[ScheduleIntervalSpec(every=timedelta(seconds=1))])


async def create(client, spec=DAILY, state=None, schedule_id="s"):
    await client.create_schedule(
        schedule_id,
        Schedule(
            action=ScheduleActionStartWorkflow("W", "secret", id=schedule_id, task_queue="q", memo={"theirs": 1}),
            spec=spec,
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL, catchup_window=timedelta(hours=1)),
            state=state or ScheduleState(),
        ),
    )
    return await read_schedule(client, schedule_id)


def noting(text):
    def change(schedule):
        schedule.state.notes = text

    return change


async def ten_writers(client, rounds):
    """Each round ten read the same schedule and add a name of their own to the note; returns who won, in order."""
    await create(client)
    won = []
    for number in range(rounds):
        snapshot = await read_schedule(client, "s")

        async def attempt(writer, snapshot=snapshot, number=number):
            name = f"{number}/{writer}"
            note = " ".join([*snapshot.document.note.split()[-3:], name])
            try:
                after = await write_schedule(client, snapshot, noting(note), identity=name)
            except ScheduleConflictError as error:
                return None if error.current.note != note else f"{name} lost to itself"
            assert after.document.note == note
            return name

        outcomes = [name for name in await asyncio.gather(*map(attempt, range(10))) if name]
        assert len(outcomes) == 1, f"round {number}: {outcomes} believe that they won"
        won += outcomes
        seen = (await read_schedule(client, "s")).document.note.split()
        assert seen == won[-4:], f"round {number}: {seen} is there, {won[-4:]} were told that it would be"
    return won


@pytest.mark.slow
async def test_of_ten_writers_at_once_one_wins_and_the_others_are_told(client):
    assert len(await ten_writers(client, 30)) == 30


async def test_of_ten_writers_at_once_one_wins_on_the_chasm_scheduler_too(chasm_client):
    assert len(await ten_writers(chasm_client, 30)) == 30


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_in_five_hundred_rounds_of_ten_writers_no_change_is_lost(client):
    assert len(await ten_writers(client, 500)) == 500


async def test_a_write_changes_what_was_asked_and_nothing_else(client):
    before = await create(client, state=ScheduleState(note="held", paused=True))

    after = await write_schedule(client, before, noting("freed"), identity="me", memo={"trenova.applied": "x"})

    assert after.document.revision == after.revisions[0] is not None
    assert after.document.etag != before.document.etag
    start = after.raw.schedule.action.start_workflow
    assert set(start.memo.fields) == {"theirs", "trenova.revision", "trenova.applied"}
    assert start.input == before.raw.schedule.action.start_workflow.input
    expected = before.document.model_copy(update={"note": "freed"})
    differing = {name for name in expected.model_fields_set if getattr(after.document, name) != getattr(expected, name)}
    assert differing == {"etag", "revision", "updated_at"}


async def test_a_cron_replaces_the_calendars_that_were_there(client):
    before = await create(client)

    after = await write_schedule(
        client, before, lambda schedule: schedule.spec.cron_string.append("15 4 * * 1"), identity="me"
    )

    (calendar,) = after.document.calendars
    assert (calendar.minute, calendar.hour, calendar.day_of_week) == ("15", "4", "1")


async def test_a_second_write_on_what_the_first_one_saw_is_a_conflict_that_shows_what_is_there(client):
    before = await create(client)
    await write_schedule(client, before, noting("first"), identity="me")

    with pytest.raises(ScheduleConflictError, match="'s' was changed by somebody else") as caught:
        await write_schedule(client, before, noting("second"), identity="me")

    assert caught.value.current.note == "first"
    assert caught.value.facts == {"schedule_id": "s", "etag": caught.value.current.etag}


async def test_a_pause_by_another_tool_is_a_conflict_too(client):
    before = await create(client)
    await client.get_schedule_handle("s").pause(note="by hand")

    with pytest.raises(ScheduleConflictError) as caught:
        await write_schedule(client, before, noting("mine"), identity="me")

    assert (caught.value.current.paused, caught.value.current.note) == (True, "by hand")


@pytest.mark.parametrize("limited", [False, True])
async def test_ticks_change_no_etag_and_are_no_conflict(client, limited):
    before = await create(client, EVERY_SECOND, ScheduleState(limited_actions=limited, remaining_actions=9 * limited))
    for _ in range(100):
        current = await read_schedule(client, "s")
        if current.document.counts.actions >= 2:
            break
        await asyncio.sleep(0.1)
    assert current.document.counts.actions >= 2
    assert current.document.etag == before.document.etag

    after = await write_schedule(client, before, noting("mine"), identity="me")

    assert after.document.note == "mine"
    if limited:
        assert after.document.remaining_actions + after.document.counts.actions == 9


async def test_what_the_server_refuses_is_said_in_its_words_and_changes_nothing(client):
    before = await create(client)

    with pytest.raises(InvalidInputError, match="Minute is not in range"):
        await write_schedule(client, before, lambda one: one.spec.cron_string.append("61 * * * *"), identity="me")

    assert (await read_schedule(client, "s")).document == before.document


async def test_a_schedule_that_is_gone_is_named(client):
    before = await create(client)
    await client.get_schedule_handle("s").delete()

    with pytest.raises(ResourceNotFoundError, match="No schedule with id 's'"):
        await write_schedule(client, before, noting("mine"), identity="me")
    with pytest.raises(ResourceNotFoundError, match="No schedule with id 'nope'"):
        await read_schedule(client, "nope")
