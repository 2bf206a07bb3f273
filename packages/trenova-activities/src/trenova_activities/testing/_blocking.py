"""Asynchronous work for synchronous callers, whether or not a loop runs in their thread."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import asyncpg

Result = TypeVar("Result")


def block_on(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine in a thread and a loop of its own and return its result."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def run_sql(url: str, *scripts: str) -> None:
    """Run SQL scripts, all in one transaction."""
    block_on(_run(url.replace("+asyncpg", "", 1), scripts))


async def _run(url: str, scripts: tuple[str, ...]) -> None:
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            for script in scripts:
                await connection.execute(script)
    finally:
        await connection.close()
