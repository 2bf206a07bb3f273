"""One attempt to send: its time limit, its turn, and what its failure means."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from aiolimiter import AsyncLimiter

from trenova_activities.channels._options import RateOptions
from trenova_errors import AmbiguousOutcomeError, ApplicationError, ThrottledError, classify, to_error

_UNDECIDED = "unclassified"


@dataclass
class Progress:
    """How far an attempt has come; the channel says it.

    Attributes:
        sent: The whole message may have reached the other side.
        answered: The other side said what it makes of it.
        receipt: Its word for having taken it; whatever fails afterwards is of no account.
    """

    sent: bool = False
    answered: bool = False
    receipt: str = ""

    @property
    def open(self) -> bool:
        """Whether nobody knows if the message was taken."""
        return self.sent and not self.answered


@asynccontextmanager
async def attempt(what: str, timeout_s: float) -> AsyncIterator[Progress]:
    """Turn whatever escapes from the block into an error of ours that names no address, text or secret.

    Args:
        what: Who should take the message, for people: ``The mail server``.
        timeout_s: What the block may take.

    Raises:
        AmbiguousOutcomeError: The message was sent and the answer is lost; it may be sent again under its id.
        ApplicationError: What the failure is otherwise classified as.
    """
    progress = Progress()
    try:
        async with asyncio.timeout(timeout_s):
            yield progress
    except ApplicationError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever a library raises is decided by its type and code
        if progress.receipt:
            return
        failed = _decided(error, what, progress)
        raise failed from (error if failed.code == _UNDECIDED else None)


def _decided(error: Exception, what: str, progress: Progress) -> ApplicationError:
    found = classify(error, idempotent=True)
    if progress.open:
        return AmbiguousOutcomeError(
            f"{what} was sent the message and its answer is lost ({found.source or found.code}). "
            "The message is sent again under the same id.",
            idempotent=True,
            failed_with=found.code,
        )
    return to_error(found, f"{what} did not take the message: {found.reason}")


class Turns:
    """Lets as many messages pass as the other side is to be given.

    Args:
        rate: How many; None lets all pass.
    """

    def __init__(self, rate: RateOptions | None) -> None:
        self._rate = rate
        self._limiter = None if rate is None else AsyncLimiter(rate.messages, rate.per_s)

    async def wait(self, what: str) -> None:
        """Wait for a turn.

        Raises:
            ThrottledError: There was none in time; nothing was sent.
        """
        if self._limiter is None or self._rate is None:
            return
        try:
            async with asyncio.timeout(self._rate.wait_s):
                await self._limiter.acquire()
        except TimeoutError:
            raise ThrottledError(
                f"{what} gets {self._rate.messages} messages in {self._rate.per_s:g} s from this worker, and more are "
                "waiting. Raise its rate if it can take more.",
                retry_after=timedelta(seconds=max(1.0, self._rate.per_s)),
            ) from None
