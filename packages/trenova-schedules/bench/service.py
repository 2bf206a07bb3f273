"""What the management service adds to the server's own calls, when it lists and describes schedules.

A server of this program's own holds the schedules. Each round times the server's calls and the service's at the same
concurrency, a few in turn, so that what else the machine does meets both; which comes first changes. Exits 1 when a
target is missed; ``--quick`` has too few schedules to judge by.
"""

import argparse
import asyncio
import os
import statistics
import sys
import sysconfig
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple, TypeAlias

from temporalio.api.workflowservice.v1 import DescribeScheduleRequest, ListSchedulesRequest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from trenova_schedules import ScheduleDefinition, ScheduleService, create_missing

Work: TypeAlias = Callable[[], Awaitable[int]]

MOST: Final = 1.3
"""How many times as long as the server's own calls the service's may take."""
PAGE: Final = 1000


CHUNK: Final = 50
LISTS: Final = 5


class Pair(NamedTuple):
    """The same work in both ways, in parts that each take a moment."""

    what: str
    bare: Sequence[Work]
    ours: Sequence[Work]


async def fill(client: Client, count: int) -> list[str]:
    """Create schedules as services do, twenty at a time."""
    made = [
        ScheduleDefinition(
            id=f"bench-{number:05}",
            workflow="BenchWorkflow",
            task_queue="bench-queue",
            cron=f"{number % 60} {number % 24} * * *",
            time_zone="Europe/Berlin",
            catchup_window=timedelta(hours=1),
            owner="bench",
        )
        for number in range(count)
    ]
    await asyncio.gather(*(create_missing(client, made[start::20]) for start in range(20)))
    async with asyncio.timeout(60):
        while await bare_list(client) < count:  # noqa: ASYNC110 - the server's list is late, and nobody tells
            await asyncio.sleep(0.2)
    return [one.id for one in made]


async def bare_list(client: Client) -> int:
    """List everything by the server's own call; return how many there are."""
    token, found = b"", 0
    while True:
        request = ListSchedulesRequest(namespace=client.namespace, maximum_page_size=PAGE, next_page_token=token)
        answer = await client.workflow_service.list_schedules(request)
        found += len(answer.schedules)
        if not (token := answer.next_page_token):
            return found


async def each(ids: Sequence[str], at_once: int, do: Callable[[str], Awaitable[object]]) -> int:
    """Do something with each schedule, so many at a time."""
    limit = asyncio.Semaphore(at_once)

    async def one(schedule_id: str) -> None:
        async with limit:
            await do(schedule_id)

    await asyncio.gather(*map(one, ids))
    return len(ids)


def pairs(client: Client, ids: Sequence[str], at_once: int) -> list[Pair]:
    """Return what is measured."""
    service = ScheduleService(client=client, at_once=at_once)

    async def listed() -> int:
        return len((await service.list(limit=10_000)).schedules)

    async def bare_describe(schedule_id: str) -> object:
        request = DescribeScheduleRequest(namespace=client.namespace, schedule_id=schedule_id)
        return await client.workflow_service.describe_schedule(request)

    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    return [
        Pair("list", [partial(bare_list, client)] * LISTS, [listed] * LISTS),
        Pair(
            f"describe, {at_once} at once",
            [partial(each, chunk, at_once, bare_describe) for chunk in chunks],
            [partial(each, chunk, at_once, service.describe) for chunk in chunks],
        ),
    ]


async def timed(work: Work) -> tuple[float, int]:
    """Return the seconds that it took, and how many schedules it was about."""
    begun = time.perf_counter()
    found = await work()
    return time.perf_counter() - begun, found


async def measure(pair: Pair, rounds: int) -> tuple[list[float], list[float]]:
    """Return the seconds of each round in both ways, after one round that does not count."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        taken, found = [0.0, 0.0], [0, 0]
        for part, works in enumerate(zip(pair.bare, pair.ours, strict=True)):
            for way in (0, 1) if (part + number) % 2 else (1, 0):
                one, count = await timed(works[way])
                taken[way] += one
                found[way] += count
        if found[0] != found[1]:
            raise RuntimeError(f"{found} schedules in the two ways; the figures would mean nothing.")
        if number:
            for way in (0, 1):
                seconds[way].append(taken[way])
    return seconds


def spread(values: Sequence[float], form: str) -> str:
    """Return ``min / median / max``."""
    return " / ".join(f"{value:{form}}" for value in (min(values), statistics.median(values), max(values)))


async def bench(count: int, at_once: int, rounds: int) -> bool:
    """Fill a server, measure, print, and return whether the targets hold."""
    binary = sysconfig.get_path("scripts") + "/temporal"
    held = True
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=binary, dev_server_log_level="error"
    ) as environment:
        ids = await fill(environment.client, count)
        print(f"{count} schedules, {rounds} rounds; min / median / max")
        for pair in pairs(environment.client, ids, at_once):
            bare, ours = await measure(pair, rounds)
            ratios = [mine / server for mine, server in zip(ours, bare, strict=True)]
            good = statistics.median(ratios) <= MOST
            held = held and good
            print(f"  {pair.what}: the server's {spread(bare, '.3f')} s, ours {spread(ours, '.3f')} s")
            word = "ok    " if good else "MISSED"
            print(f"{word} {pair.what}, ratio: {spread(ratios, '.2f')} (wanted: at most {MOST})", flush=True)
    return held


def main() -> int:
    """Measure, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="see that everything works, in less than a minute")
    parser.add_argument("--schedules", type=int, help="how many (1,000, or 100 with --quick)")
    parser.add_argument("--at-once", type=int, default=16, help="requests under way (16)")
    parser.add_argument("--rounds", type=int, help="5, or 2 with --quick")
    given = parser.parse_args()
    count, rounds = given.schedules or (100 if given.quick else 1000), given.rounds or (2 if given.quick else 5)
    if min(count, rounds, given.at_once) < 1:
        parser.error("schedules, rounds and requests are at least 1")
    held = asyncio.run(bench(count, given.at_once, rounds))
    return 0 if held or given.quick else 1


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # threads of the SDK may still answer while Python finalizes (sdk-python issue 300)
