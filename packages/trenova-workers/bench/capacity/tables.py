"""Tables of what was measured, for a terminal and as Markdown; every cell is min / median / max of the rounds."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

from capacity.bars import Rounds, Verdict
from capacity.loads import Load
from capacity.measuring import Measured

_ROWS = {
    "{unit} per second": "per_second",
    "schedule-to-start p50, ms": "wait_p50_ms",
    "schedule-to-start p95, ms": "wait_p95_ms",
    "schedule-to-start p99, ms": "wait_p99_ms",
    "CPU of the worker, s": "worker_cpu_s",
    "CPU of the server, s": "server_cpu_s",
    "memory of the worker, MiB": "worker_rss_mib",
}
_SMALL = 100


def as_text(load: Load, rounds: Rounds) -> str:
    """Return the table of one load for a terminal."""
    return "\n".join(f"{label:28}" + "".join(f"{cell:>32}" for cell in cells) for label, *cells in _lines(load, rounds))


def as_markdown(
    conditions: Mapping[str, str], results: Mapping[str, tuple[Load, Rounds]], verdicts: Mapping[str, Sequence[Verdict]]
) -> str:
    """Return conditions and tables of all loads, with headings of the third level."""
    parts = ["\n".join(f"- {name}: {value}" for name, value in conditions.items())]
    parts.append("Each cell is min / median / max of the rounds.")
    for name, (load, rounds) in results.items():
        parts += [f"### {name}", f"{load.describe()}."]
        head, *body = ("| " + " | ".join(line) + " |" for line in _lines(load, rounds))
        parts.append("\n".join([head, "|---" + "|---:" * len(rounds) + "|", *body]))
        parts.append("\n".join(f"- {verdict}" for verdict in verdicts[name]))
    return "\n\n".join(part for part in parts if part) + "\n"


def _lines(load: Load, rounds: Rounds) -> Iterator[list[str]]:
    yield ["", *rounds]
    for label, field in _ROWS.items():
        yield [label.format(unit=load.unit), *(_cell(side, field) for side in rounds.values())]


def _cell(side: Sequence[Measured], field: str) -> str:
    values = [getattr(one, field) for one in side]
    return " / ".join(_number(value) for value in (min(values), statistics.median(values), max(values)))


def _number(value: float) -> str:
    return f"{value:.1f}" if value < _SMALL else f"{value:.0f}"
