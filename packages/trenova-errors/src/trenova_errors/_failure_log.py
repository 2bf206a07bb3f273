"""One line for each failure that matters, with the same keys everywhere.

====================================  =======  ==========================================
what happened                         level    when
====================================  =======  ==========================================
the last attempt failed               ERROR    always
an attempt failed that is not last    WARNING  attempts 1, 10, 100, 1000 and so on
the one who asked can put it right    INFO     always
cancellation, continue-as-new, pause           never
====================================  =======  ==========================================
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from trenova_errors._classification import Classification
from trenova_errors._evidence import stack_of, types_of

logger: Final = logging.getLogger("trenova_errors")

_TAKEN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_MARK: Final = "__trenova_failure_logged__"


@dataclass(frozen=True)
class Summary:
    """What of a classification a log line repeats: words of this package, none of the exception's."""

    kind: str
    code: str
    benign: bool
    error_type: str | None = None
    """The failure's own ``type``, where it is none of the kinds."""
    retryable: bool = False
    reason: str | None = None
    source: str | None = None
    runbook: str | None = None


def summary_of(found: Classification) -> Summary:
    """Return what a line repeats of a decision."""
    return Summary(
        kind=found.kind.value,
        code=found.code,
        benign=found.benign,
        retryable=found.retryable,
        reason=found.reason,
        source=found.source,
        runbook=found.runbook,
    )


def level_of(summary: Summary, *, final: bool, milestone: bool) -> int | None:
    """Return the level of the line, or None where there is none."""
    if summary.benign:
        return logging.INFO if final or milestone else None
    if final:
        return logging.ERROR
    return logging.WARNING if milestone else None


def write(level: int, event: str, error: BaseException, summary: Summary, context: Mapping[str, Any]) -> None:
    """Write the line.

    Args:
        level: From :func:`level_of`.
        event: What failed, in constant words, so that lines can be grouped by it.
        error: For the names of types and the places in code.
        summary: For the kind, the code and the reason.
        context: Keys of the line: ``workflow_id`` and so on; None values are left out, and names that ``logging``
            keeps for itself get the prefix ``context_``.
    """
    types = types_of(error)
    keys = {
        **{_free(name): value for name, value in context.items()},
        "error_kind": summary.kind,
        "error_code": summary.code,
        "error_type": summary.error_type,
        "error_types": types,
        "error_reason": summary.reason,
        "error_source": summary.source,
        "runbook": summary.runbook,
        "error_stack": stack_of(error) if level >= logging.WARNING else None,
    }
    extra = {name: value for name, value in keys.items() if value is not None}
    template = event.replace("%", "%%")
    logger.log(level, f"{template}: %s (%s), %s", summary.kind, summary.code, types, extra=extra)  # noqa: G004


def _free(name: Any) -> str:
    """Return the key under which ``logging`` takes a value: it refuses its own names, such as ``name``."""
    return f"context_{name}" if name in _TAKEN else str(name)


def mark(error: BaseException) -> None:
    """Note that this failure has had its line, or needs none, so that the SDK's own is left out."""
    vars(error)[_MARK] = True


def marked(error: BaseException | None) -> bool:
    """Whether :func:`mark` has seen it."""
    return error is not None and _MARK in getattr(error, "__dict__", {})
