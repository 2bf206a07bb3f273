"""Parameters that several operations have."""

from datetime import UTC, datetime
from typing import Annotated, Final

from fastapi import Header, Path, Query
from pydantic import AfterValidator, AwareDatetime, Field

from trenova_schedules.server._middleware import decoded_segment

_READABLE: Final = r"^[^\x00-\x1f\x7f]+$"

ScheduleId = Annotated[
    str,
    Path(min_length=1, max_length=1000, pattern=_READABLE, description="A slash in it is written %2F."),
    AfterValidator(decoded_segment),
]

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=200, description="The ETag of what the change was decided on; * for any."),
]

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)

Moment = Annotated[AwareDatetime, Field(ge=_EARLIEST, le=_LATEST)]
"""With a time zone, and of a time in which there are schedules and zones that somebody knows."""

Reason = Annotated[
    str, Query(min_length=1, max_length=500, pattern=_READABLE, description="Why, for whoever looks at it later.")
]

Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]

Cursor = Annotated[
    str | None, Query(max_length=4000, description="`nextCursor` of the page before, of the same filter and order.")
]

Text = Annotated[str, Query(max_length=1000, pattern=r"^[^\x00]*$")]
