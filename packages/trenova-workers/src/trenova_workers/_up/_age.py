"""How long this process has been alive, so that imports count as the time they are."""

import os
import time
from contextlib import suppress
from pathlib import Path

_START_TIME = 19  # of the fields after the command's closing bracket; proc(5), field 22


def process_age() -> float:
    """Seconds since this process was started; 0.0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError, AttributeError):
        fields = Path("/proc/self/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        started = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    return 0.0
