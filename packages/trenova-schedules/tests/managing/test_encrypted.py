import dataclasses

from temporalio.api.common.v1 import Payload
from temporalio.client import Client
from temporalio.converter import PayloadCodec

from trenova_schedules import Actor, BulkAction, ScheduleFilter, ScheduleService
from trenova_schedules._reading import read_schedule

ANN = Actor(name="ann", verified=True)


class Reversing(PayloadCodec):
    """Stands for encryption: the same value never looks the same, and nobody else can read it."""

    def __init__(self):
        self.number = 0

    async def encode(self, payloads):
        self.number += 1
        salt = b"%08d" % self.number
        return [
            Payload(metadata={"encoding": b"binary/reversed"}, data=salt + one.SerializeToString()[::-1])
            for one in payloads
        ]

    async def decode(self, payloads):
        return [Payload.FromString(one.data[8:][::-1]) for one in payloads]


class Broken(Reversing):
    async def decode(self, payloads):
        raise RuntimeError("no key")


async def connected(client, codec):
    converter = dataclasses.replace(client.data_converter, payload_codec=codec)
    return await Client.connect(client.service_client.config.target_host, data_converter=converter)


async def test_everything_works_with_memos_that_are_encrypted(client, definition):
    own = await connected(client, Reversing())
    service = ScheduleService(client=own, serves=False)
    await service.create(definition(labels={"team": "ops"}), actor=ANN)
    seen = await service.describe("purge")
    assert (seen.owner, seen.labels, seen.cron) == ("system-worker", {"team": "ops"}, "30 2 * * *")

    after = (await service.patch("purge", {"cron": "@daily"}, etag=seen.etag, actor=ANN)).after

    assert (after.cron, after.unreadable) == ("@daily", ())
    assert b"daily" not in (await read_schedule(own, "purge")).raw.SerializeToString()
    done = await service.bulk(BulkAction.PAUSE, ScheduleFilter(ids=("purge",)), reason="move", actor=ANN)
    assert (await service.undo(done.receipt, reason="moved", actor=ANN)).counts == {"done": 1}


async def test_who_cannot_decrypt_sees_what_is_in_clear_and_which_parts_are_not(client, definition):
    own = await connected(client, Reversing())
    await ScheduleService(client=own, serves=False).create(definition(), actor=ANN)
    seen = await ScheduleService(client=own).describe("purge")

    document = await ScheduleService(client=await connected(client, Broken())).describe("purge")

    assert (document.workflow, document.owner, document.cron, document.etag) == ("W", None, None, seen.etag)
    assert document.calendars == seen.calendars
    assert {"trenova.owner", "trenova.cron", "trenova.applied"} <= set(document.unreadable)
