"""The runbook of a schedule, with its id filled in."""

from urllib.parse import quote

from trenova_schedules._reading import ScheduleDocument


def runbook_of(document: ScheduleDocument) -> str:
    """Return the address of the runbook; ``{id}`` in it stands for the schedule's id. Empty where there is none."""
    return document.runbook.replace("{id}", quote(document.id, safe=""))
