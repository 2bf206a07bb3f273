"""Whether memory or descriptors of a process grow without bound."""

from collections.abc import Sequence
from statistics import median

LEAST_SAMPLES = 120
"""Seconds that a process must have lived before its growth says anything: it fills its caches first."""
MOST_SHARE = 0.25
"""How much more the last third may have than the middle one, by medians."""
MOST_DESCRIPTORS = 20
"""Descriptors that come and go with connections."""


def growing(memory_mib: Sequence[float], descriptors: Sequence[int]) -> str | None:
    """Return what grows, of one process that was looked at every second; None if nothing does or it lived too short."""
    if len(memory_mib) < LEAST_SAMPLES:
        return None
    third = len(memory_mib) // 3
    before, after = median(memory_mib[third:-third]), median(memory_mib[-third:])
    if after > before * (1 + MOST_SHARE):
        return f"memory went from {before:.0f} to {after:.0f} MiB"
    before, after = median(descriptors[third:-third]), median(descriptors[-third:])
    if after > before + MOST_DESCRIPTORS:
        return f"descriptors went from {before:.0f} to {after:.0f}"
    return None
