"""What every operation of the API says of its failures, and the API of itself."""

from typing import Final

from trenova_access.api import ApiDescription

DESCRIPTION: Final = ApiDescription(
    title="Worker pools",
    distribution="trenova-workers",
    description="Look at pools of Temporal workers, see why each has as many as it has, and order another number.",
    said={503: "The database does not answer, or the server is busy."},
)
documented, changes = DESCRIPTION.documented, DESCRIPTION.changes
