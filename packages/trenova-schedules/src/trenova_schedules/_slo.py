"""What is expected of a schedule's runs, and what a backfill may make of the ones that are missing."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class BackfillPolicy(StrEnum):
    """What a backfill of several ticks starts.

    ``EACH``: one run for each tick, because each does its own part of the work. ``COLLAPSE``: one run for all of
    them, because a run does whatever there is to do. ``NEVER``: none, because a late run would do harm.
    """

    EACH = "each"
    COLLAPSE = "collapse"
    NEVER = "never"


class ScheduleSlo(BaseModel):
    """When a schedule counts as failing, and when as well again. On the wire in camelCase, durations in ISO 8601.

    Attributes:
        margin: How long after its nominal time a run may start and still be on time.
        max_run_time: How long a run may take; None: as long as it likes. Nothing is stopped.
        failure_threshold: How many ticks in a row have to go wrong before somebody is told.
        recovery_threshold: How many in a row have to go well before that is over.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    margin: Annotated[timedelta, Field(ge=timedelta(seconds=1), le=timedelta(days=7))] = timedelta(minutes=1)
    max_run_time: Annotated[timedelta, Field(ge=timedelta(seconds=1))] | None = None
    failure_threshold: Annotated[int, Field(ge=1, le=1000)] = 1
    recovery_threshold: Annotated[int, Field(ge=1, le=1000)] = 1
