"""What tells a process from all others, also from a later one of the same id."""

import sys
from contextlib import suppress
from functools import cache
from pathlib import Path

_START_TIME = 19  # of the fields after the command's closing bracket; proc(5), field 22
_GONE = {"Z", "X", "x"}


def born(pid: int) -> str | None:
    """Return the mark of a living process: boot of the machine and time in it; None if there is none, or only its end.

    Process ids are used again; the pair is not. On Linux the time is in ticks since the boot, which no change of the
    clock moves.
    """
    return _on_linux(pid) if sys.platform == "linux" else _elsewhere(pid)


def _on_linux(pid: int) -> str | None:
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        return None if fields[0] in _GONE else f"{_boot()}:{int(fields[_START_TIME])}"
    return None


def _elsewhere(pid: int) -> str | None:
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{psutil.boot_time():.0f}:{process.create_time():.3f}"
    return None


@cache
def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def memory_mib(pid: int) -> float | None:
    """Return what a process and its children keep in memory; None when it is gone."""
    import psutil

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        total = process.memory_info().rss
        for child in process.children(recursive=True):
            with suppress(psutil.Error):
                total += child.memory_info().rss
        return float(round(total / 2**20, 1))
    return None
