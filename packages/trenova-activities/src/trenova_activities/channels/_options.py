"""Which channels there are and how each is reached; everything is off until it is said."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

Rule = Literal["on", "urgent", "off"]
"""Whether an event is told: always, only where its priority is high or critical, or never."""

Name = Annotated[str, Field(pattern="^[a-z0-9][a-z0-9_-]{0,49}$")]
Network = IPv4Network | IPv6Network

LEAST_SECRET: Final = 32
"""Characters of a signing secret; HMAC-SHA256 gains nothing from more than 64 bytes (RFC 2104, section 3)."""

_ADDRESS: Final = re.compile(r"[^\s<>,;:\"\\@\x00-\x1f\x7f]+@[A-Za-z0-9.-]+")


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RateOptions(_Options):
    """How many messages one worker process sends to one server.

    Attributes:
        messages: So many in each period, also at once.
        per_s: The period, seconds.
        wait_s: How long a message waits for its turn, seconds; then it is tried again later.
    """

    messages: int = Field(default=10, ge=1, le=100_000)
    per_s: float = Field(default=1, gt=0, le=86_400)
    wait_s: float = Field(default=5, ge=0, le=10)


class ChannelDefaults(_Options):
    """What all channels have in common.

    Attributes:
        events: Patterns of event types that this channel tells to users who have not said otherwise; ``*`` is any text.
        rule: How these are told.
        max_attempts: After so many a delivery is given up and waits for somebody to look.
        timeout_s: What one attempt may take from connecting to the answer, seconds.
        rate: How fast; None for no limit.
    """

    events: tuple[str, ...] = ("*",)
    rule: Rule = "on"
    max_attempts: int = Field(default=10, ge=1, le=100)
    timeout_s: float = Field(default=15, gt=0, le=20)
    rate: RateOptions | None = None


class EmailOptions(ChannelDefaults):
    """A mail server that takes our mail.

    Attributes:
        host: Its name; its certificate must be for it.
        port: 587 for STARTTLS and 465 for TLS from the start, by default.
        security: ``none`` is for a relay on the same machine: without a password only.
        username: To sign in with; None where the server wants nobody to.
        password: Its password.
        sender: The address that mail comes from.
        sender_name: The name beside it.
        message_id_domain: What is behind the @ of message ids; the sender's domain if absent.
        link_base: Begins the links of the mail, e.g. ``https://tms.example``; None for no links.
        ca_file: PEM file of the authorities that may have signed the server's certificate; the system's if absent.
        templates: Folder of templates that win over ours.
    """

    host: str = Field(min_length=1, max_length=253)
    port: int | None = Field(default=None, ge=1, le=65_535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    sender: str
    sender_name: str = Field(default="Trenova", max_length=100)
    message_id_domain: str | None = Field(default=None, pattern="^[A-Za-z0-9.-]+$")
    link_base: str | None = Field(default=None, pattern="^https?://[^/?#]+$")
    ca_file: Path | None = None
    templates: Path | None = None

    @field_validator("sender")
    @classmethod
    def _address(cls, value: str) -> str:
        return checked_address(value)

    @field_validator("sender_name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("has characters that cannot be printed; a header is one line")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("has only one of username and password; give both or none")
        if self.password is not None and self.security == "none":
            raise ValueError("has a password and security 'none'; a password only goes over TLS")
        return self

    @property
    def resolved_port(self) -> int:
        """The port, or the usual one of this security (RFC 8314)."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]


class WebhookEndpoint(_Options):
    """One receiver of signed requests.

    Attributes:
        url: Where to; without user, password and fragment.
        secret: What requests are signed with.
        previous_secret: Signed with as well, while the receiver changes to the new one.
        organizations: Only notifications of these organizations; all if empty.
        allowed_networks: Private, loopback or other special networks in which the receiver may be; none by default.
        plain_http: Whether the URL may begin with ``http:``.
    """

    url: str = Field(max_length=2000)
    secret: SecretStr = Field(min_length=LEAST_SECRET)
    previous_secret: SecretStr | None = Field(default=None, min_length=LEAST_SECRET)
    organizations: tuple[str, ...] = ()
    allowed_networks: tuple[Network, ...] = ()
    plain_http: bool = False

    @model_validator(mode="after")
    def _usable(self) -> Self:
        parts = urlsplit(self.url)
        wrong = {
            "must begin with https:": parts.scheme not in {"https", "http"},
            "begins with http:; write https:, or set plain_http": parts.scheme == "http" and not self.plain_http,
            "names no host": not parts.hostname,
            "holds a user or a password; the signature says who sends": parts.username is not None,
            "has a fragment, which no request carries": bool(parts.fragment),
            "holds spaces or control characters": not self.url.isprintable() or " " in self.url,
        }
        found = [problem for problem, there in wrong.items() if there]
        if found:
            raise ValueError(f"url {'; '.join(found)}")
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """What to sign with, the newest first."""
        given = (self.secret, self.previous_secret)
        return tuple(secret.get_secret_value() for secret in given if secret is not None)


class WebhookOptions(ChannelDefaults):
    """Receivers of signed requests by name; a delivery goes to each of them.

    Attributes:
        endpoints: By a name that is shown; ``rate`` holds for each.
        ca_file: PEM file of the authorities that may have signed their certificates; the usual ones if absent.
    """

    endpoints: Mapping[Name, WebhookEndpoint] = Field(min_length=1)
    ca_file: Path | None = None


class RedisOptions(ChannelDefaults):
    """A stream of a Redis server.

    Attributes:
        host: The server's name.
        port: Its port.
        database: Its number.
        username: To sign in with; the default user if absent.
        password: Its password.
        tls: Whether to speak TLS, with a certificate that is for the name.
        ca_file: PEM file of the authorities that may have signed it; the system's if absent.
        stream: The key of the stream.
        max_length: About how many entries are kept.
        remembered_s: How long the server knows what it has taken, seconds; longer than a delivery is tried.
    """

    host: str = Field(min_length=1, max_length=253)
    port: int = Field(default=6379, ge=1, le=65_535)
    database: int = Field(default=0, ge=0)
    username: str | None = None
    password: SecretStr | None = None
    tls: bool = False
    ca_file: Path | None = None
    stream: str = Field(default="trenova:notifications", pattern="^[^{}\\s]{1,150}$")
    max_length: int = Field(default=100_000, ge=1)
    remembered_s: int = Field(default=14 * 86_400, ge=86_400)


class RoleMembers(_Options):
    """The TMS's table that says who has a role; what it has of the tenant's columns is compared too.

    Attributes:
        table: Its name.
        user_column: Ids of users.
        role_column: Names of roles, as jobs use them.
        most: Users of a role that are told one by one; further ones find the notification in the application.
    """

    table: str = Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")
    user_column: str = "user_id"
    role_column: str = "role"
    most: int = Field(default=100, ge=1, le=100)


class ChannelOptions(_Options):
    """The channels of a service beside the stored notification; all are off by default.

    Attributes:
        email: To users that have an address.
        webhook: To every endpoint.
        redis: To a stream.
        roles: Where users of a role are found; None: a role is told in the application, and by webhook and Redis.
    """

    email: EmailOptions | None = None
    webhook: WebhookOptions | None = None
    redis: RedisOptions | None = None
    roles: RoleMembers | None = None


def checked_address(value: str) -> str:
    """Return a mail address that is fit for a header and an SMTP command.

    Raises:
        ValueError: It is none, or has characters beyond ASCII, which few servers take.
    """
    if not (_ADDRESS.fullmatch(value) and value.isascii()):
        raise ValueError("is not one plain mail address such as dispatch@example.com")
    return value
