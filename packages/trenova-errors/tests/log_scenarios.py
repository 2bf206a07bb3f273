"""Workflows and activities that fail in every way, with a secret wherever an exception can hold one."""

import asyncio
from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError as UntypedError
from temporalio.exceptions import CancelledError

from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError, UnavailableError, idempotent

SECRET = "hunter2-hunter2"


class Job(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)
    organization_id: str = "org_1"
    how: str
    attempts: int = 1


class DriverError(Exception):
    """What a library raises that nobody has a rule for."""


def _fail(how: str) -> None:
    try:
        {}[SECRET]
    except KeyError as cause:
        error: BaseException = {
            "unclassified": DriverError(f"password {SECRET}"),
            "unavailable": UnavailableError(f"cannot reach {SECRET}", host=SECRET, dependency=SECRET),
            "connection": ConnectionRefusedError(111, f"refused {SECRET}"),
            "conflict": ConflictError(f"already {SECRET}", key=SECRET),
            "not_found": ResourceNotFoundError.of("shipment", SECRET),
            "untyped": UntypedError(f"own {SECRET}", SECRET, type="MyOwn", non_retryable=True),
            "group": ExceptionGroup(SECRET, [ValueError(SECRET), DriverError(SECRET)]),
        }[how]
        error.__notes__ = [SECRET]
        raise error from cause


@activity.defn(name="fail_how")
async def fail_how(job: Job) -> None:
    _fail(job.how)


@activity.defn(name="fail_in_thread")
def fail_in_thread(job: Job) -> None:
    _fail(job.how)


@activity.defn(name="hang")
async def hang(job: Job) -> None:
    await asyncio.sleep(30)


@activity.defn(name="beat_never")
async def beat_never(job: Job) -> None:
    await asyncio.sleep(25)


@activity.defn(name="leave")
async def leave(job: Job) -> None:
    raise SystemExit(SECRET)


@activity.defn(name="cancelled_by_nobody")
async def cancelled_by_nobody(job: Job) -> None:
    raise asyncio.CancelledError


@activity.defn(name="wait_for_cancel")
async def wait_for_cancel(job: Job) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)


@activity.defn(name="offer")
@idempotent
async def offer(job: Job) -> None:
    from trenova_errors import AmbiguousOutcomeError

    raise AmbiguousOutcomeError("sent, no answer")


@activity.defn(name="offer_once")
async def offer_once(job: Job) -> None:
    from trenova_errors import AmbiguousOutcomeError

    raise AmbiguousOutcomeError("sent, no answer")


@workflow.defn
class Calls:
    @workflow.run
    async def run(self, name: str, job: Job) -> Any:
        return await workflow.execute_activity(
            name,
            job,
            start_to_close_timeout=timedelta(seconds=2 if name == "hang" else 20),
            heartbeat_timeout=timedelta(seconds=1),
            retry_policy=RetryPolicy(maximum_attempts=job.attempts),
        )


@workflow.defn
class CallsRaw:
    """Sends a job that nobody has checked."""

    @workflow.run
    async def run(self, name: str, job: dict[str, Any]) -> Any:
        return await workflow.execute_activity(
            name,
            job,
            start_to_close_timeout=timedelta(seconds=20),
            retry_policy=RetryPolicy(maximum_attempts=job["attempts"]),
        )


@workflow.defn
class Many:
    """A hundred activities that fail, each of them caught."""

    @workflow.run
    async def run(self, jobs: list[Job]) -> int:
        calls = [
            workflow.execute_activity(
                "fail_how" if index % 2 else "fail_in_thread",
                job,
                start_to_close_timeout=timedelta(seconds=20),
                retry_policy=RetryPolicy(maximum_attempts=job.attempts),
            )
            for index, job in enumerate(jobs)
        ]
        results = await asyncio.gather(*calls, return_exceptions=True)
        return sum(isinstance(result, BaseException) for result in results)


@workflow.defn
class Cancels:
    @workflow.run
    async def run(self, job: Job) -> None:
        handle = workflow.start_activity(
            "wait_for_cancel",
            job,
            start_to_close_timeout=timedelta(seconds=20),
            heartbeat_timeout=timedelta(seconds=1),
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await workflow.sleep(1)
        handle.cancel()
        try:
            await handle
        except BaseException as error:
            if not isinstance(error.__cause__, CancelledError):
                raise


@workflow.defn
class Raising:
    """Fails in its own code, and in its handlers."""

    def __init__(self) -> None:
        self._finished = False
        self._raise = ""

    @workflow.run
    async def run(self, how: str) -> None:
        if how == "again":
            workflow.continue_as_new("nothing")
        if how == "timeout":
            await workflow.wait_condition(lambda: False, timeout=0.01)
        if how not in ("wait", "nothing"):
            _fail(how)
        if how == "wait":
            await workflow.wait_condition(lambda: self._finished)

    @workflow.signal
    def finish(self) -> None:
        self._finished = True

    @workflow.signal
    def fail_by_signal(self, how: str) -> None:
        _fail(how)

    @workflow.update
    async def fail_by_update(self, how: str) -> None:
        _fail(how)

    @workflow.update
    async def fail_by_validator(self, how: str) -> None:
        raise AssertionError

    @fail_by_validator.validator
    def _refuse(self, how: str) -> None:
        _fail(how)

    @workflow.update
    async def refuse(self) -> None:
        raise InvalidInputError(f"not {SECRET}")


WORKFLOWS = [Calls, CallsRaw, Many, Cancels, Raising]
ACTIVITIES = [
    fail_how,
    fail_in_thread,
    hang,
    beat_never,
    leave,
    cancelled_by_nobody,
    wait_for_cancel,
    offer,
    offer_once,
]
