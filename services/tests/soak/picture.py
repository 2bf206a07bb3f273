"""What a soak looked like: waits, memory and descriptors over time, with the faults."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from system import Usage

Sample = tuple[float, dict[str, Usage]]


def draw(
    path: Path, *, waits: Sequence[tuple[float, float]], samples: Sequence[Sample], faults: Sequence[tuple[float, str]]
) -> None:
    """Write a PNG; times are seconds since the load began."""
    figure = Figure(figsize=(10, 8), layout="constrained")
    wait, memory, descriptors = figure.subplots(3, 1, sharex=True)
    wait.scatter(*zip(*waits, strict=True), s=6, color="tab:blue")
    wait.set(yscale="log", ylabel="seconds until done", title="Soak: duplications, and what was done to them")
    for module in sorted({module for _, used in samples for module in used}):
        there = [(at, used[module]) for at, used in samples if module in used]
        memory.plot([at for at, _ in there], [one.memory_mib for _, one in there], label=module, linewidth=1)
        descriptors.plot([at for at, _ in there], [one.descriptors for _, one in there], label=module, linewidth=1)
    memory.set(ylabel="MiB resident")
    descriptors.set(ylabel="open descriptors", xlabel="seconds")
    memory.legend(loc="lower right", fontsize=8)
    colors = {name: f"C{number}" for number, name in enumerate(sorted({name for _, name in faults}), start=1)}
    for axes in (wait, memory, descriptors):
        for at, name in faults:
            axes.axvline(at, color=colors[name], linewidth=0.8, alpha=0.6)
    for name, color in colors.items():
        wait.plot([], [], color=color, label=name)
    wait.legend(loc="upper right", fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
