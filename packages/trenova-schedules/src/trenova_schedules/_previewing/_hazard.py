"""What may be wrong with when a schedule fires, and what mends it."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class HazardKind(StrEnum):
    """What happens; a wire contract, only added to."""

    SPRING_LOST = "spring_lost"
    SPRING_SHIFTED = "spring_shifted"
    AUTUMN_LOST = "autumn_lost"
    AUTUMN_DOUBLED = "autumn_doubled"
    AUTUMN_ONCE = "autumn_once"
    ZONE_CHANGE = "zone_change"
    ZONE_DATA = "zone_data"
    DATE_LINE = "date_line"
    LEAP_DAY = "leap_day"
    SHORT_MONTH = "short_month"
    DAY_AND_WEEKDAY = "day_and_weekday"
    NEVER = "never"
    REFUSED = "refused"


class Severity(StrEnum):
    """How bad; in this order."""

    NOTICE = "notice"
    WARNING = "warning"
    ERROR = "error"

    def reaches(self, other: "Severity") -> bool:
        """Whether this is at least as bad."""
        order = list(Severity)
        return order.index(self) >= order.index(other)


SEVERITIES: Final[Mapping[HazardKind, Severity]] = {
    HazardKind.SPRING_LOST: Severity.WARNING,
    HazardKind.SPRING_SHIFTED: Severity.NOTICE,
    HazardKind.AUTUMN_LOST: Severity.WARNING,
    HazardKind.AUTUMN_DOUBLED: Severity.WARNING,
    HazardKind.AUTUMN_ONCE: Severity.NOTICE,
    HazardKind.ZONE_CHANGE: Severity.NOTICE,
    HazardKind.ZONE_DATA: Severity.WARNING,
    HazardKind.DATE_LINE: Severity.WARNING,
    HazardKind.LEAP_DAY: Severity.NOTICE,
    HazardKind.SHORT_MONTH: Severity.WARNING,
    HazardKind.DAY_AND_WEEKDAY: Severity.NOTICE,
    HazardKind.NEVER: Severity.ERROR,
    HazardKind.REFUSED: Severity.ERROR,
}


class Fix(BaseModel):
    """What mends a hazard.

    Attributes:
        message: For people.
        changes: Fields of a definition with their new values, for programs; empty where only a person can decide.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    message: str
    changes: Mapping[str, str] = Field(default_factory=dict)


class Hazard(BaseModel):
    """Something about when a schedule fires that its author may not expect.

    Attributes:
        kind: What.
        message: In a sentence, for people.
        at: The instant at which the run starts, or would have started, UTC; None where it concerns the whole
            specification.
        wall: The time that its author wrote, of the schedule's zone, without offset; None likewise.
        missing: Whether there is no run at ``at``.
        fix: What mends it, if something does.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)

    kind: HazardKind
    message: str
    at: datetime | None = None
    wall: datetime | None = None
    missing: bool = False
    fix: Fix | None = None

    @property
    def severity(self) -> Severity:
        """How bad this kind is."""
        return SEVERITIES[self.kind]
