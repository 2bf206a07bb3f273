"""Purges of the audit log that have no chance to be done by the next night, or that give way to somebody."""

import asyncio
import re
import time
import uuid

from fault import Fault
from sqlalchemy import text
from tms_rows import opened, seeded, sqlite_url

from trenova_activities.testing import PostgresServer

ENTRIES = 300_000
DAY_S = 86_400


class Purge(Fault):
    """A purge with more than a day of work at one entry a second."""

    url: str

    async def start(self) -> None:
        asked = ("purge", "--key", uuid.uuid4().hex, "--batch-size", "100", "--no-follow")
        said = await self.site.command("trenova-activities", "start", *asked)
        [id_] = re.findall(r"delete-audit-entries/\S+", said)[:1]
        self.values |= {"WORKFLOW_ID": id_, "SCHEDULE_ID": "delete-audit-entries-schedule"}

    async def fill(self) -> None:
        """Plant entries that have outlived their period, a second apart."""
        facts = {"mark": uuid.uuid4().hex[:8], "entries": ENTRIES, "oldest": int(time.time()) - 400 * DAY_S}
        async with opened(self.url) as tms, tms.database.write() as connection:
            await connection.execute(
                text(
                    "INSERT INTO audit_entries "
                    "(id, organization_id, business_unit_id, resource, resource_id, operation, timestamp) "
                    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < :entries) "
                    "SELECT 'ae_' || :mark || x, organization_id, business_unit_id, 'shipment', 'shp_1', 'update', "
                    ":oldest + x FROM n, (SELECT * FROM data_retention LIMIT 1) AS one"
                ),
                facts,
            )

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
        self.url = sqlite_url(self.site.folder)
        await self.fill()
        async with self.site.locked():  # so that nothing is deleted before it is limited
            await self.start()
            await self.limit(1)

    async def mend(self) -> None:
        await self.limit(5000)


class RetentionBraked(Purge):
    alert = "TrenovaRetentionBraked"
    what = "A forgotten session of PostgreSQL keeps a snapshot beside a purge."
    mitigation = "End the session that `status` names"

    async def inject(self) -> None:
        """Only PostgreSQL tells who is in the way, so the system worker works on one for as long as this lasts."""
        self.server = PostgresServer()
        await asyncio.to_thread(self.server.start)
        self.url = await seeded(self.server.create_database())
        database = {"TRENOVA_DATABASE__URL": self.url, "TRENOVA_DATABASE__PACE__BRAKE__OLD_SNAPSHOT_S": "5"}
        await asyncio.to_thread(self.site.services.call, "system_worker", "prepare", **database)
        await self.site.restart("system_worker", **database)
        await self.fill()
        self.reading = asyncio.ensure_future(self._read())
        await self.start()
        await self.limit(100)

    async def _read(self) -> None:
        async with opened(self.url) as tms, tms.database.engine.connect() as reader:
            await reader.execution_options(isolation_level="REPEATABLE READ")
            await reader.execute(text("SELECT count(*) FROM data_retention"))
            await asyncio.Event().wait()

    async def mend(self) -> None:
        said = await self.site.command("trenova-activities", "status", self.values["WORKFLOW_ID"])
        pid = re.findall(r"session with pid (\d+)", said)[0]
        self.server.execute(f"SELECT pg_terminate_backend({pid})")

    async def done(self) -> None:
        await super().done()
        self.reading.cancel()
        await asyncio.gather(self.reading, return_exceptions=True)  # its session was ended
        await self.site.restart("system_worker")
        await asyncio.to_thread(self.server.stop)


FAULTS = (RetentionBehind, RetentionBraked)
