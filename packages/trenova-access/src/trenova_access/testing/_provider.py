"""An OpenID Connect provider for tests: discovery, the code flow with PKCE, and signing out."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import jwt

from trenova_access.testing._issuer import Answer, Issuer

_NO_HEADERS: Mapping[str, str] = {}


class Provider(Issuer):
    """A provider with one client and one person, who is signed in there already.

    It is as strict as real ones are: redirect URIs are compared as they are, codes are good once and only with the
    verifier of their challenge, and its client has to prove itself.

    Attributes:
        client_id: Of the client.
        client_secret: Of the client; None for a public one.
        redirect_uris: Those that are registered; None for any on loopback.
        person: Claims of whoever signs in.
        changed: Claims of the ID token that are changed; None leaves one out.
        sign: Makes the ID token of its claims; by default with the provider's key.
        told: What is changed in the configuration; None leaves something out.
        error: With which authorization is answered in place of a code.
        requests: Every path that was asked for, with its parameters.
    """

    client_id = "trenova"
    client_secret: str | None = "planted-client-secret"  # noqa: S105  # of a provider for tests

    def __init__(self) -> None:
        super().__init__()
        self.name = self.address
        self.audience = self.client_id
        self.redirect_uris: set[str] | None = None
        self.person: dict[str, Any] = {"sub": "ada", "groups": ["Dispatch Leads"]}
        self.changed: dict[str, Any] = {}
        self.sign: Callable[[dict[str, Any]], str] = self._signed
        self.told: dict[str, Any] = {}
        self.error: str | None = None
        self.requests: list[tuple[str, dict[str, str]]] = []
        self._codes: dict[str, dict[str, str]] = {}

    @property
    def configuration(self) -> dict[str, Any]:
        """What it says of itself."""
        told = {
            "issuer": self.name,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": self.url,
            "end_session_endpoint": f"{self.address}/end",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "code_challenge_methods_supported": ["S256"],
            **self.told,
        }
        return {name: value for name, value in told.items() if value is not None}

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer one request."""
        parts = urlsplit(path)
        told = {name: values[0] for name, values in parse_qs(body.decode() or parts.query).items()}
        self.requests.append((parts.path, told))
        route = {
            ("GET", "/.well-known/openid-configuration"): lambda: self._json(200, self.configuration),
            ("GET", "/authorize"): lambda: self._authorize(told),
            ("POST", "/token"): lambda: self._token(told, headers),
            ("GET", "/end"): lambda: self._end(told),
        }.get((method, parts.path))
        if route is None or self.status != 200:  # noqa: PLR2004  # it is told to fail
            return super().answer(method, path, headers, body)
        time.sleep(self.delay)
        return route()

    def _authorize(self, told: Mapping[str, str]) -> Answer:
        back = told.get("redirect_uri", "")
        known = back.startswith("http://127.0.0.1:") if self.redirect_uris is None else back in self.redirect_uris
        if told.get("client_id") != self.client_id or not known:
            return 400, {"Content-Type": "text/plain"}, b"The client or its redirect_uri is not registered."
        if self.error is not None or not _asks_properly(told):
            answer = {"error": self.error or "invalid_request", "state": told.get("state", "")}
            return 303, {"Location": f"{back}?{urlencode(answer)}"}, b""
        code = secrets.token_urlsafe(24)
        self._codes[code] = dict(told)
        query = urlencode({"code": code, "state": told["state"], "iss": self.name})
        return 303, {"Location": f"{back}?{query}"}, b""

    def _token(self, told: Mapping[str, str], headers: Message) -> Answer:
        if not self._proves_itself(told, headers):
            return self._json(401, {"error": "invalid_client"})
        begun = self._codes.pop(told.get("code", ""), None)
        challenge = hashlib.sha256(told.get("code_verifier", "").encode()).digest()
        if (
            begun is None
            or begun["redirect_uri"] != told.get("redirect_uri")
            or begun["code_challenge"] != base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        ):
            return self._json(400, {"error": "invalid_grant"})
        claims = self.claims(**{**self.person, "nonce": begun.get("nonce"), **self.changed})
        answer = {"access_token": secrets.token_urlsafe(24), "token_type": "Bearer", "id_token": self.sign(claims)}
        return self._json(200, answer)

    def _proves_itself(self, told: Mapping[str, str], headers: Message) -> bool:
        if self.client_secret is None:
            return told.get("client_id") == self.client_id
        scheme, _, given = headers.get("Authorization", "").partition(" ")
        if scheme == "Basic":
            name, _, secret = base64.b64decode(given).decode().partition(":")
            return (unquote(name), unquote(secret)) == (self.client_id, self.client_secret)
        return (told.get("client_id"), told.get("client_secret")) == (self.client_id, self.client_secret)

    def _end(self, told: Mapping[str, str]) -> Answer:
        back = told.get("post_logout_redirect_uri")
        return (303, {"Location": back}, b"") if back else (200, _NO_HEADERS, b"Signed out.")

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": "k1"})

    def _json(self, status: int, content: object) -> Answer:
        return status, {"Content-Type": "application/json", "Cache-Control": "no-store"}, json.dumps(content).encode()


def _asks_properly(told: Mapping[str, str]) -> bool:
    return (
        told.get("response_type") == "code"
        and "openid" in told.get("scope", "").split()
        and told.get("code_challenge_method") == "S256"
        and {"code_challenge", "state", "nonce"} <= told.keys()
    )
