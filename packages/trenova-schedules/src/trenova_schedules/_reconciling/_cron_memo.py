"""The memo ``trenova.cron``: the string of which the calendars were made, shown only while it fits them."""

import json
from typing import Any

from temporalio.api.schedule.v1 import ScheduleSpec

from trenova_schedules._reconciling._plain import canonical, digest_of
from trenova_schedules._reconciling._when import when_of


def cron_text(cron: str, compiled: ScheduleSpec) -> str:
    """Return the text of the memo for a specification of which the cron string is compiled."""
    return canonical({"cron": cron, "digest": digest_of(when_of(compiled, None))})


def fitting_cron(spec: ScheduleSpec, text: Any) -> str | None:
    """Return the string in such a text if the calendars are still those that were made of it."""
    try:
        said = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(said, dict) or said.get("digest") != digest_of(when_of(spec, None)):
        return None
    cron = said.get("cron")
    return cron if isinstance(cron, str) else None
