"""Deliver one message, twice, in a process of its own; or die by SIGKILL when the other side has taken it, if so told.

``python deliver_once.py URL OPTIONS PAYLOAD CHANNEL die|live``, options and payload as JSON.
"""

import asyncio
import os
import signal
import sys

from temporalio.testing import ActivityEnvironment

from trenova_activities import DeliveryPayload
from trenova_activities.channels import ChannelOptions, open_channels
from trenova_activities.database import Database, DatabaseOptions, DeliveryActivities


async def main(url: str, options: str, payload: str, channel: str, how: str) -> None:
    async with (
        Database.open(DatabaseOptions(url=url)) as database,
        open_channels(ChannelOptions.model_validate_json(options)) as channels,
    ):
        if how == "die":
            chosen = channels[channel]
            send = chosen.send

            async def send_and_die(message, destination):
                await send(message, destination)
                os.kill(os.getpid(), signal.SIGKILL)

            chosen.send = send_and_die
        activities = await DeliveryActivities.open(database, channels)
        asked = DeliveryPayload.model_validate_json(payload)
        for _ in range(2):
            receipt = await ActivityEnvironment().run(getattr(activities, channel), asked)
            print(receipt.state, receipt.repeated)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
