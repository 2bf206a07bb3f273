"""Hiding the values of keys whose names say that they are secret."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final

HIDDEN: Final = "***"
_DEEP: Final = "..."

_SECRET_NAMES: Final = (
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "authorization",
    "authentication",
    "credential",
    "credentials",
    "cookie",
    "privatekey",
    "secretkey",
    "accesskey",
    "signature",
    "dsn",
    "connectionstring",
    "passwords",
    "secrets",
)
# Innocent keys whose names end in one of the above.
_INNOCENT: Final = frozenset({"tasktoken", "nextpagetoken", "pagetoken", "conflicttoken"})
_IN_URL: Final = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@:]*:[^/\s@]+@")


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """Which values of a log line are hidden.

    A key is secret when its name, without case, underscores, hyphens and dots, ends in one of ``names``:
    ``password``, ``DB_PASSWORD``, ``x-api-key``. Passwords in URLs are hidden under every key.

    Args:
        names: Lower-case endings without separators.
        max_depth: Deeper than this, mappings and sequences are replaced by ``...``.
        max_items: What of a mapping or a sequence is looked at and kept.
    """

    names: tuple[str, ...] = _SECRET_NAMES
    max_depth: int = 6
    max_items: int = 200

    def of(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event with its secrets hidden; the one given stays as it is."""
        return {key: HIDDEN if self.is_secret(key) else self._value(value, 1) for key, value in event.items()}

    def is_secret(self, name: Any) -> bool:
        """Whether a key of this name holds a secret."""
        plain = re.sub(r"[^a-z0-9]", "", str(name).lower())
        return plain.endswith(self.names) and plain not in _INNOCENT

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return _IN_URL.sub(rf"\g<scheme>{HIDDEN}@", value)
        if isinstance(value, Mapping):
            if depth >= self.max_depth:
                return _DEEP
            kept = list(value.items())[: self.max_items]
            return {key: HIDDEN if self.is_secret(key) else self._value(one, depth + 1) for key, one in kept}
        if isinstance(value, Sequence | AbstractSet) and not isinstance(value, bytes | bytearray):
            return (
                _DEEP
                if depth >= self.max_depth
                else [self._value(one, depth + 1) for one in list(value)[: self.max_items]]
            )
        return value
