"""Workers that are gone, stand still or have no room."""

import asyncio
from contextlib import AsyncExitStack

from fault import Fault


class WorkerDown(Fault):
    alert = "TrenovaWorkerDown"
    what = "The notification worker is killed."
    mitigation = "Start the service again."

    async def inject(self) -> None:
        self.site.kill("notification_worker")

    async def mend(self) -> None:
        await self.site.start("notification_worker")


class EventLoopBlocked(Fault):
    alert = "TrenovaEventLoopBlocked"
    what = "The shipment worker has no time for four seconds."
    mitigation = "Restart the worker if it does not recover."

    async def inject(self) -> None:
        with self.site.held(self.site.workers["shipment_worker"].process):
            await asyncio.sleep(4)

    async def mend(self) -> None:
        await self.site.restart("shipment_worker")


class Crowded(Fault):
    """A database that is locked, and one slot for those who wait for it."""

    async def inject(self) -> None:
        await self.site.restart("shipment_worker", TRENOVA_WORKER__MAX_ACTIVITIES="1")
        self.lock = AsyncExitStack()
        await self.lock.enter_async_context(self.site.locked())
        self.handles = await self.site.duplicate(30)

    async def mend(self) -> None:
        await self.lock.aclose()
        await self.site.restart("shipment_worker")
        await asyncio.gather(*(handle.result() for handle in self.handles))


class SlotsFull(Crowded):
    alert = "TrenovaSlotsFull"
    what = "Every activity waits for a lock in the database, and the worker has one slot."
    mitigation = "Raise `worker.max_activities`."


class ActivitiesLate(Crowded):
    alert = "TrenovaActivitiesLate"
    what = "Thirty duplications wait more than a minute for one slot."
    mitigation = "Start more workers or raise the pool."


class QueueUnserved(Fault):
    alert = "TrenovaQueueUnserved"
    what = "The only shipment worker is told to drain, and no other takes its place."
    mitigation = "Start a worker of the queue."

    async def inject(self) -> None:
        self.handles = await self.site.duplicate(1)
        await asyncio.to_thread(self.site.workers["shipment_worker"].drain)

    async def mend(self) -> None:
        await self.site.start("shipment_worker")
        await asyncio.gather(*(handle.result() for handle in self.handles))


class ServerSlow(Fault):
    alert = "TrenovaServerSlow"
    what = "The server answers nothing for three seconds, again and again."
    mitigation = "Give the server's database more"

    async def inject(self) -> None:
        self.keep(self._slow)

    async def _slow(self) -> None:
        with self.site.held(self.site.server.process):
            await asyncio.sleep(3)
        await asyncio.sleep(0.3)

    async def mend(self) -> None:
        await self.stop()


FAULTS = (WorkerDown, EventLoopBlocked, SlotsFull, ActivitiesLate, QueueUnserved, ServerSlow)
