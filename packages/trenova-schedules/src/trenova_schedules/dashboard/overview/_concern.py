"""One thing that somebody has to look at, how bad it is, and what shows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from trenova_schedules._reading._document import RunDocument
from trenova_schedules._tick import TickClass
from trenova_schedules.dashboard._looks import FAILED, RUNNING, Look, look_of


class Severity(StrEnum):
    """How soon somebody has to look."""

    BROKEN = "broken"
    """Work is not done."""
    SLIPPING = "slipping"
    """Work is done too late, or soon will be."""
    HELD = "held"
    """Somebody has stopped it."""


class Kind(StrEnum):
    """What is wrong; the list can be narrowed to one."""

    MISSED = "missed"
    FAILING = "failing"
    FAILED = "failed"
    INVALID = "invalid"
    UNSERVED = "unserved"
    STUCK = "stuck"
    BEHIND = "behind"
    LATE = "late"
    OVER = "over"
    PAUSED = "paused"


LOOKS: Final = {
    Kind.MISSED: Look("cross", "missed", "bad"),
    Kind.FAILING: Look(FAILED.shape, "failing", "bad"),
    Kind.FAILED: Look(FAILED.shape, "last run failed", "bad"),
    Kind.INVALID: Look("cross-box", "invalid", "bad"),
    Kind.UNSERVED: Look("question", "no worker", "bad"),
    Kind.STUCK: Look(RUNNING.shape, "runs too long", "warn"),
    Kind.BEHIND: Look("dot-after", "behind", "warn"),
    Kind.LATE: look_of(TickClass.LATE),
    Kind.OVER: Look("ring", "fires no more", "calm"),
    Kind.PAUSED: look_of(TickClass.PAUSED),
}
"""How each kind looks, in the order in which they are shown."""
_ORDER: Final = tuple(LOOKS)
_SEVERITY: Final = {"bad": Severity.BROKEN, "warn": Severity.SLIPPING}


@dataclass(frozen=True, kw_only=True)
class Concern:
    """One thing to look at.

    Attributes:
        kind: What is wrong.
        ids: Of which schedules; more than one only where one thing is wrong with all of them.
        text: What it is; may hold text of others, such as a note.
        since: Since when; None where that is not known.
        start: Where a window begins that shows all of it; None for the usual one.
        end: Where it ends.
        run: Which run it is about.
        queue: Which task queue it is about; empty where it is about a schedule.
        severity: How bad it is, where its kind does not say.
    """

    kind: Kind
    ids: tuple[str, ...]
    text: str
    since: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    run: RunDocument | None = None
    queue: str = ""
    severity: Severity | None = None

    @property
    def look(self) -> Look:
        """How it is shown."""
        return LOOKS[self.kind]

    @property
    def level(self) -> Severity:
        """How bad it is."""
        return self.severity or _SEVERITY.get(self.look.tone, Severity.HELD)

    @property
    def schedule_id(self) -> str:
        """Of the first schedule that it is about."""
        return self.ids[0]

    @property
    def rank(self) -> tuple[int, bool, float, str]:
        """By what the worst come first: the kind, then what has gone on for longest."""
        since = self.since.timestamp() if self.since is not None else 0.0
        return _ORDER.index(self.kind), self.since is None, since, self.schedule_id
