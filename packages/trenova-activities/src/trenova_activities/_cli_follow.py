"""What every command that starts or watches a job does: connect, check what was typed, show how it goes."""

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from pydantic import ValidationError
from rich.console import Console
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, Plugin, WorkflowExecutionStatus, WorkflowHandle

from trenova_activities._cli_waiting import readable, said_of
from trenova_activities._saga_contract import NotUndoneError
from trenova_activities._wire import WireModel
from trenova_errors import ApplicationError, ErrorKind, ErrorsPlugin, InvalidInputError
from trenova_errors.connecting import connect_config, connected, installed_plugins

Model = TypeVar("Model", bound=WireModel)

RPC_TIMEOUT = timedelta(seconds=10)
_LOOK_EVERY_S = 0.5
_PATIENCE_S = 5.0
_OF_CODECS = "codec."
"""How the codes of codecs begin, e.g. of a ring without an active key."""

console = Console(highlight=False)


async def connect() -> Client:
    """Connect as ``temporalio.envconfig`` says, to localhost:7233 if it says nothing.

    Raises:
        UnavailableError: No server lets us in.
        ConfigurationError: The profile does not hold.
    """
    return await _connect(installed_plugins(os.environ))


async def connect_to_read() -> tuple[Client, str]:
    """Connect likewise, also with a codec that does not work: who only looks writes nothing in clear.

    Returns:
        The client, and what is wrong with the codec; empty where nothing is.

    Raises:
        UnavailableError: No server lets us in.
        ConfigurationError: The profile does not hold, or it is not said where the keys are.
    """
    try:
        return await connect(), ""
    except ApplicationError as error:
        if not error.code.startswith(_OF_CODECS):
            raise
        return await _connect([]), error.message


async def _connect(plugins: Sequence[Plugin]) -> Client:
    return await connected(connect_config(os.environ), plugins=[ErrorsPlugin(), *plugins])


def valid(model: type[Model], asked: Mapping[str, Any]) -> Model:
    """Build a request out of what was typed.

    Raises:
        InvalidInputError: With everything that is wrong with it.
    """
    try:
        return model(**asked)
    except ValidationError as error:
        problems = error.errors(include_input=False, include_url=False)
        said = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in problems)
        raise InvalidInputError(f"The request is not valid: {said}.") from None


async def say_if_known(handle: WorkflowHandle[Any, Any]) -> None:
    """Print that the key had been used, where the start found a run instead of making one."""
    if handle.result_run_id is not None:  # only a start that made the run knows which it is
        return
    run = await handle.describe(rpc_timeout=RPC_TIMEOUT)
    done = "is still running" if run.close_time is None else f"ended {moment(run.close_time)}"
    console.print(
        f"This key was used before: its run was started {moment(run.start_time)} and {done}. Nothing was started now; "
        "what follows is of that run.",
        soft_wrap=True,
    )


def moment(at: datetime) -> str:
    """Write a time for people, in the local zone."""
    return at.astimezone().isoformat(sep=" ", timespec="seconds")


async def follow_to_end(client: Client, handle: WorkflowHandle[Any, Any], what: str) -> None:
    """Show the stage that the activity reports until the run is closed; a chain of runs counts as one."""
    deadline = time.monotonic() + _PATIENCE_S
    with console.status(f"{what}: waiting for a worker") as status:
        while True:
            # Without a run id, so that a run that continued as new is followed.
            latest = client.get_workflow_handle(handle.id)
            description = await latest.describe(rpc_timeout=RPC_TIMEOUT)
            if description.status != WorkflowExecutionStatus.RUNNING:
                return
            for activity in description.raw_description.pending_activities:
                deadline = float("inf")
                status.update(f"{what}: {(await stage_of(client, activity))[0]}")
            if time.monotonic() > deadline:
                deadline = float("inf")
                console.print(f"No worker has taken it yet; is one polling {description.task_queue!r}?")
            await asyncio.sleep(_LOOK_EVERY_S)


def failure_of(error: BaseException) -> tuple[str, str]:
    """Return the kind and the message of what a run failed with.

    The deepest cause that has a kind of ours says it in words for people; what lies below it is the driver's. Without
    one, the deepest cause has to do, and its kind may be empty. What a saga could not undo goes before why it failed.
    """
    found = error
    typed = False
    cause: BaseException | None = error
    while cause is not None:
        if _code(cause) == NotUndoneError.code:
            found = cause
            break
        is_ours = getattr(cause, "type", None) in set(ErrorKind)
        if is_ours or not typed:
            found, typed = cause, is_ours
        cause = cause.__cause__
    return str(getattr(found, "type", None) or ""), str(getattr(found, "message", "") or found)


def _code(error: BaseException) -> str:
    """Return the finer code in the details of a failure of ours; empty where there is none."""
    details = getattr(error, "details", ())
    return str(details[0].get("code", "")) if details and isinstance(details[0], Mapping) else ""


async def stage_of(client: Client, activity: PendingActivityInfo) -> list[str]:
    """Say where an activity stands: its last heartbeat with its attempt and what the one before failed with.

    Returns:
        One line, and more if the heartbeat has more.
    """
    beats = activity.heartbeat_details.payloads
    stage = "waiting for a worker"
    if beats:
        read, why_not = await readable(client.data_converter.decode(beats, [str]))
        stage = read[0] if read else why_not
    first, *more = stage.splitlines() or [""]
    tries = f", attempt {activity.attempt}" if activity.attempt > 1 else ""
    failure = ""
    if activity.HasField("last_failure"):
        said = await said_of(client, activity.last_failure)
        failure = f" after: {said if isinstance(said, str) else said.message}"
    return [f"{first}{tries}{failure}", *more]
