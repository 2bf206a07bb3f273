"""What the name of a field says about what it holds: an identifier, personal data or a secret, or neither."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final


def _words_of(text: str) -> frozenset[str]:
    return frozenset(text.split())


IDENTIFIERS: Final = frozenset({"id", "ids", "uuid", "uuids", "uuid4", "uuid7", "guid", "ulid", "ulids"})
"""Last words of names that refer to something and say nothing about it."""

HARMLESS: Final = IDENTIFIERS | _words_of(
    "amount attempt attempts at code codes count date day days deadline environment flag hash hour hours index key "
    "keys kind kinds level month namespace now number numbers priority quantity queue region shard size state states "
    "status statuses tenant time timestamp today total type types until utcnow version week year"
)
"""Last words of names whose values are made to be shown, sorted and searched by."""

SENSITIVE: Final = _words_of(
    "address addresses birth birthday birthdate card cardnumber city comment comments credential credentials dob email "
    "emails fax firstname fullname iban lastname license licence login mail message mobile passphrase passport passwd "
    "password phone phones pin postcode recipient salary secret secrets signature ssn street surname tax telephone "
    "token tokens username zip zipcode"
)
"""Words that name personal data or secrets, wherever they stand in a name."""

_SECRET_KEYS: Final = _words_of("access api encryption hmac private secret shared signing")
_PEOPLE: Final = _words_of(
    "account carrier client consignee contact customer dispatcher driver employee first full guest last member owner "
    "passenger patient person recipient sender shipper subscriber user"
)
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

Path = Sequence[str]
"""A field by its names, from the outside in: ``order.customer.email``."""


@dataclass(frozen=True)
class NameRules:
    """How names are judged.

    Args:
        allow: Names that a team has decided may be seen, as the last name of a path or the whole of it.
        sensitive: Further words that name personal data or secrets.
    """

    allow: frozenset[str] = frozenset()
    sensitive: frozenset[str] = field(default=frozenset())

    def allowed(self, path: Path) -> bool:
        """Whether a team has named it."""
        return path[-1] in self.allow or ".".join(path) in self.allow

    def is_sensitive(self, path: Path) -> bool:
        """Whether it is personal data or a secret by its name: ``customer.name``, ``api_key``, but not ``email_id``."""
        if self.allowed(path):
            return False
        words = [word for name in path for word in _words(name)]
        if not words or words[-1] in IDENTIFIERS:
            return False
        if len(words) > 1 and words[-1] in {"key", "keys"} and words[-2] in _SECRET_KEYS:
            return True
        if words[-1] in {"name", "names"} and not _PEOPLE.isdisjoint(words):
            return True
        return not (SENSITIVE | self.sensitive).isdisjoint(words)

    def is_harmless(self, path: Path) -> bool:
        """Whether its name says that it is made to be seen."""
        if self.allowed(path):
            return True
        words = list(_words(path[-1]))
        return not self.is_sensitive(path) and bool(words) and words[-1] in HARMLESS


def _words(name: str) -> Iterator[str]:
    """Split ``firstName``, ``first_name`` and ``FIRST_NAME`` alike."""
    return (match.group().lower() for match in _WORD.finditer(name))
