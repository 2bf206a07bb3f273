"""What happens to a pool while it is simulated: arrivals, second by second, and all that goes wrong."""

from typing import Final

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from trenova_workers.routing._problems import Problem
from trenova_workers.scaling._document import ScalingDocument

_LEAST_S: Final = 60
_MOST_S: Final = 7 * 86_400


class Span(ScalingDocument):
    """A span of time, from ``start`` on and before ``end``, in seconds since the trace began."""

    model_config = ConfigDict(extra="forbid")

    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Outage(Span):
    """While it lasts what tasks need is down: each takes ``slowdown`` times as long, and the pool is told so."""

    slowdown: float = Field(default=5, ge=1, le=100)


class Fire(ScalingDocument):
    """A heap of tasks that a calendar announces.

    Attributes:
        at: Second at which it arrives.
        tasks: That the calendar expects. What arrives stands in ``arrivals``.
        name: Of the schedule.
    """

    model_config = ConfigDict(extra="forbid")

    at: int = Field(ge=0)
    tasks: float = Field(gt=0)
    name: str = "schedule"


class Trace(ScalingDocument):
    """What happens to a pool.

    Attributes:
        name: Of the trace.
        about: What it shows, in a sentence.
        arrivals: Tasks that arrive in each second, from the first on.
        service_s: Seconds that a task takes on average once a worker has it, at least 1.
        service_noise: Spread of that from second to second (sigma of a lognormal whose mean is 1).
        slots: Tasks that one worker works on at once.
        start_s: Seconds from the start of a worker to its first task.
        metric_delay_s: By how many seconds figures lag, beside the server's cache of 5 s.
        gaps: When figures cannot be read at all.
        outages: When what tasks need is down.
        fires: What calendars announce.
        seed: Of everything that is random in the pool.
    """

    model_config = ConfigDict(extra="forbid")

    name: str = "trace"
    about: str = ""
    arrivals: tuple[int, ...]
    service_s: float = Field(default=2, ge=1, le=86_400)
    service_noise: float = Field(default=0.1, ge=0, le=1)
    slots: int = Field(default=10, ge=1, le=10_000)
    start_s: int = Field(default=10, ge=0, le=3600)
    metric_delay_s: int = Field(default=0, ge=0, le=3600)
    gaps: tuple[Span, ...] = ()
    outages: tuple[Outage, ...] = ()
    fires: tuple[Fire, ...] = ()
    seed: int = 1

    @model_validator(mode="after")
    def _in_time(self) -> "Trace":
        length = len(self.arrivals)
        if not _LEAST_S <= length <= _MOST_S:
            cure = "Cut it." if length > _MOST_S else "Go on with 0; in CSV a last line `59,0` is enough."
            raise _refused("arrivals", f"{length} s", "a trace takes 60 s at least and a week at most", cure)
        if any(count < 0 for count in self.arrivals):
            raise _refused("arrivals", min(self.arrivals), "holds a negative number", "Count tasks from 0.")
        for key, spans in (("gaps", self.gaps), ("outages", self.outages)):
            for one in spans:
                if one.end <= one.start:
                    raise _refused(key, f"{one.start} to {one.end}", "it ends before it starts", "Swap the two.")
        return self

    @property
    def seconds(self) -> int:
        """How long it is."""
        return len(self.arrivals)


def _refused(key: str, value: object, what: str, cure: str) -> PydanticCustomError:
    problem = Problem("", key, value, what, cure)
    return PydanticCustomError("trace", "{said}", {"said": str(problem), "problems": [problem]})
