"""What a server may be told about its callers: frozen, checked when it is given."""

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from trenova_access._addresses import Host, Origin
from trenova_access._oidc_options import OidcOptions
from trenova_access._principal import Grant
from trenova_access._token_options import TokenOptions


class _Options(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


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
        oidc: Accept people whom an OpenID Connect provider signs in.
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
    oidc: OidcOptions | None = None
    limits: LimitOptions = LimitOptions()
    audit: AuditOptions = AuditOptions()

    @model_validator(mode="after")
    def _somebody(self) -> "AccessOptions":
        if self.sign_in is None and not self.proves_callers:
            raise ValueError(
                "nobody can be let in; give tokens (JWT), api_tokens, oidc, sign_in (this machine), or several"
            )
        if self.sign_in and self.oidc and self.sign_in.cookie == self.oidc.cookie:
            raise ValueError(f"sign_in and oidc have one cookie, {self.oidc.cookie!r}; each needs a name of its own")
        if len({one.sha256 for one in self.api_tokens}) < len(self.api_tokens):
            raise ValueError("two of api_tokens have one sha256; each program needs a token of its own")
        return self

    @property
    def proves_callers(self) -> bool:
        """Whether callers from other machines can prove who they are: by JWT, API token or OIDC."""
        return self.tokens is not None or self.oidc is not None or bool(self.api_tokens)

    @property
    def roles_named(self) -> frozenset[str]:
        """Every role that these options can give out."""
        rules = [*(self.tokens.claims if self.tokens else ()), *(self.oidc.claims if self.oidc else ())]
        named = {role for rule in rules for role in rule.roles_named}
        named |= {grant.role for one in self.api_tokens for grant in one.grants}
        return frozenset(named | {grant.role for grant in (self.sign_in.grants if self.sign_in else ())})
