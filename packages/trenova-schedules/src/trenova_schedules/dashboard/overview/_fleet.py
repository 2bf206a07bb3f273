"""What one process remembers of all schedules between two requests."""

from dataclasses import dataclass

from starlette.requests import Request
from temporalio.client import Client

from trenova_schedules._managing._filter import ScheduleFilter
from trenova_schedules._managing._listed import ListedSchedule
from trenova_schedules._reconciling._serving import Registrations
from trenova_schedules.dashboard.overview._described import Descriptions
from trenova_schedules.dashboard.overview._expected import ExpectedFires
from trenova_schedules.dashboard.overview._shared_list import SharedList
from trenova_schedules.dashboard.overview._unserved import Workers
from trenova_schedules.server._api import Caller
from trenova_schedules.server._permitted import permitted_lines
from trenova_schedules.server._roles import VIEWER


@dataclass(frozen=True)
class Fleet:
    """All of it.

    Attributes:
        descriptions: Looks at schedules.
        expected: When they will fire.
        workers: Who takes their runs.
        shared: The last list, for as long as it takes to answer the parts of one page.
    """

    descriptions: Descriptions
    expected: ExpectedFires
    workers: Workers
    shared: SharedList

    @classmethod
    def of(cls, client: Client, registrations: Registrations | None) -> "Fleet":
        """Make one that knows nothing yet."""
        return cls(Descriptions(client), ExpectedFires(client), Workers(client, registrations), SharedList())

    async def lines(self, caller: Caller) -> list[ListedSchedule]:
        """Return what the server's list says of every schedule that a caller may look at.

        Looks wait meanwhile, and the parts of a page, which ask at one time, share one list.
        """
        with self.descriptions.backlog.held(), self.expected.backlog.held():
            if not caller.may_everywhere(VIEWER):
                return await permitted_lines(caller, ScheduleFilter())
            return await self.shared.get(lambda: permitted_lines(caller, ScheduleFilter()))


def fleet_of(request: Request) -> Fleet:
    """Return that of the application of a request."""
    found: Fleet = request.app.state.fleet
    return found
