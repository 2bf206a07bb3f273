"""How each class of tick and run looks: a shape, a word and a tone, so that nothing is told by colour alone."""

from dataclasses import dataclass
from typing import Final, Literal

from trenova_schedules._tick import TickClass

Tone = Literal["good", "busy", "calm", "warn", "bad", "unknown"]


@dataclass(frozen=True)
class Look:
    """How something is shown.

    Attributes:
        shape: Id of a symbol in ``templates/_shapes.svg``.
        word: In plain words, for people and screen readers.
        tone: Which colours; each is told apart in both themes and by people who see few colours.
    """

    shape: str
    word: str
    tone: Tone


_LOOKS: Final = {
    TickClass.ON_TIME: Look("dot", "on time", "good"),
    TickClass.LATE: Look("dot-late", "late", "warn"),
    TickClass.DELAYED_OVERLAP: Look("dot-after", "waited for the run before", "warn"),
    TickClass.SKIPPED_OVERLAP: Look("skip", "skipped, the run before went on", "warn"),
    TickClass.MISSED_CATCHUP: Look("cross", "missed, too late to catch up", "bad"),
    TickClass.DROPPED_BUFFER: Look("cross-box", "dropped, too many waited", "bad"),
    TickClass.PAUSED: Look("pause", "paused", "calm"),
    TickClass.PENDING: Look("ring", "may still begin", "busy"),
    TickClass.REAL_MISS: Look("cross", "missed", "bad"),
    TickClass.INCONCLUSIVE: Look("question", "not known", "unknown"),
}
FAILED: Final = Look("triangle", "failed", "bad")
RUNNING: Final = Look("play", "running", "busy")
NEXT: Final = Look("ring", "next", "busy")
_UNKNOWN: Final = Look("question", "not known", "unknown")


def look_of(state: TickClass | str) -> Look:
    """Return how a class of tick looks; one that is not known here looks like what is not known."""
    return next((look for known, look in _LOOKS.items() if known == state), _UNKNOWN)
