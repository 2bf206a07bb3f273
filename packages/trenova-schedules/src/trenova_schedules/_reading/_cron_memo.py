"""The memo ``trenova.cron``: the string that the server turned into calendars and did not keep.

Wire contract of version 1, a JSON text that passes the data converter and so may be encrypted::

    {"v": 1, "cron": "30 2 * * 1-5", "calendars": "<digest of what the server made of it>"}

The string is believed only while the calendars are those: whoever changes them with another tool leaves the memo
as it is.
"""

import hashlib
import json
from typing import Any, Final

from temporalio.api.schedule.v1 import ScheduleSpec

_VERSION: Final = 1


def calendars_digest(spec: ScheduleSpec) -> str:
    """Return SHA-256 over the calendars of a specification as the server describes them, hexadecimal."""
    digest = hashlib.sha256()
    for calendar in spec.structured_calendar:
        data = calendar.SerializeToString(deterministic=True)
        digest.update(len(data).to_bytes(4, "big") + data)
    return digest.hexdigest()


def cron_text(cron: str, compiled: ScheduleSpec) -> str:
    """Return the text of the memo.

    Args:
        cron: As its author wrote it.
        compiled: With the calendars that the server made of it.
    """
    return json.dumps({"v": _VERSION, "cron": cron, "calendars": calendars_digest(compiled)})


def cron_of(text: Any, spec: ScheduleSpec) -> str | None:
    """Return the string, or None where there is none or it no longer says what the calendars say."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("v") != _VERSION or not isinstance(found.get("cron"), str):
        return None
    return str(found["cron"]) if found.get("calendars") == calendars_digest(spec) else None
