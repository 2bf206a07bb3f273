"""What the API of pools is told: who may call it, how often, where it listens."""

import ipaddress
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from trenova_access import AccessOptions, Grant, LimitOptions, SignInOptions, is_loopback
from trenova_errors import ConfigurationError
from trenova_workers.pool._options import PoolsOptions
from trenova_workers.pool.server._roles import ADMIN

DEFAULT_PORT: Final = 8236
"""Beside the Temporal UI's 8233, the codec server's 8234 and the dashboard's 8235."""


class RateOptions(BaseModel):
    """How many requests one caller may make; more are told when to come back (429).

    Attributes:
        reads: Requests that change nothing.
        writes: Requests that change something.
        per_s: Seconds within which so many are let through, also all at once.
        callers: Callers that are remembered; the one that asked least recently is forgotten first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reads: int = Field(default=300, ge=1)
    writes: int = Field(default=60, ge=1)
    per_s: float = Field(default=10, gt=0, le=3600)
    callers: int = Field(default=10_000, ge=1)


def _local_access() -> AccessOptions:
    return AccessOptions(
        sign_in=SignInOptions(cookie="trenova-pools", grants=(Grant(resource="*", role=ADMIN),)),
        limits=LimitOptions(max_body=64 * 1024, timeout_s=30, max_concurrent=64),
    )


def _proxy(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError("it is neither an address nor a network; write it as in '10.0.0.0/8'") from None
    return value


class PoolServerOptions(BaseModel):
    """The API of pools and where it listens.

    Attributes:
        access: Who may call it; by default whoever can sign in on this machine.
        rates: How often.
        host: Address to listen on. Anything but loopback needs JWTs, API tokens or OIDC, and an encrypted connection.
        port: 0 chooses a free one.
        no_sign_in: Let everybody who reaches it do everything; on loopback only.
        tls_certificate: PEM file with the chain, to speak TLS itself.
        tls_key: PEM file with its private key.
        trusted_proxies: Addresses or networks of proxies in front that terminate TLS.
        stop_s: Seconds that running requests get when the server is asked to stop.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    access: AccessOptions = Field(default_factory=_local_access)
    rates: RateOptions = RateOptions()
    host: str = "127.0.0.1"
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    no_sign_in: bool = False
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[Annotated[str, AfterValidator(_proxy)], ...] = ()
    stop_s: float = Field(default=10, gt=0, le=3600)

    @model_validator(mode="after")
    def _hold_together(self) -> "PoolServerOptions":
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


def server_options(options: PoolsOptions) -> PoolServerOptions:
    """Read what the pools' file says under ``server``.

    Raises:
        ConfigurationError: It does not hold; names the keys and never shows a value.
    """
    try:
        return PoolServerOptions.model_validate(options.server)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = " ".join(
            f"server.{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ').rstrip('.')}."
            for one in faults
        )
        raise ConfigurationError(f"The options of the API do not hold. {said}") from None
