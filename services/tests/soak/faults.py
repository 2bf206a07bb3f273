"""What a soak does to a system; each fault takes itself back."""

import asyncio
import os
import random
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from databases import PostgresTms
from system import MODULES, System

Fault = Callable[[System, random.Random], Awaitable[str]]
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


async def kill(system: System, chance: random.Random) -> str:
    """End a worker as ``kill -9`` does, and start another."""
    module = chance.choice(MODULES)
    system.workers[module].kill()
    await asyncio.sleep(chance.uniform(0, 3))
    await system.start(module)
    return module


async def server(system: System, chance: random.Random) -> str:
    """End the Temporal server, and start it again on what it has on disk."""
    system.server.kill()
    away = chance.uniform(1, 6)
    await asyncio.sleep(away)
    system.server.start()
    return f"{away:.0f} s away"


async def connection(system: System, chance: random.Random) -> str:
    """Cut the connection of all workers to the server."""
    away = chance.uniform(2, 10)
    await system.connection.cut(away)
    return f"{away:.0f} s cut"


async def slow_database(system: System, chance: random.Random) -> str:
    """Hold a lock on the TMS for longer than a statement waits."""
    held = chance.uniform(3, 14)
    await system.tms.lock(held)
    return f"locked for {held:.0f} s"


async def slow_wire(system: System, chance: random.Random) -> str:
    """Delay whatever workers send to the database."""
    assert isinstance(system.tms, PostgresTms)
    delay, slow = chance.uniform(0.1, 0.4), chance.uniform(4, 10)
    await system.tms.wire.slow(delay, slow)
    return f"{delay * 1000:.0f} ms a message for {slow:.0f} s"


async def terminate(system: System, chance: random.Random) -> str:
    """End the connections of everybody to the database, several times."""
    assert isinstance(system.tms, PostgresTms)
    ended = []
    for _ in range(chance.randint(1, 4)):
        ended.append(await system.tms.terminate())
        await asyncio.sleep(chance.uniform(0.2, 1.5))
    return f"{' and '.join(map(str, ended))} connections"


async def failover(system: System, chance: random.Random) -> str:
    """Crash the database server, and have it recover after a while."""
    assert isinstance(system.tms, PostgresTms)
    await system.tms.crash()
    away = chance.uniform(1, 8)
    await asyncio.sleep(away)
    await system.tms.start()
    return f"{away:.0f} s away"


async def mail(system: System, chance: random.Random) -> str:
    """Have the mail server away, busy, and silent after it took a mail, one after the other."""
    return await _in_turn(system.receivers.break_mail, ["away", "busy", "silent"], chance)


async def webhook(system: System, chance: random.Random) -> str:
    """Have the receiver of webhooks away, failing, and silent after it took a request, one after the other."""
    return await _in_turn(system.receivers.break_hook, ["away", "failing", "silent"], chance)


async def _in_turn(break_: Callable[[str, float], Awaitable[None]], ways: Sequence[str], chance: random.Random) -> str:
    said = []
    for how in chance.sample(ways, len(ways)):
        seconds = chance.uniform(1, 4)
        await break_(how, seconds)
        said.append(f"{how} for {seconds:.0f} s")
    return ", ".join(said)


async def disk(system: System, chance: random.Random) -> str:
    """Fill the disk that database, server and logs are on, for some seconds; start the database if that ended it."""
    ballast = system.folder / "ballast"
    await asyncio.to_thread(_fill, ballast)
    full = chance.uniform(2, 6)
    await asyncio.sleep(full)
    ballast.unlink()
    if isinstance(system.tms, PostgresTms) and not system.tms.alive:
        await system.tms.start()
        return f"full for {full:.0f} s; the database server had ended"
    return f"full for {full:.0f} s"


def _fill(ballast: Path) -> None:
    """Write until nothing goes in any more."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1 << 16)):
            pass


async def clock(system: System, chance: random.Random) -> str:
    """Start a worker anew whose clock is an hour off, and a right one after a while."""
    module = chance.choice(MODULES[:2])
    hours = chance.choice(["+1h", "-1h"])
    system.workers[module].kill()
    await system.start(module, LD_PRELOAD=str(FAKETIME), FAKETIME=hours, FAKETIME_DONT_FAKE_MONOTONIC="1")
    await asyncio.sleep(8)
    system.workers[module].kill()
    await system.start(module)
    return f"{module} {hours}"


FAULTS: dict[str, Fault] = {
    "kill": kill,
    "server": server,
    "connection": connection,
    "slow-database": slow_database,
    "slow-wire": slow_wire,
    "terminate": terminate,
    "failover": failover,
    "mail": mail,
    "webhook": webhook,
    "disk": disk,
    "clock": clock,
}
_OF_POSTGRESQL = ("slow-wire", "terminate", "failover")


def impossible(folder: Path, tms: str) -> dict[str, str]:
    """The faults that this machine or this kind of TMS cannot have, with why."""
    lacking = {}
    if tms != PostgresTms.kind:
        lacking |= dict.fromkeys(_OF_POSTGRESQL, f"the TMS is on {tms}, which has no server")
    if not is_small_disk(folder):
        lacking["disk"] = "the folder is on no disk of its own; as root one is made"
    if not FAKETIME.exists():
        lacking["clock"] = "libfaketime is not installed (Debian: libfaketime)"
    return lacking


def is_small_disk(folder: Path) -> bool:
    return shutil.disk_usage(folder).total < 2**31 and os.path.ismount(folder)


def mounted(folder: Path, mib: int = 600) -> bool:
    """Put a small disk of its own on a folder; only root may."""
    if os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0711", "trenova-soak", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def unmount(folder: Path) -> None:
    subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=False)
