"""The schedules that a caller may look at."""

from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._managing._listing import described, find_schedules
from trenova_schedules.server._api import Caller
from trenova_schedules.server._roles import VIEWER


async def permitted_lines(caller: Caller, wanted: ScheduleFilter) -> list[ListedSchedule]:
    """Return every schedule that matches and that the caller may look at, in no order.

    Args:
        caller: With the role viewer on some schedule.
        wanted: Which.
    """
    api, service = caller.api, caller.api.service
    lines = await find_schedules(api.client, wanted, registry=service.registry, live=True, at_once=service.at_once)
    if caller.may_everywhere(VIEWER):
        return lines
    # The labels that permissions are judged by are the schedule's own; the list of the server has none.
    looked_at = await described(api.client, lines, service.at_once)
    return [line for line in looked_at if line.document and caller.may(VIEWER, line.document.labels)]
