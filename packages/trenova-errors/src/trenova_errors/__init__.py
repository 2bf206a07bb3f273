"""What failed, may it be retried, and when: one decision for Temporal applications.

Raise one of the error classes from activities and workflows and give ``ErrorsPlugin()`` to
``Client.connect``; its workers take it over. The converter for pydantic models is the submodule
``trenova_errors.pydantic`` (extra ``[pydantic]``), which the plugin uses wherever pydantic is installed.
"""

from typing import TYPE_CHECKING, Any

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._kinds import PERMANENT_KINDS, ErrorKind
from trenova_errors._types import (
    AmbiguousOutcomeError,
    ConfigurationError,
    ConflictError,
    DataIntegrityError,
    InvalidInputError,
    NonRetryableError,
    PayloadTooLargeError,
    PermissionDeniedError,
    ResourceNotFoundError,
    RetryableError,
    ThrottledError,
    UnavailableError,
)

if TYPE_CHECKING:
    from trenova_errors._plugin import ErrorsPlugin

__all__ = [
    "PERMANENT_KINDS",
    "AmbiguousOutcomeError",
    "ApplicationError",
    "ConfigurationError",
    "ConflictError",
    "DataIntegrityError",
    "ErrorKind",
    "ErrorsPlugin",
    "Fact",
    "InvalidInputError",
    "NonRetryableError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "ResourceNotFoundError",
    "RetryableError",
    "ThrottledError",
    "UnavailableError",
]


def __getattr__(name: str) -> Any:
    # The plugin needs temporalio.client and temporalio.worker, half a second that code which only raises
    # errors does not have to pay.
    if name == "ErrorsPlugin":
        from trenova_errors._plugin import ErrorsPlugin

        return ErrorsPlugin
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
