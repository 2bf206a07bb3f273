"""Worker processes that die at every point of a transfer; the next one goes on where the database stands."""

import asyncio
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from temporalio.client import Client
from transfers import POINTS, UNDOING, Fleet, connected, ended

pytestmark = pytest.mark.integration
WORKER = Path(__file__).parent / "transfer_worker.py"
IN_CI = {"after cancel"}


@asynccontextmanager
async def worker(client: Client, queue: str, url: str, workflow: str, point: str = ""):
    address = client.service_client.config.target_host
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(WORKER), address, queue, url, workflow, *([point] if point else [])),
        stdout=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin"},
    )
    try:
        assert (await asyncio.wait_for(process.stdout.readline(), 60)).startswith(b"ready")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize(
    "point", [pytest.param(point, marks=[] if point in IN_CI else pytest.mark.slow) for point in POINTS]
)
async def test_a_worker_that_dies_at_any_point_loses_and_repeats_nothing(
    client: Client, queue: str, embedded_sqlite_url: str, point: str
):
    async with connected(client, queue, embedded_sqlite_url, shipments=40) as tms:
        case = await tms.case(queue)
        async with worker(client, queue, embedded_sqlite_url, case.handle_id, point) as doomed:
            ending = asyncio.create_task(ended(tms, case))
            assert await asyncio.wait_for(doomed.wait(), 60) == 9
        async with worker(client, queue, embedded_sqlite_url, case.handle_id):
            cause = await ending
        await _check(tms, case, cause, undone=point.split()[1] in UNDOING)


async def _check(tms: Fleet, case, cause: BaseException | None, *, undone: bool) -> None:
    assert (cause is not None) == undone
    await (tms.check_undone(case) if undone else tms.check_transferred(case))
