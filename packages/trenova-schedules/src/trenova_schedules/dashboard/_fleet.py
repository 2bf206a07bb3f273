"""What one process remembers of all schedules between two requests."""

from dataclasses import dataclass

from starlette.requests import Request
from temporalio.client import Client

from trenova_schedules._reconciling._serving import Registrations
from trenova_schedules.dashboard._described import Descriptions
from trenova_schedules.dashboard._expected import ExpectedFires
from trenova_schedules.dashboard._unserved import Workers


@dataclass(frozen=True)
class Fleet:
    """All of it.

    Attributes:
        descriptions: Looks at schedules.
        expected: When they will fire.
        workers: Who takes their runs.
    """

    descriptions: Descriptions
    expected: ExpectedFires
    workers: Workers

    @classmethod
    def of(cls, client: Client, registrations: Registrations | None) -> "Fleet":
        """Make one that knows nothing yet."""
        return cls(Descriptions(client), ExpectedFires(client), Workers(client, registrations))


def fleet_of(request: Request) -> Fleet:
    """Return that of the application of a request."""
    found: Fleet = request.app.state.fleet
    return found
