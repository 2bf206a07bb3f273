"""Steer a run from the command line, and print what it answers and how far it is."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from trenova_activities._cli_follow import connect, console, moment, valid
from trenova_activities._progress_contract import Counts, JobProgress
from trenova_activities._steering import Request
from trenova_activities._steering_client import steer
from trenova_activities._steering_contract import CancelRequest, LimitsRequest, PauseRequest, ResumeRequest
from trenova_errors import InvalidInputError

_REQUESTS: Final[Mapping[str, type[Request]]] = {
    "pause": PauseRequest,
    "resume": ResumeRequest,
    "cancel": CancelRequest,
    "limits": LimitsRequest,
}
_MOST_ACTIONS: Final = 5


async def steer_run(
    what: str, workflow_id: str, asked: Mapping[str, Any], *, update_id: str | None, wait_s: float
) -> None:
    """Send one request to a run and print the answer.

    Raises:
        ApplicationError: The request is not valid or is refused, there is no such run, or no worker answers.
    """
    if not workflow_id.strip():
        raise InvalidInputError(
            "The workflow id is empty. Give the one that 'start' printed, e.g. cancel-shipments/<key>."
        )
    request = valid(_REQUESTS[what], asked)
    client = await connect()
    patience = timedelta(seconds=wait_s)
    answer = await steer(client, workflow_id, request, update_id=update_id, patience=patience)
    console.print(answer.result, soft_wrap=True, markup=False)


def progress_lines(progress: JobProgress) -> Iterator[tuple[str, str]]:
    """Say how far a run is, as pairs of a name and a line; an empty name continues the line above."""
    yield "progress", progress.words
    yield "", f"organizations: {_counted(progress.tenants)}"
    yield "", f"rows: {_counted(progress.rows)}"
    if progress.oldest_at is not None:
        yield "", f"oldest row left: {_at(progress.oldest_at)}"
    if progress.actions:
        yield "steered", f"{progress.changes:,} times" if progress.changes > 1 else "once"
        for action in progress.actions[-_MOST_ACTIONS:]:
            yield "", f"{action.number}. {_at(action.at)} {action.words}"


def _counted(counts: Counts) -> str:
    total = "" if counts.total is None else f" of {counts.total:,}"
    parts = ((counts.succeeded, "succeeded"), (counts.failed, "failed"), (counts.skipped, "skipped"))
    return f"{counts.processed:,}{total} processed, {', '.join(f'{count:,} {what}' for count, what in parts)}"


def _at(seconds: int) -> str:
    return moment(datetime.fromtimestamp(seconds, UTC))
