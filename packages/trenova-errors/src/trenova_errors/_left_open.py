"""Which decisions leave it open what became of a request, once there is evidence that it was sent."""

from typing import Final

from trenova_errors._kinds import ErrorKind
from trenova_errors._type_decisions import TYPES

_LOST: Final = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.AMBIGUOUS})
_NOT_TAKEN: Final = frozenset(
    {
        *("HTTP 425", "HTTP 503", "HTTP 507", "HTTP 521", "HTTP 522", "HTTP 523", "HTTP 530"),
        *("SQLSTATE 08001", "SQLSTATE 08004", "SQLSTATE 57P03"),
        *(f"SMTP {reply}" for reply in range(400, 500)),
    }
)
"""Answers that say that the request was not processed."""

_FAILED_INSIDE: Final = frozenset(
    {
        *("gRPC UNKNOWN", "gRPC INTERNAL", "errno EAGAIN", "errno EINTR"),
        *("AWS InternalFailure", "AWS InternalError", "AWS InternalServerError", "AWS KMSInternalException"),
        *(f"HTTP {status}" for status in range(500, 600)),
    }
)
"""Codes of a failure half-way: the other side may have done its work before it failed."""

_REFUSED: Final = frozenset(
    {
        *("sqlalchemy.orm.exc.StaleDataError", "sqlalchemy.exc.PendingRollbackError"),
        "asyncpg.exceptions.OutdatedSchemaCacheError",
        *(
            f"redis.exceptions.{name}"
            for name in (
                *("NoScriptError", "ExecAbortError", "WatchError", "LockError"),
                *("AskError", "MovedError", "TryAgainError"),
            )
        ),
        *("smtplib.SMTPSenderRefused", "smtplib.SMTPDataError", "smtplib.SMTPRecipientsRefused"),
        *(
            f"aiosmtplib.errors.{name}"
            for name in ("SMTPSenderRefused", "SMTPRecipientRefused", "SMTPRecipientsRefused", "SMTPDataError")
        ),
        *("asyncio.exceptions.BrokenBarrierError", "builtins.BlockingIOError"),
        *("ssl.SSLWantReadError", "ssl.SSLWantWriteError"),
    }
)
"""Types that are retried because what was asked for was surely not done; every other one that is retried is vague."""

_VAGUE: Final = frozenset(
    f"type {name}" for name, (decision, _) in TYPES.items() if decision.kind is ErrorKind.RETRYABLE
) - {f"type {name}" for name in _REFUSED}


def leaves_open(kind: ErrorKind, source: str) -> bool:
    """Whether a failure after something was sent leaves its outcome unknown.

    Args:
        kind: What it is without evidence.
        source: What decided, as :attr:`Classification.source` has it.
    """
    if kind in _LOST:
        return source not in _NOT_TAKEN
    return kind is ErrorKind.RETRYABLE and (source in _FAILED_INSIDE or source in _VAGUE)
