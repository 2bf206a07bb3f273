"""How requests under a key are told apart, and for how long a key is kept."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from pydantic_core import to_json

KEYS_KEPT: Final = timedelta(days=7)
"""For how long a key means the same request; what is older is forgotten by the harvest of the ledger."""


def digest_of(request: Any) -> str:
    """Return the SHA-256 of a request as JSON, in hexadecimal; the order of keys does not count."""
    return hashlib.sha256(to_json(_sorted(request))).hexdigest()


def _sorted(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _sorted(value[key]) for key in sorted(value, key=str)}
    return [_sorted(item) for item in value] if isinstance(value, (list, tuple)) else value
