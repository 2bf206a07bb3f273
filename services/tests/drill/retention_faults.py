"""A purge of the audit log that has no chance to be done by the next night."""

import asyncio
import re
import time
import uuid

import aiosqlite
from fault import Fault

ENTRIES = 300_000
DAY_S = 86_400


class Purge(Fault):
    """A purge with more than a day of work at one entry a second."""

    async def inject(self) -> None:
        await self.fill()
        await self.start()

    async def start(self) -> None:
        asked = (
            "trenova-activities",
            "start",
            "purge",
            "--key",
            uuid.uuid4().hex,
            "--batch-size",
            "100",
            "--no-follow",
        )
        said = await self.site.command(*asked)
        [id_] = re.findall(r"delete-audit-entries/\S+", said)[:1]
        self.values |= {"WORKFLOW_ID": id_, "SCHEDULE_ID": "delete-audit-entries-schedule"}

    async def fill(self) -> None:
        oldest = int(time.time()) - 400 * DAY_S
        async with aiosqlite.connect(self.site.folder / "tms.db", timeout=60) as connection:
            await connection.execute(
                "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) "
                "INSERT INTO audit_entries (id, organization_id, business_unit_id, resource, resource_id, operation, "
                "timestamp) SELECT 'ae_' || ? || x, organization_id, business_unit_id, 'shipment', 'shp_1', 'update', "
                "? + x FROM n, (SELECT * FROM data_retention LIMIT 1)",
                (ENTRIES, uuid.uuid4().hex[:8], oldest),
            )
            await connection.commit()

    async def limit(self, rows_per_second: int) -> None:
        limits = ("limits", self.values["WORKFLOW_ID"], "--rows-per-second", str(rows_per_second), "--by", "drill")
        await self.site.command("trenova-activities", *limits)

    async def done(self) -> None:
        client = await self.site.services.client()
        handle = client.get_workflow_handle(self.values["WORKFLOW_ID"])
        await handle.cancel()
        await asyncio.wait_for(asyncio.gather(handle.result(), return_exceptions=True), 60)


class RetentionBehind(Purge):
    alert = "TrenovaRetentionBehind"
    what = "A purge of 300,000 entries may delete one a second."
    mitigation = "Let it work faster or longer: `trenova-activities limits`."

    async def inject(self) -> None:
        await self.fill()
        async with self.site.locked():  # so that nothing is deleted before it is limited
            await self.start()
            await self.limit(1)

    async def mend(self) -> None:
        await self.limit(5000)


FAULTS = (RetentionBehind,)
