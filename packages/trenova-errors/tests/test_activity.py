import asyncio
from concurrent.futures import BrokenExecutor

import pytest
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import CancelledError, WorkflowAlreadyStartedError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from trenova_errors import ConflictError, RetryableError
from trenova_errors._activity import ActivityErrors

SDK = "type.temporalio.exceptions"


class DriverError(Exception):
    pass


class Raising(ActivityInboundInterceptor):
    def __init__(self, error: BaseException) -> None:
        self.error = error

    async def execute_activity(self, input):  # noqa: A002 - the SDK's name
        raise self.error


def nothing() -> None:
    pass


async def _escaping(error):
    async def run():
        await ActivityErrors(Raising(error)).execute_activity(ExecuteActivityInput(nothing, [], None, {}))

    with pytest.raises(BaseException) as caught:  # noqa: PT011 - which one is what the tests ask
        await ActivityEnvironment().run(run)
    return caught.value


@pytest.mark.parametrize(
    "error",
    [
        ConflictError("typed"),
        CancelledError("asked for"),
        BrokenExecutor("the worker has to end"),
        activity._CompleteAsyncError(),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_the_sdk_or_somebody_else_has_decided_passes(error):
    assert await _escaping(error) is error


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (DriverError("no"), f"{__name__}.DriverError"),
        (ExceptionGroup("several", [ValueError("one")]), "ExceptionGroup"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_nobody_has_decided_about_is_retryable_under_the_name_of_its_type(error, name):
    escaped = await _escaping(error)

    assert isinstance(escaped, RetryableError)
    assert (escaped.message, escaped.code) == (f"Activity raised {name}.", "unclassified")
    assert escaped.__cause__ is error


@pytest.mark.parametrize(
    ("error", "kind", "code"),
    [
        (TimeoutError("secret"), "unavailable", "type.builtins.TimeoutError"),
        (OSError(28, "secret"), "unavailable", "errno.ENOSPC"),
        (
            WorkflowAlreadyStartedError("id", "type"),
            "conflict",
            f"{SDK}.WorkflowAlreadyStartedError",
        ),
        (WorkflowFailureError(cause=ConflictError("secret")), "conflict", "conflict"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_everything_else_has_the_kind_that_was_decided(error, kind, code):
    escaped = await _escaping(error)

    assert (escaped.kind, escaped.code) == (kind, code)


async def test_the_reason_is_told_and_the_text_of_others_is_not():
    escaped = await _escaping(TimeoutError("secret"))

    assert escaped.message.startswith("Activity raised TimeoutError. ")
    assert "secret" not in escaped.message
    assert escaped.facts == {"exception": "TimeoutError", "source": "type builtins.TimeoutError"}
