"""Which schedules."""

from collections.abc import Mapping
from typing import Final

from pydantic import ConfigDict

from trenova_schedules._reading._document import WireDocument

_QUOTE: Final = "'"
_MISREAD: Final = frozenset('"\\')  # the server finds no id with one of these, however it is quoted


class ScheduleFilter(WireDocument):
    """All that match everything that is given; camelCase on the wire.

    Attributes:
        ids: One of these.
        prefix: The id begins with this.
        search: Somewhere in the id, the workflow, the owner, the note or a label; upper and lower case are the same.
        owner: This owner's; an empty one stands for those that are not ours.
        workflow: Of this workflow.
        task_queue: On this queue. Needs a registry, or a look at each schedule.
        labels: With all these labels. Needs the same.
        paused: Only those that are, or that are not.
        query: In Temporal's own list language, e.g. about search attributes.
    """

    model_config = ConfigDict(extra="forbid")

    ids: tuple[str, ...] = ()
    prefix: str = ""
    search: str = ""
    owner: str | None = None
    workflow: str = ""
    task_queue: str = ""
    labels: Mapping[str, str] = {}
    paused: bool | None = None
    query: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every schedule matches."""
        return self == ScheduleFilter()

    @property
    def needs_description(self) -> bool:
        """Whether the server's list does not say enough to decide."""
        return bool(self.labels or self.task_queue)

    def visibility_query(self) -> str:
        """Return what of it the server's list can decide, in its language."""
        parts = [f"({self.query})"] if self.query else []
        if self.prefix and not _MISREAD.intersection(self.prefix):
            parts.append(f"ScheduleId STARTS_WITH {_quoted(self.prefix)}")
        if len(self.ids) == 1 and not _MISREAD.intersection(self.ids[0]):
            parts.append(f"ScheduleId = {_quoted(self.ids[0])}")
        if self.paused is not None:
            parts.append("TemporalSchedulePaused = true" if self.paused else "TemporalSchedulePaused != true")
        return " AND ".join(parts)


def _quoted(text: str) -> str:
    return _QUOTE + text.replace("\\", "\\\\").replace(_QUOTE, "\\'") + _QUOTE
