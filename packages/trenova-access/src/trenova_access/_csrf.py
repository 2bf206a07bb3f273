"""Tokens of pages: what a form has to bring, so that only our own pages can send one.

A token is ``base64url(mask || mask XOR HMAC-SHA256(secret, sessions))``. It is another one in every answer, so that a
compressed page does not tell it to somebody who can make the page repeat guesses (BREACH), and good for as long as the
sessions and the process are.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import Final

_BYTES: Final = hashlib.sha256().digest_size


class CsrfTokens:
    """Makes and knows the tokens of one process."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(_BYTES)

    def token(self, sessions: Sequence[str]) -> str:
        """A token for whoever holds these sessions' cookies; 86 characters of base64url."""
        mask = secrets.token_bytes(_BYTES)
        return base64.urlsafe_b64encode(mask + _xor(mask, self._proof(sessions))).rstrip(b"=").decode()

    def holds(self, sessions: Sequence[str], given: str) -> bool:
        """Whether a token was made here, and for these sessions."""
        try:
            both = base64.b64decode(f"{given}==", altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return False
        if len(both) != 2 * _BYTES:
            return False
        return hmac.compare_digest(_xor(both[:_BYTES], both[_BYTES:]), self._proof(sessions))

    def _proof(self, sessions: Sequence[str]) -> bytes:
        text = "\0".join(sessions).encode("utf-8", "surrogatepass")
        return hmac.digest(self._secret, text, "sha256")


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
