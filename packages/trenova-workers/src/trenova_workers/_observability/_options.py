"""Where traces go, and what is in them."""

from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from trenova_workers._tuning._impossible import impossible

_TRACES: Final = "/v1/traces"


class ObservabilityOptions(BaseModel):
    """Traces of a process. Nothing is traced, and nothing imported for it, without a collector.

    Metrics are ``worker.metrics``, since they are the workers' own; `trenova_workers.MetricsOptions`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    otlp_url: str | None = Field(default=None, pattern=r"^https?://[^\s/?#@]+(/[^\s?#@]*)?$")
    """The collector: ``http://127.0.0.1:4317`` for gRPC, ``http://127.0.0.1:4318`` for HTTP, where ``/v1/traces`` is
    added unless it is there. ``https`` is encrypted. None traces nothing."""
    otlp_protocol: Literal["grpc", "http"] = "grpc"
    """How the collector is spoken to: gRPC, or protobuf over HTTP."""
    otlp_headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Sent with every batch, e.g. what a hosted collector asks for; never shown."""
    otlp_interval_s: float = Field(default=5, ge=0.1, le=60)
    """The most seconds that an ended span waits to be sent."""
    sample_share: float = Field(default=1.0, ge=0, le=1)
    """Share of traces that are kept. The first to begin one decides for all who go on with it, so a caller that keeps
    its traces has the whole of them."""
    temporal_spans: bool = True
    """Whether starting and running a workflow, an activity, a child, a signal, a query or an update is a span of its
    own. Without, contexts still travel, and what is under them hangs at the caller's span."""
    database: bool = True
    """Whether each statement that SQLAlchemy sends is a span: its text, with placeholders for values."""
    http: bool = True
    """Whether requests by httpx, and those that our web servers answer, are spans."""

    @model_validator(mode="after")
    def _has_a_collector(self) -> Self:
        if self.otlp_url is None:
            for key in self.model_fields_set - {"otlp_url"}:
                if getattr(self, key) != type(self).model_fields[key].get_default(call_default_factory=True):
                    fix = f"Set otlp_url, e.g. to http://127.0.0.1:4317, or leave {key} out"
                    raise impossible(key, None, "has no effect while otlp_url is not set", fix)
        return self

    @property
    def address(self) -> str:
        """Where spans are sent.

        Raises:
            ValueError: There is no collector.
        """
        if self.otlp_url is None:
            raise ValueError("otlp_url is not set.")
        if self.otlp_protocol == "grpc" or urlsplit(self.otlp_url).path.rstrip("/").endswith(_TRACES):
            return self.otlp_url
        return self.otlp_url.rstrip("/") + _TRACES
