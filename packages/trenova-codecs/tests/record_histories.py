"""Record the histories that ``test_histories.py`` replays: one run of everything under every configuration.

``python packages/trenova-codecs/tests/record_histories.py [name ...]``. Histories of released versions stay as they
are; a new configuration is recorded beside them. ``v0.1.0`` is recorded with the source of that version on
``PYTHONPATH``.
"""

import asyncio
import dataclasses
import sys
import sysconfig
from pathlib import Path

from codecs_scenarios import ACTIVITIES, WORKFLOWS, EverythingWorkflow, plant
from temporalio.client import Client
from temporalio.converter import DataConverter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import trenova_codecs

FOLDER = Path(__file__).parent / "histories"
KEYS = {"k1": bytes(range(100, 132)), "k2": bytes(range(200, 232))}
"""Known to everybody: they protect nothing but what is planted here."""


def configurations() -> dict[str, dict[str, object]]:
    """Return what ``Client.connect`` is given, by the name of the configuration."""
    if not hasattr(trenova_codecs, "CodecPlugin"):
        codec = trenova_codecs.CompressionCodec()
        return {"v0.1.0": {"data_converter": dataclasses.replace(DataConverter.default, payload_codec=codec)}}
    from trenova_codecs import CodecOptions, CodecPlugin, CompressionOptions, EncryptionOptions, KeyRing

    def plugin(compression: CompressionOptions | None, **encryption: object) -> dict[str, object]:
        encrypting = EncryptionOptions(prove_keys=False, **encryption) if encryption else None
        ring = KeyRing.from_keys(KEYS, active="k1") if encryption else None
        return {"plugins": [CodecPlugin(CodecOptions(encryption=encrypting, compression=compression), ring=ring)]}

    gzip, zstd = CompressionOptions(), CompressionOptions(algorithm="zstd")
    return {
        "plaintext": {},
        "gzip": plugin(gzip),
        "zstd": plugin(zstd),
        "compat": plugin(None, format="compat"),
        "v2": plugin(None, format="v2"),
        "gzip-compat": plugin(gzip, format="compat"),
        "gzip-v2": plugin(gzip, format="v2"),
        "zstd-v2": plugin(zstd, format="v2"),
        "compat-clear-failures": plugin(gzip, format="compat", failures=False, headers=False),
    }


async def record(address: str, name: str, options: dict[str, object]) -> None:
    """Run everything once, and write the history as the server holds it."""
    client = await Client.connect(address, **options)
    queue = f"record-{name}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=WORKFLOWS,
        activities=ACTIVITIES,
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        handle = await client.start_workflow(
            EverythingWorkflow.run,
            args=[plant("start-argument"), "return"],
            id=queue,
            task_queue=queue,
            memo={"start": plant("start-memo")},
        )
        await handle.signal(EverythingWorkflow.note, plant("signal-argument"))
        await handle.execute_update(EverythingWorkflow.change, plant("update-argument"))
        await handle.result()
    raw = await Client.connect(address)
    history = await raw.get_workflow_handle(queue).fetch_history()
    (FOLDER / f"{name}.json").write_text(history.to_json() + "\n")


async def main(names: list[str]) -> None:
    """Record the named configurations, or all."""
    binary = Path(sysconfig.get_path("scripts")) / "temporal"
    found = configurations()
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=str(binary)) as env:
        for name in names or found:
            await record(env.client.service_client.config.target_host, name, found[name])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
