"""What a soak looked like: waits, memory and descriptors over time, with the faults."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from system import Usage

Sample = tuple[float, dict[str, Usage]]
Points = Sequence[tuple[float, float]]
"""When, and how long, seconds."""


def draw(
    path: Path,
    *,
    done: Points,
    waits: Mapping[str, Points],
    samples: Sequence[Sample],
    faults: Sequence[tuple[float, str]],
) -> None:
    """Write a PNG; times are seconds since the load began.

    Args:
        path: The file.
        done: Duplications, from being asked for to being done.
        waits: Tasks by kind, from being due to being with a worker.
        samples: What each worker used.
        faults: When each began.
    """
    figure = Figure(figsize=(10, 11), layout="constrained")
    total, wait, memory, descriptors = figure.subplots(4, 1, sharex=True)
    total.set(yscale="log", ylabel="seconds until done", title="Soak: duplications, and what was done to them")
    total.scatter(*zip(*done, strict=True), s=6, color="tab:blue")
    wait.set(yscale="log", ylabel="seconds until with a worker")
    for kind, points in waits.items():
        wait.scatter(*zip(*((at, max(took, 1e-3)) for at, took in points), strict=True), s=4, alpha=0.5, label=kind)
    for module in sorted({module for _, used in samples for module in used}):
        there = [(at, used[module]) for at, used in samples if module in used]
        memory.plot([at for at, _ in there], [one.memory_mib for _, one in there], label=module, linewidth=1)
        descriptors.plot([at for at, _ in there], [one.descriptors for _, one in there], label=module, linewidth=1)
    memory.set(ylabel="MiB resident")
    descriptors.set(ylabel="open descriptors", xlabel="seconds")
    wait.legend(loc="upper right", fontsize=8)
    memory.legend(loc="lower right", fontsize=8)
    _mark((total, wait, memory, descriptors), faults)
    total.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _mark(panels: Sequence[Axes], faults: Sequence[tuple[float, str]]) -> None:
    """Draw a line for each fault, of its own color by kind; the first panel names them."""
    colors = dict(zip(sorted({name for _, name in faults}), colormaps["tab20"].colors[::1], strict=False))
    for axes in panels:
        for at, name in faults:
            axes.axvline(at, color=colors[name], linewidth=0.8, alpha=0.7)
    for name, color in colors.items():
        panels[0].plot([], [], color=color, label=name)
