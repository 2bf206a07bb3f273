"""Tokens for programs, of which the server knows only a digest.

A token is 32 random bytes, which nobody finds by trying, so that one SHA-256 is as good as a slow hash. Digests are
compared by looking one up: what the time of that tells is about the digest, from which no token follows.
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from trenova_access._errors import TokenRefusedError
from trenova_access._options import ApiTokenOptions
from trenova_access._principal import Principal

PREFIX: Final = "trn_"
"""With which every token begins, so that it is known for what it is where it should not be."""

_SECRET_BYTES: Final = 32


def new_api_token() -> tuple[str, str]:
    """Return a token for its program, and the digest for :class:`ApiTokenOptions`."""
    token = PREFIX + secrets.token_urlsafe(_SECRET_BYTES)
    return token, api_token_digest(token)


def api_token_digest(token: str) -> str:
    """Return the SHA-256 of a token, 64 hexadecimal characters."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


class ApiTokens:
    """The tokens of one server.

    Args:
        options: One for each.
        clock: The time; aware.
    """

    def __init__(
        self, options: Sequence[ApiTokenOptions], clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._known = {one.sha256: one for one in options}
        self._clock = clock

    def verify(self, token: str) -> Principal:
        """Return who holds the token.

        Raises:
            TokenRefusedError: It is none of ours, or no longer good.
        """
        known = self._known.get(api_token_digest(token))
        if known is None:
            raise TokenRefusedError("This API token is none of this server's.", reason="unknown_api_token")
        if known.expires_at is not None and known.expires_at <= self._clock():
            raise TokenRefusedError(
                f"The API token of {known.subject!r} is over since {known.expires_at.isoformat()}; ask for a new one.",
                reason="expired",
            )
        return Principal(subject=known.subject, method="api_token", grants=frozenset(known.grants))
