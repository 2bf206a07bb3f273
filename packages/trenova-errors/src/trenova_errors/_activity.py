"""What escapes from an activity leaves with a type."""

from concurrent.futures import BrokenExecutor
from typing import Any

from temporalio import activity
from temporalio.exceptions import FailureError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from trenova_errors._arguments import fit
from trenova_errors._failures import presentable
from trenova_errors._types import RetryableError


class UnclassifiedError(RetryableError):
    """An exception that nobody has decided about; the cause says which."""

    code = "unclassified"


class ActivityErrors(ActivityInboundInterceptor):
    """Refuses a wrong number of arguments and gives a type to exceptions that have none."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        """See base class."""
        subject = f"Activity {activity.info().activity_type!r}"
        input.args = fit(input.fn, input.args, activity.payload_converter, subject=subject)
        try:
            return await super().execute_activity(input)
        except (FailureError, BrokenExecutor):  # typed already; the SDK ends the worker on a broken executor
            raise
        except Exception as error:  # noqa: BLE001 - wrapped, not swallowed
            name = _qualified_name(type(error))
            raise UnclassifiedError(f"Activity raised {name}.", exception=name) from presentable(error)


def _qualified_name(cls: type) -> str:
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
