"""The public keys of an issuer (JWKS, RFC 7517): fetched beside the requests, bounded, kept while it is away."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import jwt

from trenova_access._errors import KeySetUnavailableError, TokenRefusedError
from trenova_access._fetch import Outbound
from trenova_access._token_options import KeySetOptions

_LOG = logging.getLogger("trenova_access.keys")
_ACCEPTED: Final = "application/jwk-set+json, application/json"
_MAX_KEYS: Final = 100
_LEAST_RSA_BITS: Final = 2048
"""NIST SP 800-131A: shorter RSA keys do not sign any more."""

_FITTING: Final[Mapping[tuple[str, str | None], frozenset[str]]] = {
    ("RSA", None): frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    ("EC", "P-256"): frozenset({"ES256"}),
    ("EC", "P-384"): frozenset({"ES384"}),
    ("EC", "P-521"): frozenset({"ES512"}),
    ("OKP", "Ed25519"): frozenset({"EdDSA"}),
}
"""Which algorithms a key can verify, by ``kty`` and ``crv`` (RFC 7518, RFC 8037). Symmetric keys have none."""


@dataclass(frozen=True)
class VerificationKey:
    """One public key, and the only algorithms that it verifies."""

    public: Any
    algorithms: frozenset[str]


class KeySet:
    """The keys behind one URL."""

    def __init__(self, options: KeySetOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self._options = options
        self._outbound = Outbound(options.timeout_s, options.max_bytes, options.ca_file, options.proxy)
        self._clock = clock
        self._keys: dict[str | None, VerificationKey] = {}
        self._fetched: float | None = None
        self._tried: float | None = None
        self._fetching: asyncio.Task[None] | None = None
        self._failed = False

    async def key(self, kid: str | None) -> VerificationKey:
        """The key of this id; None asks for the only key of a set that has one.

        Raises:
            TokenRefusedError: The set has no such key. It was fetched again if that is not too often.
            KeySetUnavailableError: The set could not be fetched, and what is held does not do.
        """
        known = self._keys.get(kid)
        if known is None or self._age() > self._options.stale_s:
            known = await self._look_again(kid)
        elif self._age() > self._options.refresh_s and self._may_try():
            self._begin()
        return known

    async def _look_again(self, kid: str | None) -> VerificationKey:
        if self._fetching or self._may_try():
            await asyncio.shield(self._begin())
        # While the issuer is away nobody can tell a key that it published since from one that never was.
        if self._age() > self._options.stale_s or (self._failed and kid not in self._keys):
            raise KeySetUnavailableError(
                "The keys of the token's issuer cannot be fetched; try again, and see the server's log if it lasts."
            )
        if kid not in self._keys:
            raise TokenRefusedError(
                "The token is signed by a key that its issuer does not publish.", reason="unknown_key"
            )
        return self._keys[kid]

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _may_try(self) -> bool:
        return self._tried is None or self._clock() - self._tried >= self._options.retry_s

    def _begin(self) -> "asyncio.Task[None]":
        if self._fetching is None:
            self._tried = self._clock()
            self._fetching = asyncio.ensure_future(self._refresh())
            self._fetching.add_done_callback(self._over)
        return self._fetching

    def _over(self, _: "asyncio.Task[None]") -> None:
        self._fetching = None

    async def _refresh(self) -> None:
        try:
            keys = dict(_usable(await self._outbound.get(self._options.url, _ACCEPTED)))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, TypeError, RecursionError) as error:
            _LOG.warning(
                "The key set %s could not be fetched (%s); the keys held are used for %.0f s after their fetch.",
                self._options.url,
                str(error) or type(error).__name__,
                self._options.stale_s,
            )
            self._failed = True
            return
        self._keys, self._fetched, self._failed = keys, self._clock(), False


def _usable(body: bytes) -> Iterator[tuple[str | None, VerificationKey]]:
    """Each key that verifies signatures, by its id; a lone key also without.

    Raises:
        ValueError: The bytes are no key set, or none of it can be used.
    """
    document = json.loads(body)
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _MAX_KEYS:
        raise ValueError(f"it is no JSON object with a list 'keys' of at most {_MAX_KEYS}")
    found = [(one.get("kid"), key) for one in listed if isinstance(one, dict) and (key := _key(one))]
    if not found:
        raise ValueError("it holds no public key for signatures")
    if len(found) == 1:
        yield None, found[0][1]
    for kid, key in found:
        if isinstance(kid, str):
            yield kid, key


def _key(one: Mapping[str, Any]) -> VerificationKey | None:
    kty, crv = str(one.get("kty")), one.get("crv")
    fitting = _FITTING.get((kty, str(crv) if crv is not None else None), frozenset[str]())
    algorithms = fitting & {str(one["alg"])} if "alg" in one else fitting
    if not algorithms or one.get("use", "sig") != "sig" or "verify" not in one.get("key_ops", ["verify"]):
        return None
    public = {name: value for name, value in one.items() if name != "d"}
    try:
        key = jwt.PyJWK(public, algorithm=min(algorithms)).key
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        _LOG.warning("A key of the set is left out: %s", type(error).__name__)
        return None
    if kty == "RSA" and key.key_size < _LEAST_RSA_BITS:
        _LOG.warning("An RSA key of %d bits is left out; %d are the least.", key.key_size, _LEAST_RSA_BITS)
        return None
    return VerificationKey(key, algorithms)
