"""What still needs each key, and from which day on a key may be retired."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from trenova_codecs._counted import counted
from trenova_codecs._keys import KeyState
from trenova_codecs._ring_document import USABLE, RingDocument

_SCHEDULES: Final = ("schedule has to be re-encrypted", "schedules have to be re-encrypted")
_MISSING: Final = "restore it ('keys restore') or add it ('keys add --from-stdin')"
SPREAD: Final = timedelta(hours=24)
"""For how long after a promotion somebody may still have encrypted with the key before."""


@dataclass
class Needs:
    """What needs one key in one or several namespaces.

    Attributes:
        open_runs: Runs that are not closed and have a payload under the key.
        schedules: Schedules with a payload under the key.
        closed_runs: Closed runs that the server still keeps; ``exact`` says whether they were looked into or
            merely may need the key by the time at which they began.
        last_close: When the latest of these closed.
        exact: See above.
    """

    open_runs: list[str] = field(default_factory=list)
    schedules: list[str] = field(default_factory=list)
    closed_runs: int = 0
    last_close: datetime | None = None
    exact: bool = False

    def close(self, at: datetime | None, count: int = 1) -> None:
        """Count closed runs."""
        self.closed_runs += count
        if at is not None:
            self.last_close = max(self.last_close or at, at)


@dataclass(frozen=True)
class Verdict:
    """Whether a key may be retired.

    Attributes:
        key_id: The key.
        state: Its state on the ring; None for one that is in use and not on the ring.
        needs: What needs it.
        safe_from: The first moment at which nothing needs it any more; None while that cannot be said.
        why: What has to happen first, or why it is safe.
    """

    key_id: str
    state: KeyState | None
    needs: Needs
    safe_from: datetime | None
    why: str

    def allows_retirement(self, now: datetime) -> bool:
        """Whether nothing needs the key any more."""
        return self.safe_from is not None and self.safe_from <= now


def verdicts(
    document: RingDocument, needs: Mapping[str, Needs], *, retention: timedelta, now: datetime
) -> Sequence[Verdict]:
    """Judge every key of the ring, and every other one that something needs.

    Args:
        document: The ring.
        needs: By key id.
        retention: The longest among the namespaces.
        now: The clock.
    """
    ids = [key.id for key in document.keys]
    ids += sorted(key_id for key_id in needs if key_id and key_id not in ids)
    return [_verdict(document, key_id, needs.get(key_id, Needs()), retention, now) for key_id in ids]


def _verdict(document: RingDocument, key_id: str, needs: Needs, retention: timedelta, now: datetime) -> Verdict:
    entry = document.find(key_id)
    state = entry.state if entry else None
    if state is KeyState.ACTIVE:
        return Verdict(key_id, state, needs, None, "it is active: promote another one")
    if state not in USABLE and (needs.open_runs or needs.schedules):
        return Verdict(key_id, state, needs, None, "something needs it, and the ring does not have it: " + _MISSING)
    first = [
        *([counted(len(needs.open_runs), "open run has to end", "open runs have to end")] if needs.open_runs else []),
        *([counted(len(needs.schedules), *_SCHEDULES)] if needs.schedules else []),
    ]
    if first:
        days = counted(retention.days, "day has to pass", "days have to pass")
        return Verdict(key_id, state, needs, None, f"{' and '.join(first)}, then {days}")
    if needs.closed_runs:
        safe = (needs.last_close or now) + retention
        one, many = ("needs it", "need it") if needs.exact else ("may need it",) * 2
        runs = counted(needs.closed_runs, f"closed run {one}", f"closed runs {many}")
        return Verdict(key_id, state, needs, safe, f"{runs} until the server deletes them")
    return Verdict(key_id, state, needs, now, "nothing needs it")
