"""What ``trenova-workers deploy`` prints: JSON lines, or text for people."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from trenova_workers._up._screen import Screen, clean

if TYPE_CHECKING:
    from trenova_workers.deploy import Changed, DeploymentStatus, RolloutEvent, VersionChange, VersionStatus

_HEADS = ("version", "state", "work", "workers", "backlog", "open runs", "last change")


def print_status(status: "DeploymentStatus", *, as_json: bool) -> None:
    """Print a deployment: a table on a terminal, a line for each version elsewhere, one object as JSON."""
    if as_json:
        print(status.model_dump_json(), flush=True)  # noqa: T201 (stdout is for results)
        return
    screen = Screen()
    rows = [_row(one) for one in status.versions]
    screen.show(Text(f"{status.name}: current {status.current or 'none'}, ramping {_ramp(status)}"))
    if screen.plain:
        for row in [_HEADS, *rows]:
            screen.show(Text("  ".join(row)))
    else:
        table = Table(*_HEADS)
        for row in rows:
            table.add_row(*map(Text, row))
        screen.show(table)
    for warning in _warnings(status):
        screen.show(Text(f"warning: {warning}"))


def print_changed(changed: "Changed", *, as_json: bool) -> None:
    """Print what came of a change."""
    if as_json:
        print(changed.model_dump_json(), flush=True)  # noqa: T201 (as above)
        return
    prefix = "dry run: " if changed.dry_run else "" if changed.done else "nothing to do: "
    _lines([f"{prefix}{changed.said}", *(f"warning: {one}" for one in changed.warnings)])


def print_event(*, as_json: bool) -> "Callable[[RolloutEvent], None]":
    """Return what prints each line of a rollout."""

    def report(event: "RolloutEvent") -> None:
        if as_json:
            print(event.model_dump_json(), flush=True)  # noqa: T201 (as above)
            return
        outcome = f"{event.outcome}: " if event.outcome else ""
        head = f"{datetime.now(UTC):%H:%M:%S} {event.build_id} {event.percent:g} %"
        _lines([f"{head}  {outcome}{event.said}", *(f"warning: {one}" for one in event.warnings)])

    return report


def _lines(lines: list[str]) -> None:
    screen = Screen()
    for line in lines:
        screen.show(Text(clean(line, colour=False)))


def _row(version: "VersionStatus") -> tuple[str, ...]:
    workers = ", ".join(f"{queue} {count}" for queue, count in sorted(version.workers.items())) or "none"
    backlog = "?" if version.backlog is None else str(version.backlog)
    if version.backlog and version.backlog_age_s is not None:
        backlog += f" ({version.backlog_age_s:.0f} s)"
    runs = "?" if version.open_runs is None else str(version.open_runs)
    texts = (version.build_id, version.state, f"{version.percent:g} %", workers, backlog, runs, _last(version.change))
    return tuple(clean(text, colour=False) for text in texts)


def _last(change: "VersionChange | None") -> str:
    if change is None:
        return ""
    share = f" {change.percent:g} %" if change.percent is not None else ""
    why = f": {change.reason}" if change.reason else ""
    return f"{change.action}{share} {change.at:%Y-%m-%d %H:%M} by {change.by}{why}"


def _ramp(status: "DeploymentStatus") -> str:
    return f"{status.ramping} at {status.percent:g} %" if status.ramping else "none"


def _warnings(status: "DeploymentStatus") -> list[str]:
    """Return what waits for workers that are not there."""
    found = []
    for one in status.versions:
        if one.state in {"current", "ramping"} and one.unserved_queues:
            found.append(f"{one.build_id} is {one.state} and no worker of it polls {', '.join(one.unserved_queues)}.")
        elif one.open_runs and not one.served:
            found.append(f"{one.open_runs} open runs are on {one.build_id}, and no worker of it runs.")
    return found
