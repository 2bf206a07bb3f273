"""What the machine or the container gives this process: memory and processors."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from trenova_workers._tuning._control_group import GroupLimits, group_limits

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Host:
    """What may be used. ``memory_mib`` is ``None`` where nothing limits it."""

    cores: int
    memory_mib: int | None


def this_host(root: Path = Path("/")) -> Host:
    """Read affinity and the limits of the control group (version 2 or 1), its parents' included."""
    limits = group_limits(root) or GroupLimits()
    cores = _affinity()
    if limits.cpus is not None:
        cores = min(cores, max(1, math.ceil(limits.cpus)))
    return Host(cores, limits.memory // _MIB if limits.memory is not None else None)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
