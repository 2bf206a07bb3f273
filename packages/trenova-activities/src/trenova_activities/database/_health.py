"""What a database tells about itself, and whether a nightly run should give way because of it."""

from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import Final

from trenova_activities.database._pace_options import BrakeOptions

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_MIB: Final = 2**20


class BrakeReason(StrEnum):
    """Why a run is slower than it could be; the only values of the label ``reason``."""

    OLD_SNAPSHOT = "old_snapshot"
    DEAD_ROWS = "dead_rows"
    VACUUM = "vacuum"
    LOCK_WAITS = "lock_waits"
    REPLICATION_LAG = "replication_lag"
    SLOT = "slot"
    PEOPLE = "people"
    """Others use the database, and are left more of it."""
    LOCKED = "locked"
    """Rows of a batch are locked by somebody else."""


class Speed(Enum):
    """What a look at the database allows."""

    FULL = "full"
    SLOW = "slow"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Holder:
    """Who keeps the oldest snapshot; never what it runs.

    Attributes:
        kind: ``session``, ``prepared transaction`` or ``replication slot``.
        name: A session's ``application_name``, a transaction's or slot's own name; may be empty.
        pid: A session's process.
        state: As in ``pg_stat_activity``; empty where this user may not see it.
        age_s: Seconds since its transaction began; None where this user may not see it.
        transactions: How many transactions have begun since.
        identity: The same for as long as it is the same snapshot.
    """

    kind: str
    name: str
    pid: int | None
    state: str
    age_s: float | None
    transactions: int
    identity: str = ""

    def __str__(self) -> str:
        """Name it as a person finds it."""
        if self.pid is None:
            return f"the {self.kind} {self.name!r}"
        about = ", ".join(filter(None, (self.name, self.state)))
        return f"the session with pid {self.pid}" + (f" ({about})" if about else "")


@dataclass(frozen=True)
class Health:
    """One look at a database and the table that a job changes.

    Attributes:
        live_rows: Of the table, as last counted by the server.
        dead_rows: Deleted or superseded, and not cleared yet.
        vacuumed: A vacuum works on the table.
        lock_waits: Sessions of this database that wait for a lock.
        holder: Who keeps the oldest snapshot; None if nobody does.
        lag_s: How far the slowest standby is behind, seconds; None where there is none or this user may not see it.
        slot: Name of the replication slot that keeps the most WAL.
        slot_bytes: How much that is.
        transactions_per_s: Transactions of the database that ended between the last look and this one, a second, the
            run's own among them; None at the first look.
    """

    live_rows: int = 0
    dead_rows: int = 0
    vacuumed: bool = False
    lock_waits: int = 0
    holder: Holder | None = None
    lag_s: float | None = None
    slot: str = ""
    slot_bytes: int = 0
    transactions_per_s: float | None = None

    @property
    def dead_share(self) -> float:
        """The dead rows' share of all, 0 to 1."""
        return self.dead_rows / max(1, self.live_rows + self.dead_rows)


@dataclass(frozen=True)
class Verdict:
    """Whether a run may go on at full speed.

    Attributes:
        speed: How fast.
        reason: Why not at full speed.
        words: The same for a person, with who is to blame; no sentence, no full stop.
        share: Where it is slow, the share of its time that the run works.
    """

    speed: Speed = Speed.FULL
    reason: BrakeReason | None = None
    words: str = ""
    share: float = 1


FREE: Final = Verdict()


def judge(health: Health, options: BrakeOptions) -> Verdict:
    """Say how fast a run may go: of several reasons the gravest is told, and the smallest share of the time holds."""
    rules = (_standby, _snapshot, _locks, _slot, _dead, _vacuum, _people)
    found = [verdict for rule in rules if (verdict := rule(health, options)) is not FREE]
    return replace(found[0], share=min(one.share for one in found)) if found else FREE


def _standby(health: Health, options: BrakeOptions) -> Verdict:
    lag = health.lag_s
    if lag is None:
        return FREE
    words = f"a standby is {duration(lag)} behind"
    if options.replication_lag_stop_s is not None and lag >= options.replication_lag_stop_s:
        return Verdict(Speed.STOPPED, BrakeReason.REPLICATION_LAG, words)
    return _slow(BrakeReason.REPLICATION_LAG, words, options, over=_reached(lag, options.replication_lag_s))


def _snapshot(health: Health, options: BrakeOptions) -> Verdict:
    holder = health.holder
    if holder is None or holder.age_s is None:
        return FREE
    words = f"{holder} has kept an old snapshot for {duration(holder.age_s)}, so nothing that is deleted can be cleared"
    return _slow(BrakeReason.OLD_SNAPSHOT, words, options, over=_reached(holder.age_s, options.old_snapshot_s))


def _locks(health: Health, options: BrakeOptions) -> Verdict:
    words = f"{health.lock_waits} sessions wait for locks"
    return _slow(BrakeReason.LOCK_WAITS, words, options, over=_reached(health.lock_waits, options.lock_waits))


def _slot(health: Health, options: BrakeOptions) -> Verdict:
    words = f"the replication slot {health.slot!r} keeps {health.slot_bytes // _MIB:,} MiB of WAL"
    return _slow(BrakeReason.SLOT, words, options, over=_reached(health.slot_bytes, options.slot_retained_bytes))


def _dead(health: Health, options: BrakeOptions) -> Verdict:
    words = f"{health.dead_share:.0%} of the table's rows are dead and not cleared yet"
    many = health.dead_rows >= options.dead_rows
    return _slow(BrakeReason.DEAD_ROWS, words, options, over=many and _reached(health.dead_share, options.dead_share))


def _vacuum(health: Health, options: BrakeOptions) -> Verdict:
    return _slow(BrakeReason.VACUUM, "a vacuum works on the table", options, over=health.vacuumed and options.vacuum)


def _people(health: Health, options: BrakeOptions) -> Verdict:
    rate = health.transactions_per_s or 0
    words = f"others are at work, with {rate:,.0f} transactions a second"
    slow = _slow(BrakeReason.PEOPLE, words, options, over=_reached(rate, options.people_per_s))
    return slow if slow is FREE else replace(slow, share=options.people_share)


def _reached(value: float, threshold: float | None) -> bool:
    return threshold is not None and value >= threshold


def _slow(reason: BrakeReason, words: str, options: BrakeOptions, *, over: bool) -> Verdict:
    return Verdict(Speed.SLOW, reason, words, options.slow_share) if over else FREE


def duration(seconds: float) -> str:
    """Say a duration as a person does: ``42 s``, ``42 min``, ``3 h 5 min``."""
    if seconds < 2 * _MINUTE_S:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    hours, rest = divmod(int(seconds), _HOUR_S)
    return f"{hours:,} h {rest // _MINUTE_S} min"
