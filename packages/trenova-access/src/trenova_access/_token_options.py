"""What a server may be told about JWTs and the keys that sign them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trenova_access._addresses import KeySetUrl
from trenova_access._claims import PermissionClaim, ValueClaim

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
"""Signatures with a public key only: under an HMAC algorithm everybody who can read the JWKS could sign."""


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

    url: KeySetUrl
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
