"""What an OpenID Connect provider says of itself (OpenID Connect Discovery 1.0)."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from trenova_access._addresses import is_secure_url
from trenova_access._errors import OidcUnavailableError
from trenova_access._fetch import Outbound

_LOG = logging.getLogger("trenova_access.oidc")
_FRESH_S: Final = 3600.0
_RETRY_S: Final = 5.0
_FAULTS: Final = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, TypeError, RecursionError)


@dataclass(frozen=True)
class ProviderMetadata:
    """Where a provider is asked what.

    Attributes:
        authorization_endpoint: Where browsers sign in.
        token_endpoint: Where codes become tokens.
        jwks_uri: Where its keys are.
        end_session_endpoint: Where browsers sign out; None where it has none.
        auth_method: How a client with a secret proves itself at the token endpoint.
    """

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str | None
    auth_method: str


class Discovery:
    """The metadata of one provider: asked for when somebody signs in, and kept while it is away."""

    def __init__(self, issuer: str, outbound: Outbound, clock: Callable[[], float] = time.monotonic) -> None:
        self.known: ProviderMetadata | None = None
        self._issuer = issuer
        self._outbound = outbound
        self._clock = clock
        self._fetched = self._failed = float("-inf")
        self._one_at_a_time = asyncio.Lock()

    async def metadata(self) -> ProviderMetadata:
        """What it says; asked again after an hour, and at most every five seconds while it does not answer.

        Raises:
            OidcUnavailableError: It does not answer, or not as a provider, and never did.
        """
        async with self._one_at_a_time:
            now = self._clock()
            if now - self._fetched > _FRESH_S and now - self._failed > _RETRY_S:
                await self._ask()
            if self.known is None:
                raise OidcUnavailableError(
                    "Your organization's sign-in does not answer. Try again in a minute; the server's log says more."
                )
            return self.known

    async def _ask(self) -> None:
        url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            self.known = _metadata(json.loads(await self._outbound.get(url, "application/json")), self._issuer)
        except _FAULTS as error:
            self._failed = self._clock()
            _LOG.warning("The provider's configuration %s cannot be used: %s.", url, str(error) or type(error).__name__)
        else:
            self._fetched = self._clock()


def _metadata(told: Any, issuer: str) -> ProviderMetadata:
    """Read a configuration.

    Raises:
        ValueError: It is another provider's, or lacks what is needed.
    """
    if not isinstance(told, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004  # of what was fetched, not of an argument
    if told.get("issuer") != issuer:
        raise ValueError(f"the provider calls itself {str(told.get('issuer'))[:200]!r}, not {issuer!r}; write that")
    ends = told.get("end_session_endpoint")
    return ProviderMetadata(
        authorization_endpoint=_endpoint(told, "authorization_endpoint"),
        token_endpoint=_endpoint(told, "token_endpoint"),
        jwks_uri=_endpoint(told, "jwks_uri"),
        end_session_endpoint=ends if isinstance(ends, str) and is_secure_url(ends) else None,
        auth_method=_auth_method(told.get("token_endpoint_auth_methods_supported")),
    )


def _endpoint(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    if not isinstance(value, str) or not is_secure_url(value):
        raise ValueError(f"its {name} is {str(value)[:200]!r}, which is no https address")
    return value


def _auth_method(listed: object) -> str:
    # What a provider does not list is basic (Discovery, section 3).
    if isinstance(listed, list) and "client_secret_basic" not in listed and "client_secret_post" in listed:
        return "client_secret_post"
    return "client_secret_basic"
