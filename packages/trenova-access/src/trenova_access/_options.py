"""What a server may be told about its callers: frozen, checked when it is given."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

import httpx
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from trenova_access._claims import PermissionClaim, ValueClaim
from trenova_access._hosts import is_loopback
from trenova_access._principal import Grant

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a public key only: under an HMAC algorithm everybody who can read the JWKS could sign."""


def _origin(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or value != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"{value!r} is no origin; write scheme, host and port only, as in 'https://ui.example.com'")
    if "*" in value or "@" in value:
        raise ValueError(f"{value!r} is not concrete; a browser sends credentials only to origins named in full")
    return value.lower()


def _host(value: str) -> str:
    if not value or any(sign in value for sign in "*/@ "):
        raise ValueError(f"{value!r} is no host name; write it as browsers do, e.g. 'codec.example.com'")
    return value.lower()


def _key_set_url(value: str) -> str:
    try:
        url = httpx.URL(value)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise ValueError(f"{value!r} is no address; write it as the issuer's `jwks_uri` does") from None
    if url.host and (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))):
        return value
    raise ValueError(f"{value!r} is not https; keys fetched in clear can be replaced on the way")


Origin = Annotated[str, AfterValidator(_origin)]
Host = Annotated[str, AfterValidator(_host)]


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KeySetOptions(_Options):
    """Where the issuer's public keys are, and how they are fetched.

    Attributes:
        url: The ``jwks_uri`` of the issuer's OpenID configuration; https, or http on loopback.
        refresh_s: Seconds after which keys are fetched again, beside the requests.
        retry_s: Least seconds between two fetches, whatever key ids callers name.
        stale_s: Seconds for which keys are used while the issuer does not answer.
        timeout_s: Seconds that one fetch may take.
        max_bytes: Largest answer that is read.
        ca_file: Certificates to trust instead of the system's, as a PEM file.
        proxy: URL of a proxy; the environment's are not looked at.
    """

    url: Annotated[str, AfterValidator(_key_set_url)]
    refresh_s: float = Field(default=300, gt=0)
    retry_s: float = Field(default=10, ge=0)
    stale_s: float = Field(default=24 * 3600, ge=0)
    timeout_s: float = Field(default=5, gt=0, le=60)
    max_bytes: int = Field(default=256 * 1024, gt=0)
    ca_file: str | None = None
    proxy: str | None = None


class TokenOptions(_Options):
    """JWTs of one issuer.

    Attributes:
        issuer: The exact ``iss``.
        audiences: A token's ``aud`` must name one of them: what the issuer calls this server.
        keys: Where its public keys are.
        algorithms: Signatures that are accepted. The token's own header never adds to them.
        clock_skew_s: Seconds by which the issuer's clock may differ from ours; at most 120.
        subject_claim: The claim that names the caller in audit lines.
        claims: Which claims give which roles; grants of all add up. Without any, a token proves who asks
            and permits nothing.
    """

    issuer: str = Field(min_length=1)
    audiences: tuple[str, ...] = Field(min_length=1)
    keys: KeySetOptions
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    clock_skew_s: float = Field(default=30, ge=0, le=120)
    subject_claim: str = Field(default="sub", min_length=1)
    claims: tuple[PermissionClaim | ValueClaim, ...] = ()


class SignInOptions(_Options):
    """Sign-in for whoever can read the terminal or a private file of this machine.

    Attributes:
        cookie: Name of the session cookie. Browsers share cookies between ports of one host, so each server
            on loopback needs a name of its own.
        subject: The name that audit lines carry for this person.
        grants: What they may do; by default nothing.
        link_s: Seconds for which a link can be used, once.
        session_s: Seconds after which a session ends.
        idle_s: Seconds without a request after which it ends.
        max_sessions: The oldest session ends when there would be more.
        max_links: The oldest unused link ends when there would be more.
    """

    cookie: str = Field(default="trenova-session", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    subject: str = Field(default="local", min_length=1)
    grants: tuple[Grant, ...] = ()
    link_s: float = Field(default=8 * 3600, gt=0)
    session_s: float = Field(default=12 * 3600, gt=0, le=7 * 24 * 3600)
    idle_s: float = Field(default=4 * 3600, gt=0)
    max_sessions: int = Field(default=32, gt=0, le=1000)
    max_links: int = Field(default=8, gt=0, le=100)


class ApiTokenOptions(_Options):
    """A token for a program, as :func:`new_api_token` makes it.

    Attributes:
        sha256: Of the token, 64 hexadecimal characters; the token itself is nowhere.
        subject: The name that audit lines carry.
        grants: What its holder may do; by default nothing.
        expires_at: When it ends, with a time zone; None for never.
    """

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    subject: str = Field(min_length=1, max_length=255)
    grants: tuple[Grant, ...] = ()
    expires_at: AwareDatetime | None = None


class LimitOptions(_Options):
    """What one request and all together may take.

    Attributes:
        max_body: Bytes of a request's body.
        timeout_s: Seconds from a request's head to the end of its answer.
        max_concurrent: Requests that are answered at one time; more are told to come back.
    """

    max_body: int = Field(default=1024 * 1024, gt=0)
    timeout_s: float = Field(default=30, gt=0)
    max_concurrent: int = Field(default=64, gt=0)


class AuditOptions(_Options):
    """How many refusals of callers that nobody knows are lines of the audit log; metrics count all.

    Attributes:
        lines: Lines for each outcome and reason within ``window_s``; above, their number is one line.
        window_s: Seconds.
    """

    lines: int = Field(default=20, ge=0)
    window_s: float = Field(default=60, gt=0, le=3600)


class AccessOptions(_Options):
    """Who may call a server.

    Attributes:
        hosts: What the Host header may name, without port or with exactly this port.
        origins: Web pages of these origins may call it from a browser, with credentials.
        tokens: Accept JWTs.
        api_tokens: Accept these tokens of programs.
        sign_in: Accept people and programs of this machine.
        limits: What requests may take.
        audit: How much the log says of callers that nobody knows.

    Raises:
        ValueError: Nobody could be let in, or something is not concrete.
    """

    hosts: tuple[Host, ...] = Field(default=("127.0.0.1", "localhost", "[::1]"), min_length=1)
    origins: tuple[Origin, ...] = ()
    tokens: TokenOptions | None = None
    api_tokens: tuple[ApiTokenOptions, ...] = ()
    sign_in: SignInOptions | None = None
    limits: LimitOptions = LimitOptions()
    audit: AuditOptions = AuditOptions()

    @model_validator(mode="after")
    def _somebody(self) -> "AccessOptions":
        if self.tokens is None and self.sign_in is None and not self.api_tokens:
            raise ValueError("nobody can be let in; give tokens (JWT), api_tokens, sign_in (this machine), or several")
        if len({one.sha256 for one in self.api_tokens}) < len(self.api_tokens):
            raise ValueError("two of api_tokens have one sha256; each program needs a token of its own")
        return self

    @property
    def roles_named(self) -> frozenset[str]:
        """Every role that these options can give out."""
        rules = self.tokens.claims if self.tokens else ()
        named = {role for rule in rules for role in rule.roles_named}
        named |= {grant.role for one in self.api_tokens for grant in one.grants}
        return frozenset(named | {grant.role for grant in (self.sign_in.grants if self.sign_in else ())})
