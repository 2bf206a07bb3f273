"""What the machine or the container gives this process: memory and processors."""

import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MIB = 1024 * 1024
# Version 1 of control groups says "no limit" with a number near the largest there is.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True)
class Host:
    """What may be used. ``memory_mib`` is ``None`` where nothing limits it."""

    cores: int
    memory_mib: int | None


def this_host(root: Path = Path("/")) -> Host:
    """Read affinity and the limits of the control group (version 2 or 1), its parents' included."""
    groups = root / "sys/fs/cgroup"
    own = list(_own(root / "proc/self/cgroup"))
    limits = [*_numbers(groups, own, "memory.max"), *_numbers(groups / "memory", own, "memory.limit_in_bytes")]
    memory = min((limit for limit in limits if limit < _NO_LIMIT), default=None)
    shares = [*_shares(groups, own), *_shares_v1(groups / "cpu", own)]
    return Host(min([_affinity(), *shares]), memory // _MIB if memory is not None else None)


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _own(file: Path) -> Iterator[str]:
    """Yield the paths of the control groups that the process is in, and of all above them."""
    yield ""
    for line in _read(file).splitlines():
        path = line.rpartition(":")[2].strip("/")
        while path:
            yield path
            path = path.rpartition("/")[0]


def _numbers(groups: Path, own: list[str], name: str) -> Iterator[int]:
    for path in own:
        if (text := _read(groups / path / name).strip()).isdigit():
            yield int(text)


def _shares(groups: Path, own: list[str]) -> Iterator[int]:
    for path in own:
        quota, _, period = _read(groups / path / "cpu.max").strip().partition(" ")
        if quota.isdigit() and period.isdigit():
            yield max(1, math.ceil(int(quota) / int(period)))


def _shares_v1(groups: Path, own: list[str]) -> Iterator[int]:
    for path in own:
        quota = _read(groups / path / "cpu.cfs_quota_us").strip()
        period = _read(groups / path / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit():  # -1 is no quota
            yield max(1, math.ceil(int(quota) / int(period)))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError:
        return ""
