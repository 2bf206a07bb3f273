"""Under what conditions something was measured, without a name of the machine."""

import os
import platform
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bulk.site import SETTINGS, Site

_PACKAGES = ("trenova-activities", "sqlalchemy", "asyncpg", "temporalio")


def read_conditions(site: Site) -> dict[str, str]:
    """Return what a reader has to know to compare, by what it is."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "processor": f"{_processor()}, {os.cpu_count()} cores, shared by the server and everything that asks it",
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "load average": " ".join(f"{load:.2f}" for load in os.getloadavg()) + " (1, 5 and 15 min, at the start)",
        "PostgreSQL": f"{site.version}, {', '.join(SETTINGS)}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def _processor() -> str:
    return next(_models(), platform.processor() or "unknown processor")


def _models() -> Iterator[str]:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                yield line.partition(":")[2].strip()
