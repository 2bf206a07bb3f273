"""Where the SDK's metrics go."""

from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from trenova_workers._fields import nearest
from trenova_workers._history import HISTORY_BUCKETS
from trenova_workers._identity import Identity
from trenova_workers._tuning._impossible import impossible


def _ascending(bounds: tuple[float, ...]) -> tuple[float, ...]:
    if any(low >= high for low, high in pairwise(bounds)):
        raise ValueError("bounds of buckets must rise from each to the next")
    return bounds


HISTOGRAMS: Final = (
    *("request_latency", "long_request_latency", "workflow_endtoend_latency"),
    *("workflow_task_schedule_to_start_latency", "workflow_task_execution_latency", "workflow_task_replay_latency"),
    *("activity_schedule_to_start_latency", "activity_execution_latency", "activity_succeed_endtoend_latency"),
    *("local_activity_execution_latency", "local_activity_succeed_endtoend_latency"),
    *("nexus_task_schedule_to_start_latency", "nexus_task_execution_latency", "nexus_task_endtoend_latency"),
    *HISTORY_BUCKETS,
)
"""The histograms of the SDK (temporalio 1.35), without prefix and unit, and our own, whose names are whole."""
OURS: Final = "trenova_"
"""Before the name of every metric of our packages."""
OWN_TAGS: Final = frozenset(Identity.model_fields)
"""What every metric says of the process; a tag of that name would hide it."""

Buckets = Annotated[tuple[float, ...], Field(min_length=1), AfterValidator(_ascending)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]


class MetricsOptions(BaseModel):
    """Metrics of the SDK. Each has the tags `OWN_TAGS` besides those told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    exporter: Literal["none", "prometheus", "otlp"] = "none"
    """``prometheus`` answers scrapes at ``/metrics``, ``otlp`` pushes to a collector."""
    host: str = "127.0.0.1"
    """Where scrapes are answered; loopback unless told otherwise."""
    port: int = Field(default=0, ge=0, le=65535)
    """0 takes a free port; it is logged as ``metrics``."""
    prefix: Name = "temporal_"
    """Before the name of every metric of the SDK."""
    tags: dict[Name, str] = Field(default_factory=dict)
    """Further tags of every metric, with names of their own. No secrets: whoever scrapes reads them."""
    buckets: dict[str, Buckets] = Field(default_factory=dict)
    """Upper bounds of a histogram's buckets, by the name of the SDK's without prefix and unit, in seconds, or by the
    whole name of one of ours (``trenova_...``), in its own unit. Those of durations follow from the activities'
    timeouts where nothing is told."""
    targets_dir: Path | None = None
    """Folder in which each process keeps a file that tells a Prometheus on this machine where to scrape it
    (``file_sd_configs``), so that several need no ports of their own; relative to the working directory."""
    otlp_url: str | None = Field(default=None, pattern=r"^https?://[^\s]+$")
    """The collector, e.g. ``http://127.0.0.1:4317`` (gRPC) or ``http://127.0.0.1:4318/v1/metrics`` (HTTP)."""
    otlp_protocol: Literal["grpc", "http"] = "grpc"
    """How the collector is spoken to: gRPC, or protobuf over HTTP."""
    otlp_interval_s: float = Field(default=10, ge=0.1, le=3600)
    """Seconds between two pushes."""

    @model_validator(mode="after")
    def _names_what_there_is(self) -> Self:
        for name in self.buckets:
            if name not in HISTOGRAMS and not name.startswith(OURS):
                near = nearest(name, HISTOGRAMS)
                fix = f"The nearest is {near!r}" if near else f"Known are {', '.join(HISTOGRAMS)}"
                raise impossible(f"buckets.{name}", None, "the SDK has no such histogram", fix)
        for name, value in self.tags.items():
            if name in OWN_TAGS:
                said = f"every metric has its own {name!r}, which says what process it is of"
                raise impossible(f"tags.{name}", value, said, "Choose another name")
        return self

    @model_validator(mode="after")
    def _fits_the_exporter(self) -> Self:
        if self.exporter == "otlp" and self.otlp_url is None:
            fix = "Set it, e.g. to http://127.0.0.1:4317"
            raise impossible("otlp_url", None, "is missing while exporter is 'otlp'", fix)
        for key in ("otlp_url", "otlp_protocol", "otlp_interval_s", "host", "port", "targets_dir"):
            wanted = "otlp" if key.startswith("otlp") else "prometheus"
            value = getattr(self, key)
            if key in self.model_fields_set and value is not None and self.exporter != wanted:
                said = f"has no effect while exporter is {self.exporter!r}"
                raise impossible(key, value, said, f"Set exporter to {wanted!r}, or leave {key} out")
        return self
