"""Under what conditions something was measured, without a name of the machine."""

import os
import platform
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from trenova_workers._up._embedded import installed_binary

_PACKAGES = ("temporalio", "trenova-workers", "pydantic")
_GIB = 1024**3


def read_conditions() -> dict[str, str]:
    """Return what a reader has to know to compare, by what it is."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": f"{_processor()}, {os.cpu_count()} cores",
        "memory": f"{psutil.virtual_memory().total / _GIB:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()) + " (1, 5 and 15 min, at the start)",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "server": _server_version(),
    }


def _processor() -> str:
    return next(_models(), platform.processor() or "unknown processor")


def _models() -> Iterator[str]:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()


def _server_version() -> str:
    done = subprocess.run([installed_binary(), "--version"], capture_output=True, text=True, check=True)
    return f"{done.stdout.strip()}, SQLite in WAL mode, fairness on"
