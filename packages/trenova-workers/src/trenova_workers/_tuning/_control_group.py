"""The limits of the control group that this process is in, version 1 or 2 (Linux)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Version 1 says "no limit" with the largest number of pages; no machine has this much memory.
_UNLIMITED = 1 << 60


@dataclass(frozen=True)
class GroupLimits:
    """``memory`` in bytes, ``cpus`` in whole CPUs' worth of time; None is no limit."""

    memory: int | None = None
    cpus: float | None = None


def group_limits(root: Path) -> GroupLimits | None:
    """Return the tightest limits of the group and those around it; None where there are no control groups.

    Args:
        root: Stands for ``/``.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return None
    memory: list[int] = []
    cpus: list[float] = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        for group in _groups(root, controllers, path):
            memory += _memory(group)
            cpus += _cpus(group)
    return GroupLimits(min(memory, default=None), min(cpus, default=None))


def _groups(root: Path, controllers: str, path: str) -> Iterator[Path]:
    """Yield the folders of a group and of those around it; inside a container the path may be the host's."""
    tree = root / "sys/fs/cgroup"
    if controllers and not {"memory", "cpu"} & set(controllers.split(",")):
        return
    mounted = [tree / controllers, *(tree / one for one in controllers.split(","))] if controllers else [tree]
    for base in dict.fromkeys(mounted):
        group = base / path.lstrip("/")
        while group != base:
            yield group
            group = group.parent
        yield base


def _memory(group: Path) -> list[int]:
    found = [_read(group / name) for name in ("memory.max", "memory.high", "memory.limit_in_bytes")]
    return [int(text) for text in found if text.isdecimal() and int(text) < _UNLIMITED]


def _cpus(group: Path) -> list[float]:
    quota, _, period = _read(group / "cpu.max").partition(" ")
    if not quota:
        quota, period = _read(group / "cpu.cfs_quota_us"), _read(group / "cpu.cfs_period_us")
    if quota.isdecimal() and period.isdecimal() and int(period):
        return [int(quota) / int(period)]
    return []


def _read(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
