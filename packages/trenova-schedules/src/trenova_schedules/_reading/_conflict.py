"""Somebody else was first."""

from typing import Self

from trenova_errors import ConflictError
from trenova_schedules._reading._document import ScheduleDocument


class ScheduleConflictError(ConflictError):
    """The schedule is not what the caller saw when it decided on its change; nothing of the change was done.

    Attributes:
        current: The schedule as it is now, so that the caller can decide again; None where it crossed a wire.
    """

    code = "schedule.conflict"
    current: ScheduleDocument | None = None

    @classmethod
    def of(cls, current: ScheduleDocument) -> Self:
        """Say which schedule, and carry what it is now."""
        error = cls(
            f"Schedule {current.id!r} was changed by somebody else meanwhile; nothing of this change was done. "
            f"Look at it as it is now (ETag {current.etag}) and decide again.",
            retry_after=None,
            schedule_id=current.id,
            etag=current.etag,
        )
        error.current = current
        return error
