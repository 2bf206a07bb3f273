"""Waiting for what the server will say."""

import asyncio
from collections.abc import Awaitable, Callable


async def until(look: Callable[[], Awaitable[bool]], seconds: float = 40) -> None:
    """Ask until it is so; not too often, since the server bears few questions about one deployment."""
    async with asyncio.timeout(seconds):
        for _ in range(int(seconds / 0.4)):
            if await look():
                return
            await asyncio.sleep(0.4)
    raise TimeoutError(f"waited {seconds} s in vain")
