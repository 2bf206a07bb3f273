"""What a server may be told about the OpenID Connect provider that signs its people in."""

from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from trenova_access._addresses import IssuerUrl, Origin
from trenova_access._claims import PermissionClaim, ValueClaim
from trenova_access._token_options import Algorithm

OIDC_PATH: Final = "/sign-in/oidc"


class OidcOptions(BaseModel):
    """Sign-in of people by an OpenID Connect provider: the code flow with PKCE.

    Attributes:
        issuer: The provider's ``issuer``, exactly; its configuration is fetched from below it.
        client_id: What the provider calls this server.
        client_secret: Of a confidential client; PKCE is used with and without one.
        client_secret_file: Where it is, read at each sign-in, so that it may be exchanged.
        scopes: What is asked for; ``openid`` is one of them.
        subject_claim: The claim of the ID token that names the person in audit lines.
        claims: Which claims of the ID token give which roles; grants of all add up. Who has none is not signed in.
        algorithms: Signatures of ID tokens that are accepted.
        clock_skew_s: Seconds by which the provider's clock may differ from ours; at most 120.
        cookie: Name of the session cookie. Behind TLS it may begin with ``__Host-``, so that no other name below
            the same domain can set it.
        session_s: Seconds after which a session ends, and until which a role that was withdrawn may last.
        idle_s: Seconds without a request after which it ends.
        max_sessions: The oldest session ends when there would be more.
        flow_s: Seconds that somebody has to sign in at the provider.
        redirect_path: Where the provider sends browsers back to; registered there with this server's address before.
        public_url: This server's address as browsers have it, such as ``https://schedules.example.com``; by default
            what each request says (its Host, and the scheme that a trusted proxy tells).
        ca_file: Certificates to trust instead of the system's, as a PEM file.
        proxy: URL of a proxy towards the provider; the environment's are not looked at.
        timeout_s: Seconds that one question to the provider may take.
        max_bytes: Largest answer of the provider that is read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    issuer: IssuerUrl
    client_id: str = Field(pattern=r"^[\x21-\x7e]{1,255}$")
    client_secret: SecretStr | None = None
    client_secret_file: Path | None = None
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    subject_claim: str = Field(default="sub", min_length=1)
    claims: tuple[PermissionClaim | ValueClaim, ...] = Field(min_length=1)
    algorithms: tuple[Algorithm, ...] = Field(default=("RS256", "ES256"), min_length=1)
    clock_skew_s: float = Field(default=30, ge=0, le=120)
    cookie: str = Field(default="trenova-oidc", pattern=r"^[A-Za-z0-9_-]{1,64}$")
    session_s: float = Field(default=8 * 3600, ge=1, le=7 * 24 * 3600)
    idle_s: float = Field(default=2 * 3600, gt=0)
    max_sessions: int = Field(default=10_000, gt=0, le=1_000_000)
    flow_s: int = Field(default=600, ge=1, le=3600)
    redirect_path: str = Field(default=f"{OIDC_PATH}/callback", pattern=r"^(/[A-Za-z0-9_.-]+)+$")
    public_url: Origin | None = None
    ca_file: str | None = None
    proxy: str | None = None
    timeout_s: float = Field(default=10, gt=0, le=60)
    max_bytes: int = Field(default=256 * 1024, gt=0)

    @field_validator("scopes")
    @classmethod
    def _ask_who(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("scopes lacks 'openid', without which a provider does not say who somebody is; add it")
        return scopes

    @model_validator(mode="after")
    def _one_secret(self) -> "OidcOptions":
        if self.client_secret is not None and self.client_secret_file is not None:
            raise ValueError("client_secret and client_secret_file are both given; leave one out")
        return self
