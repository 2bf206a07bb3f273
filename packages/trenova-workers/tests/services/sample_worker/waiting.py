import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any


def eventually(look: Callable[[], Any], *, seconds: float = 60) -> Any:
    """Return the first true answer of ``look``."""
    end = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.05)
    return found


async def eventually_awaited(look: Callable[[], Awaitable[Any]], *, seconds: float = 60) -> Any:
    """Return the first true answer that awaiting ``look`` gives."""
    end = time.monotonic() + seconds
    for _ in range(int(seconds / 0.05)):
        if found := await look():
            return found
        if time.monotonic() > end:
            break
        await asyncio.sleep(0.05)
    raise TimeoutError(f"waited {seconds} s in vain")
