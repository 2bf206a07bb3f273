"""Rehearse a release from dev over staging to production, one that is good and one that is not, under load."""

import argparse
import asyncio
import sys
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from service_processes import KEYS, TEMPORAL, Running, Services, TemporalServer, clean_environ, codec, end
from temporalio.client import Client, WorkflowHandle
from tms_rows import Tms, opened, seeded, sqlite_url

from trenova_activities import start_duplicate
from trenova_errors import ErrorsPlugin

HERE = Path(__file__).parent
GOOD, NEXT, BROKEN = "1.0.0", "1.1.0", "1.2.0"
STAGES = ("dev", "staging", "production")
DEPLOYMENT = "shipment-worker"


@dataclass
class Rehearsal:
    """One server with a namespace for each stage, one TMS, and what was seen."""

    services: Services
    tms: Tms
    pace_s: float
    said: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        line = f"{time.monotonic() - self.began:6.1f} s  {line}"
        self.said.append(line)
        print(line, flush=True)

    async def command(self, *words: str, stage: str) -> tuple[int, str]:
        """Run a command as somebody types it, and show what it says."""
        self.say(f"[{stage}] $ {' '.join(words)}")
        process = await asyncio.create_subprocess_exec(
            str(TEMPORAL.with_name(words[0])),
            *words[1:],
            env=self.environ(stage),
            cwd=self.services.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        lines = []
        async for line in process.stdout:
            lines.append(line.decode().rstrip())
            self.say(f"    {lines[-1]}")
        return await process.wait(), "\n".join(lines)

    async def must(self, *words: str, stage: str, status: int = 0) -> str:
        found, said = await self.command(*words, stage=stage)
        if found != status:
            raise AssertionError(f"{words} ended with {found} instead of {status}")
        return said

    def environ(self, stage: str) -> dict[str, str]:
        return self.services.environ | {"TEMPORAL_NAMESPACE": stage}

    async def worker(self, build: str, *, stage: str, module: str = "shipment_worker") -> Running:
        """Start a worker of a version and wait until it is ready."""
        versioned = {"TRENOVA_WORKER__DEPLOYMENT__VERSIONED": "true", "TRENOVA_WORKER__BUILD_ID": build}
        running = self.services.run(module, TEMPORAL_NAMESPACE=stage, **versioned)
        await asyncio.to_thread(running.until_ready)
        self.say(f"[{stage}] a worker of {build} is ready")
        return running

    async def client(self, stage: str) -> Client:
        environ = self.services.environ
        plugins = [ErrorsPlugin(), codec(environ)]
        return await Client.connect(environ["TEMPORAL_ADDRESS"], namespace=stage, plugins=plugins)

    async def load(self, client: Client, handles: list[WorkflowHandle], enough: asyncio.Event) -> None:
        """Ask for duplications until there are enough."""
        while not enough.is_set():
            handles.append(await start_duplicate(client, self.tms.request(idempotency_key=uuid.uuid4().hex, count=1)))
            await asyncio.sleep(self.pace_s)


async def gate(rehearsal: Rehearsal, stage: str) -> None:
    """What a release has to pass in a stage before the next one: its checks, its histories and real work."""
    await rehearsal.must("shipment-worker", "prepare", stage=stage)
    await rehearsal.must("shipment-worker", "check", stage=stage)
    running = await rehearsal.worker(NEXT, stage=stage)
    await rehearsal.must("trenova-workers", "deploy", "promote", NEXT, "--reason", f"first in {stage}", stage=stage)
    client = await rehearsal.client(stage)
    requests = [rehearsal.tms.request(idempotency_key=uuid.uuid4().hex, count=1) for _ in range(5)]
    handles = [await start_duplicate(client, request) for request in requests]
    await asyncio.gather(*(handle.result() for handle in handles))
    rehearsal.say(f"[{stage}] gate passed: 5 of 5 duplications")
    await asyncio.to_thread(running.drain)


async def production(rehearsal: Rehearsal, watch: Sequence[str]) -> None:
    stage = "production"
    await rehearsal.must("shipment-worker", "prepare", stage=stage)
    client = await rehearsal.client(stage)
    workers = [await rehearsal.worker(GOOD, stage=stage)]
    await rehearsal.must("trenova-workers", "deploy", "promote", GOOD, "--reason", "as it is", stage=stage)
    handles: list[WorkflowHandle] = []
    enough = asyncio.Event()
    load = asyncio.ensure_future(rehearsal.load(client, handles, enough))
    try:
        await asyncio.sleep(10)
        workers.append(await rehearsal.worker(NEXT, stage=stage))
        rollout = ("trenova-workers", "deploy", "rollout")
        await rehearsal.must(*rollout, NEXT, *watch, "--reason", "faster copies", stage=stage)
        workers.append(await rehearsal.worker(BROKEN, stage=stage, module="broken_release"))
        await rehearsal.must(*rollout, BROKEN, *watch, "--reason", "even faster", stage=stage, status=4)
        await rehearsal.must("trenova-workers", "deploy", "promote", GOOD, "--reason", "rates are wrong", stage=stage)
        await asyncio.sleep(5)
    finally:
        enough.set()
        await load
    await rehearsal.must("trenova-workers", "deploy", "status", stage=stage)
    await judged(rehearsal, client, handles)


async def judged(rehearsal: Rehearsal, client: Client, handles: Sequence[WorkflowHandle]) -> None:
    """Every duplication has ended; those that failed were the broken release's, and no other's."""
    await asyncio.gather(*(handle.result() for handle in handles), return_exceptions=True)
    found: Counter[tuple[str, str]] = Counter()
    async with asyncio.timeout(60):
        while found.total() < len(handles):  # visibility is late
            found.clear()
            async for run in client.list_workflows("WorkflowType = 'DuplicateShipmentWorkflow'"):
                version = str(run.search_attributes.get("TemporalWorkerDeploymentVersion", ["none"])[0])
                found[version.removeprefix(f"{DEPLOYMENT}:"), run.status.name if run.status else "?"] += 1
            await asyncio.sleep(0.5)
    rehearsal.say(f"{len(handles)} duplications were asked for while three versions came and went:")
    for (version, status), count in sorted(found.items()):
        rehearsal.say(f"    {version:8} {status:10} {count}")
    lost = {key: count for key, count in found.items() if key[1] != "COMPLETED" and key[0] != BROKEN}
    assert not lost, f"runs of good versions did not complete: {lost}"
    assert found.total() == len(handles)
    assert sum(count for (version, _), count in found.items() if version == BROKEN) < len(handles) / 4
    assert {status for _, status in found} <= {"COMPLETED", "FAILED"}


async def rehearse(folder: Path, output: Path, pace_s: float, watch: Sequence[str]) -> None:
    server = TemporalServer()
    path = {"PYTHONPATH": str(HERE), "TRENOVA_DATA_DIR": str(folder)}
    services = Services(folder, clean_environ(TEMPORAL_ADDRESS=server.address, **path, **KEYS))
    try:
        await seeded(sqlite_url(folder))
        async with opened(sqlite_url(folder)) as tms:
            rehearsal = Rehearsal(services, tms, pace_s)
            for stage in STAGES:
                create = ("temporal", "operator", "namespace", "create", "--retention", "24h", "-n", stage)
                await rehearsal.must(*create, "--address", server.address, stage=stage)
            for stage in STAGES[:-1]:
                await gate(rehearsal, stage)
            await production(rehearsal, watch)
            output.parent.mkdir(parents=True, exist_ok=True)
            output.write_text("\n".join(rehearsal.said) + "\n")
    finally:
        await asyncio.to_thread(services.close)
        end(server.process)


def main() -> None:
    parser = argparse.ArgumentParser(prog="nox -s rollout --", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("site/rollout/rehearsal.txt"))
    parser.add_argument("--pace", type=float, default=0.2, metavar="SECONDS", help="between two duplications")
    parser.add_argument("--bake", default="10s", help="how long each step is watched")
    parser.add_argument("--samples", default="10", help="ended runs that a step wants")
    asked = parser.parse_args()
    watch = ("--steps", "10,50,100", "--bake", asked.bake, "--samples", asked.samples, "--every", "2s")
    with tempfile.TemporaryDirectory(prefix="trenova-rollout-") as folder:
        asyncio.run(rehearse(Path(folder), asked.output, asked.pace, watch))


if __name__ == "__main__":
    main()
