"""A process that exists and waits: known before it works."""

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from trenova_workers.pool.processes._mark import born

_BIRTH = Path(__file__).with_name("_birth.py")
# Python ignores the first two, and what is ignored stays ignored across exec; a shell may have ignored SIGINT.
_DEFAULT = tuple(
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ", "SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
_PRIVATE = 0o600


class Newborn:
    """A process in a session of its own that becomes the command once it is told to, and ends otherwise.

    Attributes:
        pid: Its id, and that of its process group.
        born: Its mark; see :func:`born`.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        """Make the process; it waits.

        Args:
            command: Program and arguments.
            environ: Its whole environment.
            log: File to which its output is added.

        Raises:
            OSError: It cannot be made.
        """
        reader, self._writer = os.pipe()
        try:
            os.set_inheritable(reader, True)  # noqa: FBT003
            self.pid = self._spawn(reader, command, environ, log)
        except BaseException:
            os.close(self._writer)
            raise
        finally:
            os.close(reader)
        self.born = born(self.pid) or ""

    def _spawn(self, reader: int, command: Sequence[str], environ: Mapping[str, str], log: Path) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-I", "-S", str(_BIRTH), str(reader), *command],
            dict(environ),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(log), flags, _PRIVATE),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=(),
            setsigdef=_DEFAULT,
        )

    def let_live(self) -> None:
        """Tell it to become the command."""
        with suppress(BrokenPipeError):
            os.write(self._writer, b"1")
        os.close(self._writer)

    def let_end(self) -> None:
        """Have it end without having worked, and take note of its end."""
        os.close(self._writer)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


class Children:
    """The processes that this manager started itself: of these alone the system tells how they ended."""

    def __init__(self) -> None:
        self._own: set[int] = set()
        self._statuses: dict[int, int] = {}

    def add(self, pid: int) -> None:
        """Take note of a child."""
        self._own.add(pid)

    def status(self, pid: int) -> int | None:
        """Return how a child ended, negative for a signal; None while it runs, and for the child of another."""
        if pid in self._own:
            try:
                ended, status = os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                self._own.discard(pid)
                return None
            if ended:
                self._own.discard(pid)
                self._statuses[pid] = os.waitstatus_to_exitcode(status)
        return self._statuses.pop(pid, None)


def ask_to_end(pid: int) -> None:
    """Send SIGTERM to a worker, once: a second one would cut its work off."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def end_by_force(pid: int) -> None:
    """Send SIGKILL to a worker and everything in its process group."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
