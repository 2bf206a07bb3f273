"""Where a server listens, and who is in front of it: frozen, checked when it is given."""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trenova_access._hosts import is_loopback


def _proxy(value: str) -> str:
    try:
        ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(
            "it is neither an address nor a network; write the proxy's address or its network, as in '10.0.0.0/8'"
        ) from None
    return value


class ListenOptions(BaseModel):
    """Where a server listens.

    Attributes:
        host: Address to listen on. Anything but loopback needs JWTs, API tokens or OIDC, and an encrypted connection.
        port: 0 chooses a free one.
        tls_certificate: PEM file with the chain, to speak TLS itself.
        tls_key: PEM file with its private key, without a password.
        trusted_proxies: Addresses or networks of proxies in front that terminate TLS; their X-Forwarded headers are
            believed.
        stop_s: Seconds that running requests get when the server is asked to stop.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxies: tuple[Annotated[str, AfterValidator(_proxy)], ...] = ()
    stop_s: float = Field(default=10, gt=0, le=3600)

    @model_validator(mode="after")
    def _certificate_has_its_key(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together; give both, or neither")
        return self

    @property
    def encrypted(self) -> bool:
        """Whether callers' connections are encrypted, by this server or, as its operator says, in front of it."""
        return self.tls_certificate is not None or bool(self.trusted_proxies)


class OpenListenOptions(ListenOptions):
    """Where a server listens that may be tried out without signing in.

    Attributes:
        no_sign_in: Let everybody who reaches it do everything (:class:`trenova_access.serving.OpenAccess`); on loopback
            only.
    """

    no_sign_in: bool = False

    @model_validator(mode="after")
    def _open_on_loopback_only(self) -> Self:
        if self.no_sign_in and (not is_loopback(self.host) or self.trusted_proxies):
            raise ValueError(
                "no_sign_in lets everybody do everything, so it needs a loopback host and no proxy in front; "
                "leave it out, and give tokens, API tokens or OIDC"
            )
        return self
