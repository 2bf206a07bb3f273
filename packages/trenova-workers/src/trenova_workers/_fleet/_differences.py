"""Workers that poll one task queue and register different work.

Temporal hands a task to whichever worker asks. One that does not know the type fails it, and it is tried again until
a worker that knows it happens to ask, or for ever.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from trenova_workers._fleet._registrations import ANY, Registrations
from trenova_workers._fleet._remark import Remark
from trenova_workers._fleet._status import WorkerState, WorkerStatus

SUBJECT: Final = "registrations"
_MOST_NAMES: Final = 10
_KINDS: Final = ("workflows", "activities", "nexus")


@dataclass(frozen=True)
class Member:
    """One worker of a queue. ``registrations`` is None for one that does not tell them."""

    queue: str
    identity: str
    service: str | None
    build_id: str | None
    registrations: Registrations | None
    begins: bool = False
    """Whether it is one of ours that polls already and has yet to send its first heartbeat."""

    @property
    def called(self) -> str:
        """Its identity and build."""
        return f"{self.identity} (build {self.build_id or 'unknown'})"

    @property
    def sort(self) -> tuple[str | None, str | None, str | None]:
        """What members have in common that need comparing only once."""
        digest = self.registrations.digest if self.registrations else None
        return self.service, self.build_id, digest


def members_of(workers: Iterable[WorkerStatus], queue: str) -> list[Member]:
    """Return those that take tasks from a queue now: neither lost nor on the way out."""
    return [
        Member(
            queue,
            worker.identity,
            worker.service,
            worker.build_id if worker.deployment else None,  # else it is the SDK's hash of what happens to be imported
            one.registrations,
            begins=worker.service is not None and not worker.heartbeats,
        )
        for worker in workers
        for one in worker.queues
        if one.queue == queue and one.state == WorkerState.RUNNING
    ]


def differences(own: Member, others: Iterable[Member]) -> Iterator[Remark]:
    """Compare one member with the others of its queue; those that are alike are named once."""
    if own.begins:
        return
    sorts: dict[tuple[str | None, ...], list[Member]] = defaultdict(list)
    for other in others:
        if other.identity != own.identity and not other.begins:  # which compares itself with us in a moment
            sorts[other.sort].append(other)
    for alike in sorts.values():
        remark = _compared(own, alike)
        if remark:
            yield remark


def _compared(own: Member, alike: Sequence[Member]) -> Remark | None:
    here, there = own.registrations, alike[0].registrations
    if here is None or there is None:
        return _untold(own, alike)
    if here.digest != there.digest and not (here.known and there.known):
        return _untold(own, alike)
    if here.digest == there.digest or not (said := _said(here, there)):
        return None
    return _rolling(own, alike, said) if _is_other_build(own, alike[0]) else _mistake(own, alike, said)


def _is_other_build(own: Member, other: Member) -> bool:
    known = own.service is not None and own.build_id is not None and other.build_id is not None
    return known and own.service == other.service and own.build_id != other.build_id


def _rolling(own: Member, alike: Sequence[Member], said: str) -> Remark:
    return Remark(
        SUBJECT,
        "another build of this service registers different work",
        f"Task queue {own.queue!r} is polled by {own.called} and by {_called(alike)}: {said}. That is so while a "
        "new build is rolled out; until the old one is gone, what only one of them knows fails on the other "
        "and is tried again.",
        wrong=False,
        facts=_facts(own, alike),
    )


def _mistake(own: Member, alike: Sequence[Member], said: str) -> Remark:
    which = "the same build" if own.service == alike[0].service else "another service"
    return Remark(
        SUBJECT,
        "workers of one task queue register different work",
        f"Task queue {own.queue!r} is polled by {own.called} and by {_called(alike)}, {which}: {said}. What only "
        "one of them knows fails on the other and is tried again. Give each kind of worker a queue of its own, "
        "or run the same build with the same settings everywhere.",
        wrong=True,
        facts=_facts(own, alike),
    )


def _untold(own: Member, alike: Sequence[Member]) -> Remark:
    return Remark(
        SUBJECT,
        "it cannot be told whether workers of one task queue register the same work",
        f"Task queue {own.queue!r} is polled by {own.called} and by {_called(alike)}, and not all names that they "
        "register are told. Make sure by other means that both register the same, or that each has a queue of its own.",
        wrong=False,
        facts=_facts(own, alike),
    )


def _called(alike: Sequence[Member]) -> str:
    return alike[0].called + (f" and {len(alike) - 1} more like it" if len(alike) > 1 else "")


def _facts(own: Member, alike: Sequence[Member]) -> dict[str, str]:
    return {"task_queue": own.queue, "other": alike[0].identity, "others": str(len(alike))}


def _said(here: Registrations, there: Registrations) -> str:
    """Name what one lacks and the other has; a kind of task that one does not take at all is no difference."""
    parts: list[str] = []
    for kind in _KINDS:
        left, right = frozenset(getattr(here, kind)), frozenset(getattr(there, kind))
        if not (left and right):
            continue
        for lacking, names, which in ((right, left - right, "first"), (left, right - left, "other")):
            if names and ANY not in lacking:
                parts.append(f"{kind} only with the {which}: {_names(names)}")
    return "; ".join(parts)


def _names(names: Iterable[str]) -> str:
    some = sorted(names)
    more = f" and {len(some) - _MOST_NAMES} more" if len(some) > _MOST_NAMES else ""
    return ", ".join(some[:_MOST_NAMES]) + more
