"""Child processes: each in a session of its own, tied to this one, its output delivered by line.

A session of its own, so that Ctrl-C in a terminal reaches ``up`` alone and the order of stopping
is its to give; tied by ``_tether``, so that nothing lingers when ``up`` itself is killed.
"""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

Deliver = Callable[[str], None]

_TETHER = Path(__file__).with_name("_tether.py")
_LONGEST_LINE = 64 * 1024
_KEPT_LINES = 20


def discard(_line: str) -> None:
    """Deliver to nobody."""


class Child:
    """A process that was started; ``tail`` holds the last lines of its standard error."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.tail: deque[str] = deque(maxlen=_KEPT_LINES)
        self._process = process
        self._readers: list[asyncio.Task[None]] = []
        self._ended = asyncio.ensure_future(self._run())

    @property
    def pid(self) -> int:
        """Its process id and that of its session."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether its end has not been seen."""
        return not self._ended.done()

    def read(self, fd: int, deliver: Deliver) -> None:
        """Deliver each line that arrives on ``fd``, which becomes ours."""
        self._readers.append(asyncio.ensure_future(_follow(fd, deliver)))

    async def wait(self) -> int:
        """Its exit status, negative for a signal, once all it printed is delivered."""
        return await asyncio.shield(self._ended)

    def terminate(self) -> None:
        """Ask it to end."""
        if self.running:
            with suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and everything in its session."""
        if self.running:
            _kill_session(self.pid)

    async def stop(self, grace: float) -> bool:
        """Ask it to end, and kill it after ``grace`` seconds; False when it had to be killed."""
        self.terminate()
        done, _ = await asyncio.wait([self._ended], timeout=grace)
        if not done:
            self.kill()
            await self.wait()
        return bool(done)

    async def _run(self) -> int:
        status = await self._process.wait()
        # What it started and left behind would hold its output open, and would stay.
        _kill_session(self.pid)
        if self._readers:
            _, late = await asyncio.wait(self._readers, timeout=2)
            for reader in late:
                reader.cancel()
        return status


def _kill_session(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


class Processes:
    """Every process of this ``up``; the last to forget them."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    @property
    def running(self) -> list[Child]:
        """Those whose end has not been seen."""
        return [child for child in self._children if child.running]

    def kill_all(self) -> None:
        """End all at once, without asking."""
        for child in self.running:
            child.kill()

    async def spawn(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        out: Deliver | None = None,
        err: Deliver | None = None,
        into: int | None = None,
        keep: Sequence[int] = (),
    ) -> Child:
        """Start ``command``.

        Args:
            command: Program and arguments.
            environ: Its whole environment.
            out: Receives the lines of standard output, which otherwise go the way of standard error.
            err: Receives the lines of standard error.
            into: A file descriptor for both, instead.
            keep: File descriptors that the child inherits.
        """
        pipes = [] if into is not None else [os.pipe() for _ in range(2 if out else 1)]
        writers = [into] if into is not None else [writer for _, writer in pipes]
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(_TETHER), str(os.getpid()), *command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=writers[-1],
                stderr=writers[0],
                env=dict(environ),
                start_new_session=True,
                pass_fds=keep,
            )
        except BaseException:
            for reader, _ in pipes:
                os.close(reader)
            raise
        finally:
            for _, writer in pipes:
                os.close(writer)
        child = Child(process)
        self._children = [*self.running, child]
        deliveries = [_keeping(child.tail, err or discard), *([out] if out else [])]
        for (reader, _), deliver in zip(pipes, deliveries, strict=into is None):
            child.read(reader, deliver)
        return child


def _keeping(tail: deque[str], deliver: Deliver) -> Deliver:
    def both(line: str) -> None:
        tail.append(line)
        deliver(line)

    return both


async def _follow(fd: int, deliver: Deliver) -> None:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
    )
    rest = b""
    try:
        while chunk := await reader.read(_LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                deliver(line.decode(errors="replace").rstrip("\r"))
            if len(rest) > _LONGEST_LINE:
                deliver(rest.decode(errors="replace"))
                rest = b""
        if rest:
            deliver(rest.decode(errors="replace"))
    finally:
        transport.close()
