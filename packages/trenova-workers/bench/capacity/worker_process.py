"""A worker in a process of its own: ``python -m capacity.worker_process VARIANT ADDRESS QUEUE``.

Each line on standard input is answered with one line of JSON: the bytes that this process holds after collecting
garbage. The end of input ends the worker, so that it does not outlive who started it.
"""

import asyncio
import gc
import json
import sys

import psutil

from capacity.serving import serve
from trenova_workers._leave import leave


async def main(variant: str, address: str, queue: str) -> None:
    """Serve until standard input ends."""
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(variant, address, queue, stop))
    answering = asyncio.create_task(_answer())
    await asyncio.wait({serving, answering}, return_when=asyncio.FIRST_COMPLETED)
    stop.set()
    await serving


async def _answer() -> None:
    while await asyncio.to_thread(sys.stdin.readline):
        # Twice: what a finalizer of the first pass lets go of is found by the second.
        gc.collect()
        gc.collect()
        sys.stdout.write(json.dumps(psutil.Process().memory_info().rss) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    leave(0)
