"""What the server takes: priority keys, and fairness keys of 64 bytes by which organizations are named to it."""

from hashlib import sha256
from typing import Final

LONGEST_KEY: Final = 64
"""Bytes of UTF-8 that the server accepts as a fairness key."""

LEAST_URGENT: Final = 5
"""The last of the priority keys that a server takes unless it is set up otherwise; 1 is the first to run."""

LEAST_WEIGHT: Final = 0.001
MOST_WEIGHT: Final = 1000.0
"""The server clamps fairness weights to these."""

_DIGEST: Final = 32
_MARK: Final = "~"


def fairness_key(organization: str) -> str:
    """Return the key of an organization: its id, or where that is too long a name made of it.

    The made one is as much of the id as fits, ``~``, and the first 32 hexadecimal digits of its
    SHA-256: the same in every process and language, and never longer than 64 bytes.
    """
    whole = organization.encode()
    if len(whole) <= LONGEST_KEY:
        return organization
    room = LONGEST_KEY - _DIGEST - len(_MARK)
    beginning = whole[:room].decode(errors="ignore")  # a character cut in two is left out
    return f"{beginning}{_MARK}{sha256(whole).hexdigest()[:_DIGEST]}"
