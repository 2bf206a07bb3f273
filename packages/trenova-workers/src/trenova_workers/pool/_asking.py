"""Asking a Temporal server for something that may not be told, without holding up what else is to be done."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

from temporalio.service import RPCError

from trenova_errors import ApplicationError

T = TypeVar("T")


async def or_none(asked: Awaitable[T], what: str, missing: list[str], *, within: timedelta) -> T | None:
    """Return the answer; None where there is none, and a sentence about that is added to ``missing``.

    Args:
        asked: What is asked.
        what: In words, after "the server does not tell".
        missing: Receives the sentence.
        within: How long it may take: workers are not looked after meanwhile.
    """
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await asked
    except TimeoutError:
        missing.append(f"The server does not tell {what} within {within.total_seconds():g} s")
    except (RPCError, ApplicationError) as error:
        missing.append(f"The server does not tell {what}: {error.message.rstrip('.')}")
    return None
