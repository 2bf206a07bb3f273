"""What a service knows about its own work that the options of its workers must respect."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class WorkLimits(BaseModel):
    """Facts about the work of a service, read from its settings before anything is opened.

    Each is ``None`` where the service cannot say; what depends on it is then not checked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    longest_start_to_close_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds of the longest start-to-close timeout among the service's activities."""
    start_to_close_s: tuple[Annotated[float, Field(gt=0, allow_inf_nan=False)], ...] = ()
    """Seconds of each different start-to-close timeout, for the bounds of histograms; none takes the longest alone."""
    shortest_heartbeat_timeout_s: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds of the shortest heartbeat timeout among the service's activities."""
    database_connections: int | None = Field(default=None, ge=1)
    """The most connections that the process may hold to its database at once, overflow included."""
    connections_per_activity: int = Field(default=1, ge=0)
    """Connections that one running activity holds at once."""
