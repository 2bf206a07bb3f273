"""A pool manager as a process that can be killed: ``python managing.py JSON``."""

import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from pool_site import wanting
from temporalio.client import Client

from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool._running import open_manager


async def main() -> None:
    told = json.loads(sys.argv[1])
    logging.basicConfig(level=logging.INFO, stream=sys.stderr)
    client = await Client.connect(os.environ["TEMPORAL_ADDRESS"])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    options = PoolsOptions.model_validate(told["options"])
    async with open_manager(options, client, os.environ, decide=wanting(told["count"]), say=print) as opened:
        await opened.manager.run(stop)


if __name__ == "__main__":
    asyncio.run(main())
