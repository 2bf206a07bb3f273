"""Where histories come from: files that were kept, and the runs of a namespace."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from temporalio.client import Client, WorkflowExecution, WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from trenova_activities._replaying import Fetch, Recorded
from trenova_errors import ResourceNotFoundError

_RPC_TIMEOUT = timedelta(seconds=30)
_OPEN = "ExecutionStatus = 'Running'"


def files_in(folders: Sequence[Path]) -> list[Path]:
    """Return every ``*.json`` below the folders, and files that are named themselves.

    Raises:
        ResourceNotFoundError: One of them holds none.
    """
    found: list[Path] = []
    for folder in folders:
        here = [folder] if folder.is_file() else sorted(folder.rglob("*.json"))
        if not here:
            raise ResourceNotFoundError(
                f"{str(folder)!r} holds no history (*.json). Name a folder of histories as 'temporal workflow show "
                "--output json' writes them, or look at a server with --from-server."
            )
        found += here
    return found


async def from_files(paths: Sequence[Path]) -> AsyncIterator[Fetch]:
    """Read histories, as ``to_json`` of the SDK or ``temporal workflow show --output json`` writes them."""
    for path in paths:
        yield partial(_read, path)


async def _read(path: Path) -> Recorded:
    try:
        return Recorded(str(path), await asyncio.to_thread(_parsed, path))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        return Recorded(str(path), None, f"It is no history in JSON ({type(error).__name__}).")


def _parsed(path: Path) -> WorkflowHistory:
    text = path.read_text(encoding="utf-8")
    started = json.loads(text)["events"][0]["workflowExecutionStartedEventAttributes"]
    try:
        return WorkflowHistory.from_json(started.get("workflowId") or path.stem, text)
    except Exception as error:  # what protobuf raises has no public name that is a ValueError
        raise ValueError(str(error)) from error


async def from_server(
    client: Client, *, query: str | None, limit: int | None, closed_within: timedelta
) -> AsyncIterator[Fetch]:
    """Find the histories of the runs that are open, and of those that ended lately.

    Args:
        client: For the namespace.
        query: A visibility query that narrows the list.
        limit: How many at most, the newest first; None for all.
        closed_within: How long ago a run may have ended; zero for open ones only.

    Raises:
        RPCError: The server does not answer, or does not understand the query.
    """
    listed = client.list_workflows(_query(query, closed_within), limit=limit, rpc_timeout=_RPC_TIMEOUT)
    async for run in listed:
        yield partial(_fetched, client, run)


def _query(narrowing: str | None, closed_within: timedelta) -> str:
    wanted = _OPEN
    if closed_within:
        since = (datetime.now(UTC) - closed_within).isoformat(timespec="seconds")
        wanted = f"{_OPEN} OR CloseTime >= '{since}'"
    return f"({wanted}) AND ({narrowing})" if narrowing else wanted


async def _fetched(client: Client, run: WorkflowExecution) -> Recorded | None:
    """Return None where the run was removed since it was listed."""
    try:
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history(rpc_timeout=_RPC_TIMEOUT)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    return Recorded(f"{run.id} run {run.run_id}", history)
