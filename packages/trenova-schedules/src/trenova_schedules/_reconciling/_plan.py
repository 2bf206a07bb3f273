"""What reconciling would do, and what it did. Frozen; the JSON of ``trenova-schedules plan --json``, only added to."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from trenova_schedules._previewing import FireDiff
from trenova_schedules._reconciling._merge import FieldChange, FieldOverride


class PlanKind(StrEnum):
    """What is to be done about one schedule.

    ``CREATE``: it is not there. ``UPDATE``: some fields become as defined, or only the record of what was applied is
    written. ``UNCHANGED``: nothing. ``OVERRIDDEN``: nothing, though it is not as defined, because somebody changed it
    on the server. ``ORPHANED``: it is this owner's and no definition has it; only pruning deletes it. ``FOREIGN``: the
    id is there without this owner's mark; never touched. ``REFUSED``: it is not written; the reason says why.
    """

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    OVERRIDDEN = "overridden"
    ORPHANED = "orphaned"
    FOREIGN = "foreign"
    REFUSED = "refused"


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class PlannedSchedule(_Model):
    """One schedule in a plan.

    Attributes:
        id: Of the schedule.
        kind: What is to be done.
        changes: Fields that become as defined; for one that is created, all that are not as when nothing is said.
        overrides: Fields that somebody changed on the server, and that stay so.
        fires: How the ticks of the next days differ; None where they do not, or where nobody asked.
        paused: Whether it is paused, or will be created so; nothing here ever changes that.
        reason: Why it is refused or foreign, or why an update has no changes.
    """

    id: str
    kind: PlanKind
    changes: tuple[FieldChange, ...] = ()
    overrides: tuple[FieldOverride, ...] = ()
    fires: FireDiff | None = None
    paused: bool = False
    reason: str = ""


class Plan(_Model):
    """What reconciling one owner's definitions would do; nothing has been done.

    Attributes:
        owner: Whose schedules these are.
        namespace: Where they belong.
        schedules: In the order of the definitions, then the orphaned ones by id.
    """

    owner: str
    namespace: str
    schedules: tuple[PlannedSchedule, ...]

    def of(self, *kinds: PlanKind) -> tuple[PlannedSchedule, ...]:
        """Return the schedules of these kinds."""
        return tuple(one for one in self.schedules if one.kind in kinds)

    def pending(self, *, prune: bool = False) -> bool:
        """Whether applying would write or delete anything."""
        kinds = (PlanKind.CREATE, PlanKind.UPDATE, *([PlanKind.ORPHANED] if prune else []))
        return bool(self.of(*kinds))


class Outcome(StrEnum):
    """What became of one schedule. ``CURRENT``: it was as it should be, also because another process made it so."""

    CREATED = "created"
    UPDATED = "updated"
    CURRENT = "current"
    DELETED = "deleted"
    KEPT = "kept"
    FOREIGN = "foreign"
    REFUSED = "refused"
    FAILED = "failed"


class AppliedSchedule(_Model):
    """One schedule in a report.

    Attributes:
        id: Of the schedule.
        outcome: What became of it.
        changes: Fields that were written, as they were and are.
        overrides: Fields that somebody changed on the server and that were left.
        never_fires: Whether the server knows no time at which one that was created or updated would fire.
        reason: Why it was refused, is foreign, or failed.
    """

    id: str
    outcome: Outcome
    changes: tuple[FieldChange, ...] = ()
    overrides: tuple[FieldOverride, ...] = ()
    never_fires: bool = False
    reason: str = ""


class AppliedReport(_Model):
    """What applying did, in the order of the plan."""

    owner: str
    schedules: tuple[AppliedSchedule, ...]

    @property
    def complete(self) -> bool:
        """Whether every definition stands on the server now, whatever operators changed of it."""
        return not self.of(Outcome.FOREIGN, Outcome.REFUSED, Outcome.FAILED)

    def of(self, *outcomes: Outcome) -> tuple[AppliedSchedule, ...]:
        """Return the schedules with these outcomes."""
        return tuple(one for one in self.schedules if one.outcome in outcomes)

    def ids(self, outcomes: Iterable[Outcome]) -> tuple[str, ...]:
        """Return their ids."""
        return tuple(one.id for one in self.of(*outcomes))
