"""Hiding the values of keys whose names say that they are secret."""

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
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
    "tokens",
    "bearer",
    "sessionid",
    "passcode",
    "encryptionkey",
    "signingkey",
    "masterkey",
    "sharedkey",
    "accountkey",
    "hmackey",
    "subscriptionkey",
)
# Too short to be looked for at the end of any word: "shipping" is none, "spin" would be.
_SECRET_WORDS: Final = ("auth", "oauth", "otp", "pin", "pw", "sig")
# Innocent keys whose names end in one of the above.
_INNOCENT: Final = frozenset({"tasktoken", "nextpagetoken", "pagetoken", "conflicttoken"})
_IN_URL: Final = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@:]*:[^/\s]+@")
_IN_QUERY: Final = re.compile(r"(?P<name>(?<=[?&;])[\w.%-]+)=(?P<value>[^&;#\s\"'<>]+)")
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_PAIR: Final = 2
_PLAIN: Final = (int, float, bool, type(None))


@dataclass(frozen=True, kw_only=True)
class Redaction:
    """Which values of a log line are hidden.

    A key is secret when its name, without case, underscores, hyphens and dots, ends in one of ``names``:
    ``password``, ``DB_PASSWORD``, ``x-api-key``; or when its last word is one of ``words``: ``db_pw``, ``userPin``.
    ``key`` alone is no secret, since it mostly names an entry; ``api_key``, ``private_key`` and the like are.
    Passwords in URLs, and the values of secret names in their queries, are hidden in every text, bytes and
    exceptions included. Mappings, sequences, pairs of name and value, dataclasses and pydantic's models are looked
    into; the text of any other object is treated as text.

    Args:
        names: Lower-case endings without separators.
        words: Lower-case last words.
        max_depth: Deeper than this, mappings and sequences are replaced by ``...``.
        max_items: What of a mapping or a sequence is looked at and kept.
    """

    names: tuple[str, ...] = _SECRET_NAMES
    words: tuple[str, ...] = _SECRET_WORDS
    max_depth: int = 6
    max_items: int = 200

    def of(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the event with its secrets hidden; the one given stays as it is."""
        return {key: HIDDEN if self.is_secret(key) else self._value(value, 1) for key, value in event.items()}

    def is_secret(self, name: Any) -> bool:
        """Whether a key of this name holds a secret."""
        text = name.decode("latin-1") if isinstance(name, bytes) else str(name)
        plain = re.sub(r"[^a-z0-9]", "", text.lower())
        if plain in _INNOCENT:
            return False
        words = _WORD.findall(text)
        return plain.endswith(self.names) or bool(words and words[-1].lower() in self.words)

    def text(self, text: str) -> str:
        """Return the text with the secrets in its URLs hidden."""
        text = _IN_URL.sub(rf"\g<scheme>{HIDDEN}@", text)
        return _IN_QUERY.sub(lambda found: self._parameter(found["name"], found[0]), text)

    def _parameter(self, name: str, whole: str) -> str:
        return f"{name}={HIDDEN}" if self.is_secret(name) else whole

    def _value(self, value: Any, depth: int) -> Any:
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value).decode("latin-1")).encode("latin-1")
        named = _fields(value)
        if named is None and (isinstance(value, str) or not isinstance(value, Sequence | AbstractSet)):
            name = f"{type(value).__name__}: " if isinstance(value, BaseException) else ""
            return f"{name}{self.text(str(value))}"
        if depth >= self.max_depth:
            return _DEEP
        return self._items(value, depth) if named is None else self._mapping(named, depth)

    def _mapping(self, fields: Mapping[Any, Any], depth: int) -> dict[Any, Any]:
        kept = islice(fields.items(), self.max_items)
        return {key: HIDDEN if self.is_secret(key) else self._value(one, depth + 1) for key, one in kept}

    def _items(self, items: Iterable[Any], depth: int) -> list[Any]:
        kept = list(islice(items, self.max_items))
        if isinstance(items, tuple) and len(kept) == _PAIR and isinstance(kept[0], str | bytes):
            name, one = kept
            return [self._value(name, depth + 1), HIDDEN if self.is_secret(name) else self._value(one, depth + 1)]
        return [self._value(one, depth + 1) for one in kept]


def _fields(value: Any) -> Mapping[Any, Any] | None:
    """Return the names and values of what has some."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, type):
        return None
    if is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in fields(value)}
    if hasattr(type(value), "__pydantic_fields__"):
        return {**vars(value), **(getattr(value, "__pydantic_extra__", None) or {})}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        named: Mapping[Any, Any] = value._asdict()
        return named
    return None
