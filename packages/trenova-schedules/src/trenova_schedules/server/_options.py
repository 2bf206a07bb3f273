"""What a server of schedules is told: frozen, checked when it is given."""

import ipaddress
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trenova_access import AccessOptions, Grant, LimitOptions, SignInOptions, is_loopback
from trenova_schedules.dashboard._options import DashboardOptions
from trenova_schedules.server._roles import ADMIN
from trenova_schedules.store import StoreOptions

DEFAULT_PORT: Final = 8235
"""Beside the Temporal UI's 8233 and the codec server's 8234."""

_MARGIN_S: Final = 2.0


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RateOptions(_Options):
    """How many requests one caller may make; more are told when to come back (429).

    Attributes:
        reads: Requests that change nothing.
        writes: Requests that change something, and questions that the server needs a passing schedule for.
        per_s: Seconds within which so many are let through, also all at once.
        callers: Callers that are remembered; the one that asked least recently is forgotten first.
    """

    reads: int = Field(default=300, ge=1)
    writes: int = Field(default=60, ge=1)
    per_s: float = Field(default=10, gt=0, le=3600)
    callers: int = Field(default=10_000, ge=1)


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


def _proxy(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("it is neither an address nor a network; write it as in '10.0.0.0/8'") from None
    return value


class ServeOptions(ServerOptions):
    """An API and where it listens.

    Attributes:
        host: Address to listen on. Anything but loopback needs JWTs, API tokens or OIDC, and an encrypted
            connection.
        port: 0 chooses a free one.
        data_dir: Private folder, in which the running server leaves its address, sign-in link and key.
        database: Where audit trail, ledger, receipts and idempotency keys are; null for none of these.
        no_sign_in: Let everybody who reaches it do everything; on loopback only.
        tls_certificate: PEM file with the chain, to speak TLS itself.
        tls_key: PEM file with its private key.
        trusted_proxies: Addresses or networks of proxies in front that terminate TLS.
        stop_s: Seconds that running requests get when the server is asked to stop.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    data_dir: Path = Path(".trenova")
    database: StoreOptions | None = StoreOptions(url="sqlite:///{data_dir}/tms.db")
    no_sign_in: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[Annotated[str, AfterValidator(_proxy)], ...] = ()
    stop_s: float = Field(default=10, gt=0, le=3600)

    @model_validator(mode="after")
    def _hold_together(self) -> "ServeOptions":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together; give both, or neither")
        if self.no_sign_in and (not is_loopback(self.host) or self.trusted_proxies):
            raise ValueError(
                "no_sign_in lets everybody do everything, so it needs a loopback host and no proxy in front; "
                "leave it out, and give tokens, API tokens or OIDC"
            )
        return self

    @property
    def encrypted(self) -> bool:
        """Whether callers' connections are encrypted, by this server or, as its operator says, in front of it."""
        return self.tls_certificate is not None or bool(self.trusted_proxies)
