"""Signatures of webhooks: HMAC-SHA256 over the time and the body, so that neither can be changed or used later."""

import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from typing import Final

from trenova_errors import PermissionDeniedError

SIGNATURE_HEADER: Final = "Trenova-Signature"
DELIVERY_HEADER: Final = "Trenova-Delivery"
"""The id of the delivery; ``Idempotency-Key`` holds the same."""

TOLERANCE_S: Final = 300
"""How old a signature may be by default, seconds; attempts are signed anew, so this is about clocks and queues."""

_MOST: Final = 1000  # characters of a header that anybody may send
_PART: Final = re.compile(r"(t|v1)=([0-9a-f]{1,64})", re.ASCII)


class SignatureError(PermissionDeniedError):
    """A request was not signed with the secret, or not lately."""

    code = "webhook.signature"


def sign(body: bytes, secrets: Sequence[str], *, at: int) -> str:
    """Return the header: ``t=<unix seconds>,v1=<hexadecimal>``, with one ``v1`` for each secret."""
    return ",".join([f"t={at}", *(f"v1={_digest(body, secret, at)}" for secret in secrets)])


def verify_signature(
    header: str | None,
    body: bytes,
    secrets: str | Sequence[str],
    *,
    tolerance_s: float = TOLERANCE_S,
    now: float | None = None,
) -> int:
    """Check a request before its body is read as anything.

    Args:
        header: Its ``Trenova-Signature``.
        body: Its body, byte for byte as received.
        secrets: The secret, or several while it is being changed; one that fits is enough.
        tolerance_s: How far the signature's time may be from ``now``, seconds.
        now: Unix seconds; this machine's clock if absent.

    Returns:
        When it was signed, unix seconds.

    Raises:
        SignatureError: It is missing, malformed, too old, from the future, or of another secret or body.
    """
    parts = [_PART.fullmatch(part.strip()) for part in (header or "")[:_MOST].split(",")]
    found = [(part[1], part[2]) for part in parts if part is not None]
    times = [value for name, value in found if name == "t" and value.isdigit()]
    if len(times) != 1:
        raise SignatureError(f"The header {SIGNATURE_HEADER} holds no time. Send it as it was received.")
    at = int(times[0])
    if abs((time.time() if now is None else now) - at) > tolerance_s:
        raise SignatureError(
            f"The request was signed more than {tolerance_s:g} s from now. Compare the clocks; it may be a replay."
        )
    known = [secrets] if isinstance(secrets, str) else list(secrets)
    given = [value for name, value in found if name == "v1"]
    # Every pair is compared, so that the time taken says nothing about which secret was near.
    same = [hmac.compare_digest(_digest(body, secret, at), value) for secret in known for value in given]
    if not any(same):
        raise SignatureError("The signature is of another secret or another body. Compare the secret of the endpoint.")
    return at


def _digest(body: bytes, secret: str, at: int) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
