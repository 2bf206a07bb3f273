"""How fast a backfill starts runs, by how fast one client starts the same ones.

Both start as many runs of one workflow, with the same search attributes, on one server whose database is a file, twenty
requests at a time; nobody takes the runs, so that only starts are measured. The rate is that of the server's own clock,
from the first start to the last. Which comes first changes with every round. Exits 1 when the target is missed;
``--quick`` starts too few to judge by.
"""

import argparse
import asyncio
import statistics
import sys
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.common import Priority, SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from trenova_errors import ErrorsPlugin
from trenova_schedules.backfill import BackfillActivities, BackfillRequest, BackfillScheduleWorkflow, start_backfill

LEAST = 0.9
PARALLEL = 20
EVERY = timedelta(seconds=10)
_BY = SearchAttributeKey.for_keyword("TemporalScheduledById")
_AT = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
_WAL = ("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1")


@dataclass(frozen=True)
class Round:
    """What one way reached.

    Attributes:
        per_second: From the first start to the last, by the server's clock.
        seconds: All of it, by the clock here; of a backfill with its plan and its verification.
    """

    per_second: float
    seconds: float


async def by_client(client: Client, name: str, times: Sequence[datetime]) -> Round:
    """Start a run for each time, as one client does."""
    lanes = asyncio.Semaphore(PARALLEL)

    async def start(at: datetime) -> None:
        async with lanes:
            await client.start_workflow(
                "NobodyWorkflow",
                "an argument",
                id=f"{name}-{at:%Y-%m-%dT%H:%M:%SZ}",
                task_queue="nobody",
                search_attributes=TypedSearchAttributes([SearchAttributePair(_BY, name), SearchAttributePair(_AT, at)]),
                memo={"asked": "by the bench"},
                priority=Priority(priority_key=5, fairness_key="bench"),
            )

    began = time.monotonic()
    await asyncio.gather(*map(start, times))
    return await _round(client, name, len(times), time.monotonic() - began)


async def by_backfill(client: Client, name: str, times: Sequence[datetime]) -> Round:
    """Start the same by a backfill of a schedule."""
    action = ScheduleActionStartWorkflow("NobodyWorkflow", "an argument", id=name, task_queue="nobody")
    schedule = Schedule(
        action=action,
        spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=EVERY)]),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.ALLOW_ALL),
        state=ScheduleState(paused=True),
    )
    await client.create_schedule(name, schedule)
    request = BackfillRequest(
        schedule_id=name,
        start_at=times[0],
        end_at=times[-1] + timedelta(seconds=1),
        rate_per_second=0.0,
        reason="A measurement",
        by="bench",
    )
    began = time.monotonic()
    handle = await start_backfill(client, request)
    result = await handle.result()
    if not result.done or result.started.started != len(times):
        raise RuntimeError(f"The backfill did not start what it should: {result.result}")
    return await _round(client, name, len(times), time.monotonic() - began)


async def _round(client: Client, name: str, many: int, seconds: float) -> Round:
    async with asyncio.timeout(30):
        while (await client.count_workflows(f"TemporalScheduledById = '{name}'")).count < many:  # noqa: ASYNC110
            await asyncio.sleep(0.2)
    began = [run.start_time async for run in client.list_workflows(f"TemporalScheduledById = '{name}'")]
    return Round((many - 1) / (max(began) - min(began)).total_seconds(), seconds)


async def bench(client: Client, runs: int, rounds: int) -> bool:
    """Measure both ways, print the table, and say whether the target is met."""
    first = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - runs * EVERY
    times = [first + number * EVERY for number in range(runs)]
    ways = {"a client": by_client, "a backfill": by_backfill}
    found: dict[str, list[Round]] = {way: [] for way in ways}
    for number in range(rounds):
        order = list(ways)
        for way in reversed(order) if number % 2 else order:
            one = await ways[way](client, f"bench-{uuid.uuid4().hex[:8]}", times)
            found[way].append(one)
            print(f"  round {number + 1} of {rounds}: {way}: {one.per_second:,.0f}/s, {one.seconds:.1f} s", flush=True)
    print(f"\n{runs:,} runs, {rounds} rounds; min / median / max\n")
    for way, done in found.items():
        rates, lengths = [one.per_second for one in done], [one.seconds for one in done]
        print(f"{way:12} {_spread(rates, ',.0f')} starts/s   {_spread(lengths, '.1f')} s in all")
    ratios = [ours.per_second / bare.per_second for bare, ours in zip(*found.values(), strict=True)]
    held = statistics.median(ratios) >= LEAST
    print(
        f"\n{'ok    ' if held else 'MISSED'} rate of a backfill, by that of a client: {_spread(ratios, '.2f')} "
        f"(wanted: at least {LEAST})"
    )
    return held


def _spread(values: Sequence[float], form: str) -> str:
    return " / ".join(f"{value:{form}}" for value in (min(values), statistics.median(values), max(values)))


async def measure(runs: int, rounds: int) -> bool:
    """Start a server and a worker, and measure."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    with tempfile.TemporaryDirectory() as folder:
        async with await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(binary),
            dev_server_database_filename=str(Path(folder) / "t.db"),
            dev_server_extra_args=list(_WAL),
            dev_server_log_level="never",
        ) as environment:
            address = environment.client.service_client.config.target_host
            client = await Client.connect(address, plugins=[ErrorsPlugin()])
            activities = BackfillActivities().all
            async with Worker(
                client, task_queue="system-queue", workflows=[BackfillScheduleWorkflow], activities=activities
            ):
                return await bench(client, runs, rounds)


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that everything works, in less than a minute")
    parser.add_argument("--runs", type=int, help="3,000, or 300 with --quick; at most 8,000, which is a day")
    parser.add_argument("--rounds", type=int, help="5, or 1 with --quick")
    given = parser.parse_args()
    runs = given.runs or (300 if given.quick else 3_000)
    held = asyncio.run(measure(runs, given.rounds or (1 if given.quick else 5)))
    return 0 if held or given.quick else 1


if __name__ == "__main__":
    sys.exit(main())
