"""What a server of schedules is told: frozen, checked when it is given."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trenova_access import AccessOptions, Grant, LimitOptions, SignInOptions
from trenova_access.api import RateOptions
from trenova_access.serving import OpenListenOptions
from trenova_schedules.dashboard._options import DashboardOptions
from trenova_schedules.server._roles import ADMIN
from trenova_schedules.store import StoreOptions

DEFAULT_PORT: Final = 8235
"""Beside the Temporal UI's 8233 and the codec server's 8234."""

_MARGIN_S: Final = 2.0


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class EventOptions(_Options):
    """The event stream.

    Attributes:
        every_s: Seconds between two looks at the server, while somebody listens.
        heartbeat_s: Seconds after which a comment is sent where nothing happens.
        longest_s: Seconds after which a stream ends; browsers connect again by themselves and miss nothing.
        kept: Events that are kept for those who connect again.
        streams: Streams at one time; more are told to come back.
    """

    every_s: float = Field(default=2, ge=0.1, le=60)
    heartbeat_s: float = Field(default=10, ge=0.1, le=60)
    longest_s: float = Field(default=25, gt=0, le=3600)
    kept: int = Field(default=1000, ge=1, le=100_000)
    streams: int = Field(default=32, ge=1, le=10_000)


def _local_access() -> AccessOptions:
    return AccessOptions(
        sign_in=SignInOptions(cookie="trenova-schedules", grants=(Grant(resource="*", role=ADMIN),)),
        limits=LimitOptions(max_body=256 * 1024, timeout_s=60, max_concurrent=64),
    )


class ServerOptions(_Options):
    """One API, and its pages.

    Attributes:
        access: Who may call it; by default whoever can sign in on this machine.
        rates: How often.
        events: The event stream.
        require_served: Refuse a schedule whose workflow or task queue no worker serves.
        backfill_queue: Task queue of the workers that run backfills.
        dashboard: The pages for people.

    Raises:
        ValueError: A stream would outlive the time that a request may take, or take every place there is.
    """

    access: AccessOptions = Field(default_factory=_local_access)
    rates: RateOptions = RateOptions()
    events: EventOptions = EventOptions()
    require_served: bool = True
    backfill_queue: str = Field(default="system-queue", min_length=1, max_length=1000)
    dashboard: DashboardOptions = DashboardOptions()

    @model_validator(mode="after")
    def _streams_fit(self) -> "ServerOptions":
        limits = self.access.limits
        if self.events.longest_s + _MARGIN_S > limits.timeout_s:
            raise ValueError(
                f"events.longest_s is {self.events.longest_s:g}, and a request may take access.limits.timeout_s = "
                f"{limits.timeout_s:g} s; let streams end {_MARGIN_S:g} s before"
            )
        if self.events.streams >= limits.max_concurrent:
            raise ValueError(
                f"events.streams is {self.events.streams}, and access.limits.max_concurrent {limits.max_concurrent} "
                "counts streams too; leave some for other requests"
            )
        return self


class ServeOptions(ServerOptions, OpenListenOptions):
    """An API and where it listens; what is not said here is of ``trenova_access.serving.OpenListenOptions``.

    Attributes:
        port: 0 chooses a free one.
        data_dir: Private folder, in which the running server leaves its address, sign-in link and key.
        database: Where audit trail, ledger, receipts and idempotency keys are; null for none of these.
    """

    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    data_dir: Path = Path(".trenova")
    database: StoreOptions | None = StoreOptions(url="sqlite:///{data_dir}/tms.db")
