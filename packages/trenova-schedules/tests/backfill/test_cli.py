import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from datetime import timedelta

import pytest
from schedules_command import typed

from trenova_schedules._tick import Tick
from trenova_schedules.store import ScheduleStore, StoreOptions, migrate

pytestmark = pytest.mark.integration


@dataclass
class Command:
    """``trenova-schedules backfill`` with the test's server."""

    environ: dict[str, str]

    async def __call__(self, *words: str) -> tuple[int, str, str]:
        """Run it to its end; what waits listens to signals, so it needs a process of its own."""
        if "--wait" in words:
            return await outcome(await self.begin(*words))
        return await typed(self.environ, "backfill", *words)

    async def begin(self, *words: str) -> asyncio.subprocess.Process:
        """Start it in a process of its own, which can be sent signals."""
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from trenova_schedules.cli import main; main()", "backfill", *words),
            env=os.environ | self.environ,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


@pytest.fixture
def command(site, address):

    return Command({"TEMPORAL_ADDRESS": address, "COLUMNS": "200", "TRENOVA_CODECS_PLAIN": "1"})


async def outcome(process) -> tuple[int, str, str]:
    async with asyncio.timeout(60):
        out, errors = await process.communicate()
    return process.returncode, out.decode(), errors.decode()


def a_range(site, minutes=10) -> list[str]:
    start = site.hours_ago(2)
    words = ["--from", start.isoformat(), "--to", (start + timedelta(minutes=minutes)).isoformat()]
    return [*words, "--reason", "The server was down", "--by", "ana", "--task-queue", site.queue]


async def test_a_dry_run_shows_what_would_be_done_and_does_nothing(site, command):
    schedule = await site.make()

    status, shown, _ = await command(schedule.id, *a_range(site), "--dry-run")
    _, as_json, _ = await command(schedule.id, *a_range(site), "--dry-run", "--json")

    assert status == 0
    assert "10; each is started" in shown
    assert json.loads(as_json)["planned"] == 10
    assert not await site.runs_of(schedule)


async def test_a_ledger_is_asked_where_a_database_is_named(site, command, tmp_path):
    schedule = await site.make()
    start = site.hours_ago(30)
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    async with ScheduleStore.open(StoreOptions(url=url)) as store:
        await migrate(store)
        tick = {"schedule_id": schedule.id, "at": start, "class": "on_time", "started_at": start, "observed_at": start}
        await store.ticks.upsert([Tick.model_validate(tick)])
    words = ["--from", start.isoformat(), "--to", (start + timedelta(minutes=3)).isoformat(), "--reason", "r"]

    status, shown, _ = await command(schedule.id, *words, "--older", "run", "--dry-run", "--url", url)

    assert status == 0
    assert "2; each is started" in shown
    assert "visibility and ledger" in shown


async def test_a_backfill_is_waited_for_and_its_result_said(site, command):
    schedule = await site.make()
    async with site.worker():
        status, shown, errors = await command(schedule.id, *a_range(site), "--yes", "--wait", "--rate", "0")
        found = await site.runs_of(schedule)

    assert (status, errors) == (0, "")
    assert "100%" in shown
    assert "10 of 10 ticks, 10 started" in shown
    assert "Of 10 ticks, 0 had a run and 10 were started; by visibility, none is without a run" in shown
    assert found == site.each_minute(10)


async def test_holes_end_the_command_with_3(site, command):
    schedule = await site.make()
    start = site.hours_ago(30)
    asked = ["--from", start.isoformat(), "--to", (start + timedelta(minutes=3)).isoformat(), "--older", "skip"]
    words = [*asked, "--reason", "r", "--task-queue", site.queue, "--yes", "--wait"]
    async with site.worker():
        status, shown, _ = await command(schedule.id, *words)
        refused, _, why = await command(schedule.id, *words, "--older", "refuse")

    assert status == 3
    assert "3 have none" in shown
    assert f"{start.isoformat()}  skipped" in shown
    assert refused == 1
    assert "nobody knows whether they ran" in why


async def test_the_command_steers_and_ctrl_c_leaves_the_backfill_alone(site, command):
    schedule = await site.make()
    async with site.worker():
        words = [*a_range(site, 110), "--yes", "--key", "k", "--rate", "2"]
        _, begun, _ = await command(schedule.id, *words)
        backfill = f"backfill/{schedule.id}/k"
        for seconds in (3, 10, 20):  # one that is interrupted before it watches has nothing to say
            watching = await command.begin("status", backfill, "--wait")
            await asyncio.sleep(seconds)
            watching.send_signal(signal.SIGINT)
            left, _, how = await outcome(watching)
            if how:
                break
        _, paused, _ = await command("pause", backfill, "--reason", "They complain", "--by", "ana")
        _, faster, _ = await command("limits", backfill, "--rate", "1", "--by", "ana")
        _, told, _ = await command("status", backfill)
        _, resumed, _ = await command("resume", backfill, "--by", "ana", "--json")
        _, ended, _ = await command("cancel", backfill, "--reason", "Wrong range", "--by", "ana")
        status, _, why = await command("status", backfill, "--wait")
        _, listed, _ = await command("list", schedule.id, "--json")

    assert f"Backfill {backfill}" in begun
    assert left == 130
    assert f"The backfill goes on. Follow it: trenova-schedules backfill status {backfill} --wait" in how
    assert paused == "Paused by ana (claimed): They complain.\n"
    assert faster == "Limits changed by ana (claimed): 1 starts per second.\n"
    assert "1. Paused by ana (claimed): They complain." in told
    assert json.loads(resumed)["applied"]
    assert ended == "Canceled by ana (claimed): Wrong range.\n"
    assert status == 1
    assert why == "The backfill was canceled by ana (claimed): Wrong range.\n"
    assert [(one["id"], one["scheduleId"], one["state"]) for one in json.loads(listed)] == [
        (backfill, schedule.id, "CANCELED")
    ]


@pytest.mark.slow
async def test_nothing_is_started_where_nothing_is_due_and_another_request_under_a_key_is_told_apart(site, command):
    schedule = await site.make()
    async with site.worker():
        words = [*a_range(site), "--rate", "0"]
        await command(schedule.id, *words, "--yes", "--wait", "--key", "k")
        status, _, why = await command(schedule.id, *words)
        other, _, differs = await command(
            schedule.id, *words, "--yes", "--key", "k", "--policy", "all", "--concurrency", "3"
        )
        _, listed, _ = await command("list", schedule.id, "--json")
        _, shown, _ = await command(schedule.id, *words, "--dry-run", "--policy", "all")

    assert status == 0
    assert "Nothing is due, so nothing was started" in why
    assert other == 4
    assert "which differs in concurrency, policy. Use a new key" in differs
    assert len(json.loads(listed)) == 1
    assert "not looked at: all are run" in shown


async def test_the_audit_trail_has_who_started_and_steered_it(site, command, tmp_path):
    schedule, url = await site.make(), f"sqlite:///{tmp_path / 'store.db'}"
    async with ScheduleStore.open(StoreOptions(url=url)) as store:
        await migrate(store)
        async with site.worker():
            words = [*a_range(site, 60), "--yes", "--key", "k", "--rate", "1", "--url", url]
            await command(schedule.id, *words)
            backfill = f"backfill/{schedule.id}/k"
            await command("pause", backfill, "--reason", "They complain", "--by", "ana", "--url", url)
            await command("cancel", backfill, "--reason", "Wrong", "--by", "ana", "--url", url)
            await command("resume", backfill, "--by", "ana", "--url", url)
        entries = (await store.audit.read()).entries
    told = [(one.action, one.schedule_id, one.outcome, one.actor, one.reason) for one in reversed(entries)]
    assert told == [
        ("backfill.start", schedule.id, "done", "ana (claimed)", "The server was down"),
        ("backfill.pause", schedule.id, "done", "ana (claimed)", "They complain"),
        ("backfill.cancel", schedule.id, "done", "ana (claimed)", "Wrong"),
        ("backfill.resume", schedule.id, "refused", "ana (claimed)", None),
    ]


async def test_what_was_typed_wrongly_is_said(command):
    status, _, errors = await command("any", "--from", "noon", "--to", "2026-01-01", "--reason", "r")
    reversed_, _, why = await command("any", "--from", "2026-01-02", "--to", "2026-01-01", "--reason", "r")

    assert status == 2
    assert "'noon' is no time" in errors
    empty, _, nothing = await command("any", "--from", "2026-01-02", "--to", "2026-01-02", "--reason", "r")
    limits, _, bound = await command("limits", "backfill/any/k", "--concurrency", "999")
    neither, _, what = await command("limits", "backfill/any/k")

    assert empty == 1
    assert "begins and ends at 2026-01-02T00:00:00+00:00, and its end is left out" in nothing
    assert (limits, neither) == (2, 2)
    assert "less than or equal to 200" in bound
    assert "say what to change" in what
    assert "Traceback" not in bound + nothing + what
    assert reversed_ == 1
    assert "before it begins (2026-01-02T00:00:00+00:00); exchange the two" in why
