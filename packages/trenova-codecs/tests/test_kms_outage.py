"""AWS KMS falls silent while a namespace is under load."""

import asyncio
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from temporalio.client import Client

sys.path.insert(0, str(Path(__file__).parent))

from drill import PLANTED, DrillWorkflow, Load, server, worker
from kms_server import CREDENTIALS, Wire, moto, wire_to

from trenova_codecs import CodecPlugin, KeyRing
from trenova_codecs._aws_kms import AwsKms
from trenova_codecs._key_text import write_base64
from trenova_codecs._ring_changes import added, promoted
from trenova_codecs._ring_document import AwsKmsMaterial, RingDocument
from trenova_codecs._ring_storage import change_ring, create_ring


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        with moto() as address:
            yield address


def sealed(address: str, key_id: str) -> AwsKmsMaterial:
    import boto3

    kms_key = boto3.session.Session().client("kms", endpoint_url=address).create_key()["KeyMetadata"]["KeyId"]
    wrapped = AwsKms(endpoint_url=address).generate(key_id, kms_key)
    return AwsKmsMaterial(wrapped=write_base64(wrapped), kms_key=kms_key)


async def connect(plain: Client, path: Path, wire: Wire) -> Client:
    """A process of its own as far as keys go: its ring asks KMS every second."""
    ring = await asyncio.to_thread(lambda: KeyRing.from_aws_kms(path, endpoint_url=wire.address, refresh_seconds=1))
    return await Client.connect(plain.service_client.config.target_host, plugins=[CodecPlugin(ring=ring)])


async def outage(folder: Path, address: str, *, seconds: float, per_second: float) -> None:
    path = folder / "keys" / "ring.json"
    one = await asyncio.to_thread(sealed, address, "k1")
    two = await asyncio.to_thread(sealed, address, "k2")
    create_ring(path, promoted(added(RingDocument(), "k1", one), "k1"))
    async with server(folder / "temporal.db") as plain, wire_to(address) as wire:
        theirs, ours = await connect(plain, path, wire), await connect(plain, path, wire)
        async with worker(theirs):
            load = Load(ours, per_second)
            load.start()
            await asyncio.sleep(2)
            await wire.down()
            silent = time.monotonic()
            asked = wire.requests
            await asyncio.sleep(seconds / 2)

            # A key that nobody has opened yet comes onto the ring, and a run that needs it waits.
            shutil.copy2(path, path.with_name("next"))
            change_ring(path.with_name("next"), lambda ring: promoted(added(ring, "k2", two), "k2"))
            async with wire_to(address) as elsewhere:
                other = await connect(plain, path.with_name("next"), elsewhere)
                change_ring(path, lambda ring: added(ring, "k2", two))
                waiting = await other.start_workflow(
                    DrillWorkflow.run, args=[PLANTED, 1], id="waits", task_queue="drill"
                )
            await asyncio.sleep(seconds / 2)
            assert wire.requests == asked
            assert (await waiting.describe()).status.name == "RUNNING"
            before = len(load.handles)
            await asyncio.sleep(1)
            assert len(load.handles) > before  # work goes on all the time
            assert time.monotonic() - silent >= seconds

            await wire.up()
            assert (await asyncio.wait_for(waiting.result(), 60)).startswith(PLANTED.upper())
            await load.stop()
            await load.go_on()
            await load.check()
            assert await load.task_failures() == []
            assert wire.requests > asked
    print(f"{len(load.handles)} runs, silent for {seconds:.0f} s")  # noqa: T201 - the figure of a drill


@pytest.mark.integration
@pytest.mark.timeout(180)
async def test_nothing_is_lost_while_kms_is_silent_for_5_seconds(tmp_path, address):
    await outage(tmp_path, address, seconds=5, per_second=8)


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_nothing_is_lost_while_kms_is_silent_for_60_seconds(tmp_path, address):
    await outage(tmp_path, address, seconds=60, per_second=12)
