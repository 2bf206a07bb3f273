"""JWTs (RFC 7519, RFC 8725): who is asking, by the word of an issuer."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import jwt

from trenova_access._errors import TokenRefusedError
from trenova_access._key_set import KeySet
from trenova_access._principal import Method, Principal
from trenova_access._token_options import TokenOptions

_LONGEST_TOKEN: Final = 16 * 1024
"""Bytes; servers rarely take longer header lines, and nothing longer is looked into."""

_REASONS: Final[tuple[tuple[type[jwt.PyJWTError], str, str], ...]] = (
    (jwt.ExpiredSignatureError, "expired", "The token has expired; get a new one."),
    (jwt.ImmatureSignatureError, "not_yet", "The token is not valid yet; check the clocks."),
    (jwt.InvalidAudienceError, "audience", "The token was issued for another audience."),
    (jwt.InvalidIssuerError, "issuer", "The token comes from another issuer."),
    (jwt.MissingRequiredClaimError, "claims", "The token lacks one of the claims exp, iss, aud and its subject."),
    (jwt.InvalidAlgorithmError, "algorithm", "The token is signed in a way that is not accepted."),
    (jwt.InvalidSignatureError, "signature", "The token's signature is wrong."),
)


class TokenVerifier:
    """Verifies the JWTs of one issuer."""

    def __init__(self, options: TokenOptions, keys: KeySet | None = None) -> None:
        self._options = options
        self._keys = keys or KeySet(options.keys)

    async def verify(self, token: str) -> Principal:
        """Who the token is for, and what its claims give.

        Raises:
            TokenRefusedError: It does not prove anything here; ``facts["reason"]`` says why in one word.
            KeySetUnavailableError: The issuer's keys cannot be had.
        """
        return self.principal(await self.claims(token))

    def principal(self, claims: Mapping[str, Any], method: Method = "token") -> Principal:
        """Who verified claims are about, and what they give.

        Raises:
            TokenRefusedError: They name nobody.
        """
        subject = claims.get(self._options.subject_claim)
        if not isinstance(subject, str) or not subject:
            raise _refused("claims", f"The token's claim {self._options.subject_claim!r} names nobody.")
        grants = frozenset(grant for rule in self._options.claims for grant in rule.grants(claims))
        return Principal(subject=subject, method=method, grants=grants)

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What a token says, once it is known to be the issuer's; raises as :meth:`verify`."""
        if len(token) > _LONGEST_TOKEN:
            raise _refused("malformed", "The token is too long.")
        header = _header(token)
        if _unsigned(header):
            raise _refused("unsigned", "The token is signed in a way that is not accepted.")
        if header.get("alg") not in self._options.algorithms:
            raise _refused("algorithm", "The token is signed in a way that is not accepted.")
        kid = header.get("kid")
        key = await self._keys.key(kid if isinstance(kid, str) else None)
        # What our options accept and the key was made for; the header is only compared with it.
        accepted = [one for one in self._options.algorithms if one in key.algorithms]
        if not accepted:
            raise _refused("algorithm", "The token's key signs in a way that is not accepted.")
        return self._decode(token, key.public, accepted)

    def _decode(self, token: str, key: Any, algorithms: Sequence[str]) -> Mapping[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key=key,
                algorithms=algorithms,
                audience=list(self._options.audiences),
                issuer=self._options.issuer,
                leeway=self._options.clock_skew_s,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.PyJWTError as error:
            for kind, reason, message in _REASONS:
                if isinstance(error, kind):
                    raise _refused(reason, message) from None
            raise _refused("malformed", "The token is malformed.") from None
        except (ValueError, TypeError, OverflowError, RecursionError):
            raise _refused("malformed", "The token is malformed.") from None
        return claims


def _header(token: str) -> Mapping[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        raise _refused("malformed", "The credential is no token that this server knows.") from None


def _unsigned(header: Mapping[str, Any]) -> bool:
    alg = header.get("alg")
    return isinstance(alg, str) and alg.lower() == "none"


def _refused(reason: str, message: str) -> TokenRefusedError:
    return TokenRefusedError(message, reason=reason)
