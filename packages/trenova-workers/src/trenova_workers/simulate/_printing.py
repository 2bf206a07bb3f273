"""What ``trenova-workers simulate`` prints."""

import json
from collections.abc import Sequence
from typing import Any, TextIO

from trenova_workers.simulate._compare import Comparison
from trenova_workers.simulate._run import Run

_COLUMNS = ("law", "p50", "p95", "max", "target", "worker-h", "x oracle", "turns", "changes")


def print_json(compared: Sequence[Comparison], file: TextIO) -> None:
    """One object a line, one for each law and trace; seconds and shares, not rounded."""
    for comparison in compared:
        file.writelines(json.dumps(_as_json(comparison, one)) + "\n" for one in comparison.runs)


def print_tables(compared: Sequence[Comparison], file: TextIO) -> None:
    """A table for each trace, aligned, without colour: it is read in pipes and pasted into documents."""
    for number, comparison in enumerate(compared):
        file.write("\n" if number else "")
        trace, policy = comparison.trace, comparison.policy
        file.write(f"{trace.name}: {trace.about}\n" if trace.about else f"{trace.name}\n")
        file.write(
            f"  {trace.seconds / 60:.0f} min, {sum(trace.arrivals)} tasks, {policy.min_workers} to "
            f"{policy.max_workers} workers, 95 of 100 tasks within {policy.wait_target_s:g} s\n"
        )
        rows = [_COLUMNS, *(_row(comparison, one) for one in comparison.runs)]
        widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
        for row in rows:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            file.write(f"  {'  '.join(cells)}\n")


def print_reasons(compared: Sequence[Comparison], file: TextIO) -> None:
    """The sentence of each decision of our law that changed something."""
    for comparison in compared:
        file.write(f"\n{comparison.trace.name}: what our law did\n")
        for decision in comparison.decisions:
            if decision.action != "hold":
                file.write(f"  {decision.at:%H:%M:%S}  {decision.why}\n")


def _row(comparison: Comparison, one: Run) -> tuple[str, ...]:
    target = "held" if one.held else f"{one.late_share:.0%} late"
    return (
        one.law,
        f"{one.wait_p50_s:.0f} s",
        f"{one.wait_p95_s:.0f} s",
        f"{one.wait_max_s:.0f} s",
        target,
        f"{one.worker_seconds / 3600:.1f}",
        f"{comparison.cost(one):.2f}",
        str(one.turns),
        str(one.raises + one.lowers),
    )


def _as_json(comparison: Comparison, one: Run) -> dict[str, Any]:
    return {
        "trace": one.trace,
        "law": one.law,
        "waitP50S": one.wait_p50_s,
        "waitP95S": one.wait_p95_s,
        "waitMaxS": one.wait_max_s,
        "waitTargetS": comparison.policy.wait_target_s,
        "lateShare": one.late_share,
        "held": one.held,
        "workerSeconds": one.worker_seconds,
        "workSeconds": comparison.work_seconds,
        "timesOracle": comparison.cost(one),
        "turns": one.turns,
        "raises": one.raises,
        "lowers": one.lowers,
    }
