"""A picture of a comparison (extra ``[simulate]``)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trenova_errors import ConfigurationError
from trenova_workers.simulate._compare import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"ours": "tab:blue", "keda": "tab:orange", "rate": "tab:green", "oracle": "black"}
_MINUTE = 60


def plot(compared: Sequence[Comparison], path: Path) -> None:
    """Write a PNG: for each trace the load in workers, the workers of each law, and what waits.

    Raises:
        ConfigurationError: Matplotlib is not installed, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError("--plot needs matplotlib. Install 'trenova-workers[simulate]'.") from None
    figure = Figure(figsize=(12, 3.2 * len(compared)), layout="constrained")
    rows: Any = figure.subplots(len(compared), 2, squeeze=False)
    for comparison, (workers, waiting) in zip(compared, rows, strict=True):
        _workers(comparison, workers)
        _waiting(comparison, waiting)
    try:
        figure.savefig(path, format="png", dpi=100)
    except OSError as error:
        raise ConfigurationError(f"{str(path)!r} cannot be written: {error.strerror}. Correct the path.") from None


def _workers(comparison: Comparison, axes: "Axes") -> None:
    trace = comparison.trace
    each = trace.slots / trace.service_s
    minutes = range(0, trace.seconds, _MINUTE)
    load = [sum(trace.arrivals[at : at + _MINUTE]) / _MINUTE / each for at in minutes]
    highest = 2.5 * max(1.0, *(float(count) for count in comparison.ours.planned))
    axes.fill_between([at / _MINUTE for at in minutes], load, color="0.85", step="post", label="load")
    for one in comparison.runs:
        if one.law in _COLOURS:
            at = [second / _MINUTE for second in range(len(one.planned))]
            axes.plot(at, one.planned, color=_COLOURS[one.law], linewidth=1, label=one.law)
    axes.set(title=trace.name, ylabel="workers", ylim=(0, highest), xlabel="minutes")
    axes.legend(loc="upper right", fontsize="small", ncols=5)


def _waiting(comparison: Comparison, axes: "Axes") -> None:
    for one in comparison.runs:
        if one.law in _COLOURS:
            at = [second / _MINUTE for second in range(len(one.backlog))]
            axes.plot(at, one.backlog, color=_COLOURS[one.law], linewidth=1, label=one.law)
    axes.set(title=f"{comparison.trace.name}: tasks that wait", ylabel="tasks", xlabel="minutes")
