"""Workers as a table for people and as lines for everything else."""

from collections.abc import Sequence

from rich.table import Column, Table
from rich.text import Text

from trenova_workers._fleet._status import CUSTOM, QueueStatus, SlotUse, WorkerState, WorkerStatus
from trenova_workers._up._screen import clean

_STYLES = {
    WorkerState.RUNNING: "green",
    WorkerState.DRAINING: "yellow",
    WorkerState.LOST: "bold red",
    WorkerState.STOPPED: "dim",
}
_SHORT = {"workflows": "w", "activities": "a", "local_activities": "l", "nexus": "n"}
_POLLS_ALONE = "poller only"
_UNTOLD = "-"


def table_of(workers: Sequence[WorkerStatus]) -> Table:
    """Return one row for each queue of each worker; slots are used/all, ``?`` where nobody tells."""
    names = ("service", "host", "pid", "build", "state", "queue", "slots", "polls", "cached", "seen", "sdk")
    table = Table(*(Column(name, overflow="fold") for name in names), box=None, padding=(0, 2, 0, 0))
    for worker in workers:
        who: tuple[Text | str, ...] = tuple(map(_text, _who(worker)))
        for queue in worker.queues:
            state = Text(queue.state, style=_STYLES[queue.state])
            table.add_row(*who, state, *map(_text, _what(worker, queue)))
            who = ("",) * len(who)
    return table


def lines_of(workers: Sequence[WorkerStatus]) -> list[str]:
    """Return one line for each queue of each worker: its state, then ``key=value``."""
    return [
        " ".join((queue.state, *_pairs(_WHO, _who(worker)), *_pairs(_WHAT, _what(worker, queue))))
        for worker in workers
        for queue in worker.queues
    ]


_WHO = ("service", "host", "pid", "build")
_WHAT = ("queue", "slots", "polls", "cached", "seen", "sdk")


def _pairs(names: Sequence[str], values: Sequence[str]) -> list[str]:
    plain = (clean(value, colour=False).replace(" ", "_") for value in values)
    return [f"{name}={value}" for name, value in zip(names, plain, strict=True)]


def _who(worker: WorkerStatus) -> tuple[str, ...]:
    build = worker.build_id or _UNTOLD
    return (
        worker.service or worker.identity,
        worker.host or _UNTOLD,
        _UNTOLD if worker.pid is None else str(worker.pid),
        build if worker.deployment else build[:12],  # the SDK's hash says little, and takes 32
    )


def _what(worker: WorkerStatus, queue: QueueStatus) -> tuple[str, ...]:
    return (
        queue.queue,
        _slots(queue),
        _polls(queue),
        _UNTOLD if queue.cached_workflows is None else str(queue.cached_workflows),
        f"{queue.seen_s:.0f}s",
        worker.sdk or (_UNTOLD if worker.heartbeats else _POLLS_ALONE),
    )


def _slots(queue: QueueStatus) -> str:
    if queue.state == WorkerState.STOPPED:  # its last heartbeat came before its end
        return _UNTOLD
    slots = (f"{_SHORT[kind]}:{use.used}/{_all_of(use)}" for kind, use in queue.slots.items())
    return ",".join(slots) or _UNTOLD


def _all_of(use: SlotUse) -> str:
    return "?" if use.supplier == CUSTOM else str(use.used + use.available)


def _polls(queue: QueueStatus) -> str:
    polls = queue.pollers
    if polls is None:
        return _UNTOLD
    named = {"w": polls.workflows, "s": polls.sticky, "a": polls.activities, "n": polls.nexus}
    return ",".join(f"{name}:{count}" for name, count in named.items() if count) or "0"


def _text(value: str) -> Text:
    return Text(clean(value, colour=False))
