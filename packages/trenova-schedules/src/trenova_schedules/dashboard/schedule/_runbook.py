"""The runbook of a schedule and the first commands, with its id filled in."""

import shlex
from urllib.parse import quote

from trenova_schedules._reading import ScheduleDocument


def runbook_of(document: ScheduleDocument) -> str:
    """Return the address of the runbook; ``{id}`` in it stands for the schedule's id. Empty where there is none."""
    return document.runbook.replace("{id}", quote(document.id, safe=""))


def commands_of(document: ScheduleDocument) -> list[tuple[str, str]]:
    """Return what to type first, each with what it is for; they only look, and an id is quoted for a shell."""
    # An id that begins with a dash is no option behind ``--``.
    quoted = shlex.quote(document.id)
    told = f"-- {quoted}" if document.id.startswith("-") else quoted
    return [
        (f"trenova-schedules show {told}", "everything that the server knows of it"),
        (f"trenova-schedules ledger {told}", "what became of its ticks"),
        (f"trenova-schedules preview {told}", "when it fires next, and what clocks do to that"),
    ]
