"""What was lost, done twice or shown, when all that was asked for has ended."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import cancellations
import duplications
import messages
from load import Load, ended
from receivers import Receivers
from temporalio.client import Client, WorkflowHandle

LONGEST_S = 600
"""That anything may take after the last fault has gone: what was refused often is tried again after minutes."""
_SHIPMENTS = ("shipments", "public.shipments")


@dataclass
class Verdict:
    """What is to be found of a load.

    Attributes:
        wrong: What is not as it should be, for people.
        lines: What was done, for people.
    """

    load: Load
    was: cancellations.Before
    wrong: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    async def reach(self, client: Client, receivers: Receivers, server_files: Sequence[bytes]) -> None:
        """Wait for all runs, and count."""
        told = [client.get_workflow_handle(f"{one.handle.id}/notify") for one in self.load.asked]
        results = await self._results("duplications", [one.handle for one in self.load.asked])
        await self._results("notifications", told)
        await self._results("checks of the database", self.load.checks)
        purged = await self._results("purges", self.load.purges)
        canceled = await self._results("cancellations", self.load.cancels)
        await self._duplications(results)
        await self._nightly(purged, canceled)
        rows = await messages.deliveries(self.load.tms)
        found = messages.counted(rows, receivers.arrived(), [one.id for one in told])
        self.lines.append(f"{found};")
        self.wrong += found.wrong
        self._shown(results, server_files)

    async def _results(self, what: str, handles: Sequence[WorkflowHandle[Any, Any]]) -> list[Any]:
        """Return the results in the same order; None for a run that failed."""
        async with asyncio.timeout(LONGEST_S):
            found = [await ended(handle) for handle in handles]
        if failed := sum(one is None for one in found):
            self.wrong.append(f"{failed} {what} failed")
        return found

    async def _duplications(self, results: Sequence[Any]) -> None:
        wrong: Counter[str] = Counter()
        for asked, result in zip(self.load.asked, results, strict=True):
            if result is not None:
                request, handle = asked.request, asked.handle
                wrong.update(await duplications.wrong_with(self.load.tms, request, result.shipment_ids, handle.id))
        self.wrong += [f"{count} duplications with {what}" for what, count in wrong.items()]
        copies = sum(len(result.shipment_ids) for result in results if result is not None)
        planted = await self.load.planting.planted()
        known = copies + sum(len(ids) for kind, ids in planted.items() if kind != "outlived")
        shipments = next(count for table, count in (await self.load.tms.counts()).items() if table in _SHIPMENTS)
        self.wrong += duplications.more_copies(len(self.was.versions), shipments, known)

    async def _nightly(self, purged: Sequence[Any], canceled: Sequence[Any]) -> None:
        planted = await self.load.planting.planted()
        outlived, deleted = len(planted["outlived"]), sum(one.total_deleted for one in purged if one is not None)
        if outlived != deleted:
            self.wrong.append(f"{outlived} entries had outlived their period and the purges say {deleted}")
        if left := await self.load.planting.left(planted["outlived"]):
            self.wrong.append(f"{left} entries that had outlived their period are there")
        told = sum(one.total_cancelled for one in canceled if one is not None)
        self.wrong += await cancellations.counted(self.load.tms, self.was, planted["stale"], told)
        partial = sum(len(one.partial_failures) for one in (*purged, *canceled) if one is not None)
        self.lines.append(f"{len(purged)} purges of {deleted:,} outlived audit entries,")
        self.lines.append(
            f"{len(canceled)} cancellations of {told} stale shipments among {len(planted['young'])} young"
        )
        self.lines.append(f"and {len(planted['under way'])} under way; {partial} tenants were left for the next run;")

    def _shown(self, results: Sequence[Any], server_files: Sequence[bytes]) -> None:
        """Look for ids of copies in the server's files, and for a workflow id, which must be there."""
        if not any(self.load.asked[0].handle.id.encode() in content for content in server_files):
            self.wrong.append("not even a workflow id is in the server's files: they were not read as they should be")
        secret = [id_ for result in results if result is not None for id_ in result.shipment_ids]
        if shown := [one for one in secret if any(one.encode() in content for content in server_files)]:
            self.wrong.append(f"{len(shown)} ids of copies are in clear in the server's database")
