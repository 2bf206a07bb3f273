"""What every operation of the API says of its failures, and the API of itself."""

from typing import Final

from trenova_access.api import ApiDescription
from trenova_schedules.server._problems import ProblemDocument

DESCRIPTION: Final = ApiDescription(
    title="Schedules",
    distribution="trenova-schedules",
    description="Look at Temporal schedules, change them safely, and see what became of every tick.",
    said={
        412: "The schedule is not what the caller saw; `current` is what it is now.",
        428: "A header is missing: If-Match with the ETag of what a change was decided on, or Idempotency-Key.",
        503: "Temporal, the database or a worker does not answer, or the server is busy.",
    },
    problem=ProblemDocument,
)
documented, changes = DESCRIPTION.documented, DESCRIPTION.changes
