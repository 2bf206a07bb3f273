"""What failed, may it be retried, and when: one decision for Temporal applications.

Raise one of the error classes from activities and workflows and give ``ErrorsPlugin()`` to
``Client.connect``; its workers take it over. The converter for pydantic models is the submodule
``trenova_errors.pydantic`` (extra ``[pydantic]``), which the plugin uses wherever pydantic is installed.
"""

from typing import TYPE_CHECKING, Any

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._budget import BudgetOptions
from trenova_errors._classification import Classification
from trenova_errors._classify import classify
from trenova_errors._from_failure import from_failure
from trenova_errors._handled import log_failure, to_error
from trenova_errors._kinds import PERMANENT_KINDS, ErrorKind
from trenova_errors._outcome import sending
from trenova_errors._policies import (
    BULK_JOB_POLICY,
    DATABASE_POLICY,
    HTTP_CALL_POLICY,
    NOTIFICATION_POLICY,
    POLICIES,
    ActivityOptions,
    ActivityPolicy,
)
from trenova_errors._problem import Problem, ProblemDetails, to_problem
from trenova_errors._retry_after import HintOptions
from trenova_errors._rules import Rule, RuleSet
from trenova_errors._settings import idempotent
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
    from trenova_errors._sizes import PayloadLimits

__all__ = [
    "BULK_JOB_POLICY",
    "DATABASE_POLICY",
    "HTTP_CALL_POLICY",
    "NOTIFICATION_POLICY",
    "PERMANENT_KINDS",
    "POLICIES",
    "ActivityOptions",
    "ActivityPolicy",
    "AmbiguousOutcomeError",
    "ApplicationError",
    "BudgetOptions",
    "Classification",
    "ConfigurationError",
    "ConflictError",
    "DataIntegrityError",
    "ErrorKind",
    "ErrorsPlugin",
    "Fact",
    "HintOptions",
    "InvalidInputError",
    "NonRetryableError",
    "PayloadLimits",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "Problem",
    "ProblemDetails",
    "ResourceNotFoundError",
    "RetryableError",
    "Rule",
    "RuleSet",
    "ThrottledError",
    "UnavailableError",
    "classify",
    "from_failure",
    "idempotent",
    "log_failure",
    "sending",
    "to_error",
    "to_problem",
]


def __getattr__(name: str) -> Any:
    # The plugin needs temporalio.client and temporalio.worker, half a second that code which only raises
    # errors does not have to pay.
    if name == "ErrorsPlugin":
        from trenova_errors._plugin import ErrorsPlugin

        return ErrorsPlugin
    if name == "PayloadLimits":
        from trenova_errors._sizes import PayloadLimits

        return PayloadLimits
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
