"""Workflows per second on a real server, with the whole chain and without a codec.

One development server on a file; a workflow takes 1 KiB, hands it to an activity, and returns what that returns,
so that six payloads of 1 KiB are encoded and decoded for each. The two set-ups take turns, each on a task queue
and a worker of its own in this process, and which comes first changes with every round.

Exits 1 when the median rate with the chain is below 0.9 of that without.
"""

import argparse
import asyncio
import os
import platform
import statistics
import sys
import sysconfig
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from trenova_codecs import CodecOptions, CodecPlugin, EncryptionOptions, KeyRing

TARGET = 0.9
TEXT = ("Reno to Tulsa, 22 pallets of paper, dock 4, " * 24)[:1000]


@activity.defn(name="bench.same")
async def same(text: str) -> str:
    """Return what was given."""
    return text


@workflow.defn(name="bench.Same")
class SameWorkflow:
    """One activity."""

    @workflow.run
    async def run(self, text: str) -> str:
        """Return what the activity returns."""
        answer: str = await workflow.execute_activity(same, text, start_to_close_timeout=timedelta(seconds=60))
        return answer


async def rate(client: Client, workflows: int, concurrency: int, name: str) -> float:
    """Return workflows per second, start to result, with so many under way at a time."""
    limit = asyncio.Semaphore(concurrency)

    async def one(number: int) -> None:
        async with limit:
            result = await client.execute_workflow(SameWorkflow.run, TEXT, id=f"{name}-{number}", task_queue=name)
            assert result == TEXT

    async with Worker(
        client,
        task_queue=name,
        workflows=[SameWorkflow],
        activities=[same],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        await asyncio.gather(*(one(-number - 1) for number in range(concurrency)))
        started = time.perf_counter()
        await asyncio.gather(*(one(number) for number in range(workflows)))
        return workflows / (time.perf_counter() - started)


async def bench(rounds: int, workflows: int, concurrency: int) -> dict[str, list[float]]:
    """Measure both set-ups in every round."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    rates: dict[str, list[float]] = {"chain": [], "none": []}
    ring = KeyRing.from_keys({"k1": os.urandom(32)}, active="k1")
    with tempfile.TemporaryDirectory(prefix="trenova-bench-") as folder:
        async with await WorkflowEnvironment.start_local(
            dev_server_existing_path=str(binary),
            dev_server_log_level="error",
            dev_server_database_filename=str(Path(folder) / "temporal.db"),
            dev_server_extra_args=["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=1"],
        ) as env:
            address = env.client.service_client.config.target_host
            plugin = CodecPlugin(CodecOptions(encryption=EncryptionOptions(prove_keys=False)), ring=ring)
            clients = {
                "chain": await Client.connect(address, plugins=[plugin]),
                "none": await Client.connect(address),
            }
            for number in range(rounds):
                for name in sorted(rates, reverse=number % 2 == 0):
                    measured = await rate(clients[name], workflows, concurrency, f"{name}-{number}")
                    rates[name].append(measured)
                    print(f"round {number + 1} of {rounds}: {name:5} {measured:6.2f} per second", flush=True)
    return rates


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--workflows", type=int, default=150, help="per round and set-up")
    parser.add_argument("--concurrency", type=int, default=10)
    given = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    rates = asyncio.run(bench(given.rounds, given.workflows, given.concurrency))
    for name, found in rates.items():
        print(f"{name:5} {min(found):7.2f} / {statistics.median(found):7.2f} / {max(found):7.2f} per second")
    pairs = [chain / none for chain, none in zip(rates["chain"], rates["none"], strict=True)]
    ratio = statistics.median(rates["chain"]) / statistics.median(rates["none"])
    print(f"chain of none: {ratio:.2f} by medians; by round {min(pairs):.2f} to {max(pairs):.2f}; target {TARGET}")
    return 0 if ratio >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
