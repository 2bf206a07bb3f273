"""Cron strings as the calendars that the server makes of them.

The server keeps no string. To know whether the calendars of a schedule are those of a definition's string, the server
is asked with a schedule that exists for the question only. Each string once.
"""

import asyncio

from temporalio.api.schedule.v1 import ScheduleSpec
from temporalio.client import Client

from trenova_schedules._previewing._unsaved import unsaved


class Compiler:
    """Keeps what it was told.

    Args:
        client: Of any namespace of the server; permission to create and delete schedules is needed.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, str], ScheduleSpec] = {}
        self._asking = asyncio.Lock()

    async def compiled(self, spec: ScheduleSpec) -> ScheduleSpec:
        """Return the specification as the server will describe it: calendars in place of the cron string.

        Raises:
            InvalidInputError: The server does not take the string or the time zone; the message has its own words.
            temporalio.service.RPCError: The server could not be asked.
        """
        if not spec.cron_string:
            return spec
        key = (" | ".join(spec.cron_string), spec.timezone_name)
        async with self._asking:
            if key not in self._known:
                asked = ScheduleSpec(cron_string=spec.cron_string, timezone_name=spec.timezone_name)
                async with unsaved(self._client, asked) as answer:
                    self._known[key] = answer.spec
        compiled = ScheduleSpec()
        compiled.CopyFrom(spec)
        compiled.ClearField("cron_string")
        compiled.structured_calendar.extend(self._known[key].structured_calendar)
        return compiled
