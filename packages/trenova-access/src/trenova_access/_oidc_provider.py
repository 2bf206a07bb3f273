"""A provider as a client sees it: the address to send browsers to, codes for ID tokens, and what those say.

Requests are made by authlib; answers are verified by what verifies bearer tokens.
"""

import hmac
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import httpx
from authlib.oauth2 import ClientAuth, OAuth2Client
from authlib.oauth2.rfc6749.parameters import prepare_token_request

from trenova_access._errors import (
    AccessConfigurationError,
    OidcRefusedError,
    OidcUnavailableError,
    TokenRefusedError,
)
from trenova_access._fetch import Outbound
from trenova_access._oidc_flow import Flow
from trenova_access._oidc_metadata import Discovery, ProviderMetadata
from trenova_access._oidc_options import OidcOptions
from trenova_access._principal import Principal
from trenova_access._token_options import KeySetOptions, TokenOptions
from trenova_access._tokens import TokenVerifier

_LOG = logging.getLogger("trenova_access.oidc")
_WORD: Final = re.compile(r"[a-z_]{1,40}")
_SERVER_ERRORS: Final = 500
_CLOCKS: Final = ("expired", "not_yet")


class Provider:
    """One provider.

    Raises:
        AccessConfigurationError: The file of the client's secret cannot be used.
    """

    def __init__(self, options: OidcOptions) -> None:
        self._options = options
        self._outbound = Outbound(options.timeout_s, options.max_bytes, options.ca_file, options.proxy)
        self._discovery = Discovery(options.issuer, self._outbound)
        self._verifier: tuple[str, TokenVerifier] | None = None
        self._secret()

    async def address(self, flow: Flow, *, again: bool) -> str:
        """Where to send a browser; ``again`` asks who it is also where it is signed in already.

        Raises:
            OidcUnavailableError: The provider cannot be asked where that is.
        """
        metadata = await self._discovery.metadata()
        more = {"prompt": "login"} if again else {}
        client = OAuth2Client(
            None,
            client_id=self._options.client_id,
            scope=" ".join(self._options.scopes),
            redirect_uri=flow.redirect_uri,
            code_challenge_method="S256",
        )
        url, _ = client.create_authorization_url(
            metadata.authorization_endpoint, state=flow.state, code_verifier=flow.verifier, nonce=flow.nonce, **more
        )
        return str(url)

    async def redeem(self, code: str, flow: Flow) -> str:
        """The ID token behind a code.

        Raises:
            OidcRefusedError: The provider does not accept the code, or this server.
            OidcUnavailableError: It does not answer, or not as a provider.
        """
        metadata = await self._discovery.metadata()
        status, answer = await self._ask(metadata, code, flow)
        if status != httpx.codes.OK or "error" in answer:
            raise self._refused(answer.get("error"), flow)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise OidcRefusedError(
                "The provider sent no ID token. Whoever runs this server: let its client have the scope 'openid'.",
                reason="no_id_token",
            )
        return token

    async def verify(self, id_token: str, flow: Flow) -> Principal:
        """Who an ID token is about.

        Raises:
            OidcRefusedError: It proves nothing here; the reason is that of a bearer token, or ``nonce`` or ``azp``.
            KeySetUnavailableError: The provider's keys cannot be had.
        """
        verifier = self._verifier_of(await self._discovery.metadata())
        try:
            claims = await verifier.claims(id_token)
            principal = verifier.principal(claims, "oidc")
        except TokenRefusedError as error:
            reason = str(error.facts.get("reason"))
            hint = " The clocks of the provider and of this server differ." if reason in _CLOCKS else ""
            message = f"The provider's word is not accepted ({reason}).{hint} Sign in again."
            raise OidcRefusedError(message, reason=reason) from None
        if not hmac.compare_digest(str(claims.get("nonce")).encode("utf-8", "surrogatepass"), flow.nonce.encode()):
            raise OidcRefusedError("The provider's word belongs to another sign-in. Sign in again.", reason="nonce")
        if _authorized(claims, self._options.client_id) != self._options.client_id:
            raise OidcRefusedError("The provider's word is meant for another program. Sign in again.", reason="azp")
        return principal

    def end_address(self, id_token: str, back: str) -> str | None:
        """Where a browser signs out at the provider, None where the provider has no such place.

        Args:
            id_token: Of the session that ends.
            back: Where the provider sends it then.
        """
        known = self._discovery.known
        if known is None or known.end_session_endpoint is None:
            return None
        told = {"id_token_hint": id_token, "client_id": self._options.client_id, "post_logout_redirect_uri": back}
        joint = "&" if "?" in known.end_session_endpoint else "?"
        return f"{known.end_session_endpoint}{joint}{urlencode(told)}"

    async def _ask(self, metadata: ProviderMetadata, code: str, flow: Flow) -> tuple[int, dict[str, Any]]:
        try:
            secret = self._secret()
        except AccessConfigurationError as error:
            raise self._away(str(error)) from None
        proof = ClientAuth(self._options.client_id, secret, "none" if secret is None else metadata.auth_method)
        form = prepare_token_request(
            "authorization_code", redirect_uri=flow.redirect_uri, code=code, code_verifier=flow.verifier
        )
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        url, headers, form = proof.prepare("POST", metadata.token_endpoint, headers, form)
        try:
            status, body = await self._outbound.ask("POST", url, headers, form.encode())
            answer = json.loads(body)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RecursionError) as error:
            raise self._away(type(error).__name__) from None
        if status >= _SERVER_ERRORS or not isinstance(answer, dict):
            raise self._away(f"status {status}")
        return status, answer

    def _away(self, why: str) -> OidcUnavailableError:
        _LOG.warning("The token endpoint of %s gave no answer that can be used: %s.", self._options.issuer, why)
        return OidcUnavailableError(
            "Your organization's sign-in does not answer as it should. Try again in a minute; the log has more."
        )

    def _refused(self, told: object, flow: Flow) -> OidcRefusedError:
        word = told if isinstance(told, str) and _WORD.fullmatch(told) else "unknown"
        _LOG.warning(
            "The provider %s refused a code (%s). Unless it was used or over, look at client_id, its secret, and "
            "whether the redirect URI %s is registered.",
            *(self._options.issuer, word, flow.redirect_uri),
        )
        if word == "invalid_grant":
            return OidcRefusedError(
                "The provider does not accept its own code any more: it was used, or is over. Sign in again. If that "
                f"lasts, the redirect URI {flow.redirect_uri} is not the one that is registered.",
                reason="code",
            )
        return OidcRefusedError(
            f"The provider does not accept this server ({word}). Whoever runs it: look at client_id, its secret, and "
            f"whether the redirect URI {flow.redirect_uri} is registered at the provider.",
            reason="client",
        )

    def _verifier_of(self, metadata: ProviderMetadata) -> TokenVerifier:
        if self._verifier is None or self._verifier[0] != metadata.jwks_uri:
            told = self._options
            keys = KeySetOptions(
                url=metadata.jwks_uri, timeout_s=told.timeout_s, ca_file=told.ca_file, proxy=told.proxy
            )
            tokens = TokenOptions(
                issuer=told.issuer,
                audiences=(told.client_id,),
                keys=keys,
                algorithms=told.algorithms,
                clock_skew_s=told.clock_skew_s,
                subject_claim=told.subject_claim,
                claims=told.claims,
            )
            self._verifier = metadata.jwks_uri, TokenVerifier(tokens)
        return self._verifier[1]

    def _secret(self) -> str | None:
        file, given = self._options.client_secret_file, self._options.client_secret
        if file is not None:
            secret, place = _read(file), f"file {str(file)!r}"
        elif given is not None:
            secret, place = given.get_secret_value(), "option client_secret"
        else:
            return None
        if not secret or not secret.isascii():
            raise AccessConfigurationError(
                f"The OIDC client's secret in the {place} is {'not ASCII' if secret else 'empty'}. Put it there as the "
                "provider shows it, or leave the option out for a public client."
            )
        return secret


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise AccessConfigurationError(
            f"The file of the OIDC client's secret, {str(file)!r}, cannot be read: {why}. Correct client_secret_file."
        ) from None


def _authorized(claims: Mapping[str, Any], client_id: str) -> object:
    """Whom an ID token was made for: it says so where it has several audiences (OpenID Connect Core, 3.1.3.7)."""
    audience = claims.get("aud")
    several = isinstance(audience, list) and len(audience) > 1
    return claims.get("azp", None if several else client_id)
