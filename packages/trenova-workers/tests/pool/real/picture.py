"""Backlog, workers and waits over time, as a picture."""

import json
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from real.accounts import History
from real.records import Row, Worker


def draw(
    path: Path,
    *,
    title: str,
    began: float,
    until: float,
    decisions: list[Row],
    workers: list[Worker],
    histories: list[History],
    target_s: float | None = None,
    marks: dict[str, list[float]] | None = None,
) -> None:
    """Write a PNG; times are in seconds since the load began.

    Args:
        path: Of the file.
        title: Above it.
        began: When the load did, in seconds since the epoch.
        until: When to end.
        decisions: For the backlog that the law saw, and what it wanted.
        workers: For those that took tasks.
        histories: For the waits.
        target_s: A line.
        marks: When what happened, by what it is.
    """
    figure = Figure(figsize=(10, 7.5), layout="constrained")
    backlog, count, wait = figure.subplots(3, 1, sharex=True)
    seen = [one for one in decisions if began - 15 <= one.at <= until]
    at = [one.at - began for one in seen]
    backlog.step(at, [_backlog(one) for one in seen], where="post", color="tab:orange", label="tasks that wait")
    backlog.set(title=title, ylabel="tasks")
    count.step(at, [one.told["desired"] for one in seen], where="post", color="tab:blue", label="workers wanted")
    changes = sorted(
        [(one.ready, 1) for one in workers if one.ready]
        + [(one.ended, -1) for one in workers if one.ready and one.ended]
    )
    steps, there = [], 0
    for when, change in changes:
        there += change
        steps.append((when - began, there))
    count.step(
        [one for one, _ in steps],
        [one for _, one in steps],
        where="post",
        color="black",
        linewidth=1,
        label="workers that take tasks or drain",
    )
    count.set(ylabel="workers", ylim=(0, None))
    wait.scatter(
        [one.scheduled - began for one in histories],
        [one.wait_s for one in histories],
        s=4,
        color="tab:green",
        label="schedule-to-start of a task, by when it was scheduled",
    )
    wait.set(ylabel="seconds", xlabel="seconds since the load began", ylim=(0, None), xlim=(-15, until - began))
    if target_s is not None:
        wait.axhline(target_s, color="tab:red", linewidth=1, label="target for 95 of 100")
        wait.set(ylim=(0, 1.05 * max([target_s, *(one.wait_s for one in histories)])))
    for colour, (name, times) in zip(
        ("tab:red", "tab:purple", "tab:brown", "tab:gray"), (marks or {}).items(), strict=False
    ):
        for number, one in enumerate(times):
            count.axvline(one - began, color=colour, linewidth=0.7, linestyle=":", label=name if not number else None)
    for axes in (backlog, count, wait):
        axes.legend(loc="upper right", fontsize="small")
        axes.grid(color="0.9")
    figure.savefig(path, format="png", dpi=90)


def _backlog(decision: Row) -> float:
    told: Any = decision.told["document"]
    document = json.loads(told) if isinstance(told, str) else told
    found = document.get("observation", {}).get("backlog")
    return float("nan") if found is None else float(found)
