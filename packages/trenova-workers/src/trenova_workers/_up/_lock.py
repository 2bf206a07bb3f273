"""The data folder: private, and one ``up`` at a time.

Two advisory locks of the operating system, so that neither outlives its holder:
``up.lock`` is held by ``up``; ``server.lock`` is held by ``up`` and inherited by the Temporal
server, so that a new ``up`` waits for the server of one that was killed to let go of the database.
"""

import asyncio
import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from trenova_workers._up._options import UpError

UP_LOCK = "up.lock"
SERVER_LOCK = "server.lock"
_PRIVATE = 0o700


def private_folder(folder: Path) -> Path:
    """Make ``folder`` or make it private (0700); return its absolute path.

    Raises:
        UpError: It is another user's, not a folder, or holds things that are not ours while
            others may read it (then nothing is changed).
    """
    folder = folder.absolute()
    try:
        folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        status = folder.stat()
        if status.st_uid != os.getuid():
            raise UpError(
                f"Data folder {folder} belongs to user id {status.st_uid}, not to you. Choose another with --data-dir."
            )
        if status.st_mode & 0o077:
            _tighten(folder)
    except OSError as error:
        raise UpError(
            f"Data folder {folder} cannot be used: {error.strerror}. Choose another with --data-dir."
        ) from error
    return folder


def _tighten(folder: Path) -> None:
    names = {entry.name for entry in folder.iterdir()}
    if names and folder.name != ".trenova" and UP_LOCK not in names:
        raise UpError(
            f"Data folder {folder} is open to other users and holds files that are not of this command. "
            f"Choose another with --data-dir, or make it private: chmod 700 {folder}"
        )
    folder.chmod(_PRIVATE)


class FileLock:
    """An exclusive lock on a file that holds the pid of its owner."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> bool:
        """Take the lock unless another process has it."""
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def write_owner(self, pid: int) -> None:
        """Say who holds it, for the message of whoever is refused."""
        os.ftruncate(self.fd, 0)
        os.pwrite(self.fd, str(pid).encode(), 0)

    def owner(self) -> str:
        """The pid that the holder wrote, ``unknown`` in the instant before it did."""
        return os.pread(self.fd, 32, 0).decode(errors="replace").strip() or "unknown"

    def close(self) -> None:
        """Let go; a child that inherited the descriptor keeps the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def lock_folder(folder: Path) -> FileLock:
    """Take the folder for this ``up``.

    Raises:
        UpError: Another ``up`` has it; names its pid.
    """
    lock = FileLock(folder / UP_LOCK)
    if not lock.take():
        owner = lock.owner()
        lock.close()
        raise UpError(
            f"Data folder {folder} is in use by another `trenova-workers up` (pid {owner}). "
            "Stop that one (Ctrl-C or SIGTERM), or give this one a folder of its own with --data-dir."
        )
    lock.write_owner(os.getpid())
    return lock


async def lock_server(folder: Path, limit: float, on_wait: Callable[[str], None]) -> FileLock:
    """Wait up to ``limit`` seconds until no server of an earlier ``up`` runs on this folder.

    Raises:
        UpError: One still runs; names its pid.
    """
    lock = FileLock(folder / SERVER_LOCK)
    with suppress(TimeoutError):
        async with asyncio.timeout(limit):
            if not lock.take():
                on_wait(lock.owner())
                while not lock.take():  # noqa: ASYNC110  # a lock of the system wakes nobody here
                    await asyncio.sleep(0.1)
            return lock
    owner = lock.owner()
    lock.close()
    raise UpError(
        f"The Temporal server of an earlier `up` (pid {owner}) still runs on {folder}. "
        f"Stop it (kill {owner}) and start again."
    )
