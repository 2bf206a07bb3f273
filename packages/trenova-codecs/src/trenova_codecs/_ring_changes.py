"""What may become of a key, and in which order: added, promoted, retired or revoked, restored."""

import re
from datetime import date, timedelta
from typing import Final

from trenova_codecs._keys import KEY_ID, KeyState
from trenova_codecs._ring_document import (
    USABLE,
    AesMaterial,
    KeyEntry,
    LegacyMaterial,
    Material,
    RingDocument,
    moved,
    new_entry,
)
from trenova_errors import ConflictError, InvalidInputError, ResourceNotFoundError

ADOPTION_DAYS: Final = 90
"""Days ahead up to which a ring accepts what is not encrypted: by default, and at most at a time.

While it does, whoever can write to a history can plant plain payloads, so that somebody has to look once a quarter
whether it is needed still, and a mistyped year does not open it for good.
"""
LEGACY_ID_LONGEST: Final = 256

_NUMBERED: Final = re.compile(r"k([0-9]{1,9})")


def next_id(*documents: RingDocument) -> str:
    """Return ``k<n>`` with the least n above all that were ever used in a ring and its archive."""
    keys = (key for document in documents for key in document.keys)
    numbers = [int(found[1]) for key in keys if (found := _NUMBERED.fullmatch(key.id))]
    return f"k{max(numbers, default=0) + 1}"


def added(document: RingDocument, key_id: str, material: Material, *, used: bool = False) -> RingDocument:
    """Return the ring with another key, which only decrypts until it is promoted.

    Args:
        document: The ring.
        key_id: Of the key.
        material: The key.
        used: Whether something may have been encrypted with it already.

    Raises:
        InvalidInputError: It is no key id.
        ConflictError: The id is, or was, another key's; or the key is there under another id.
    """
    require_id(key_id, legacy=isinstance(material, LegacyMaterial))
    there = document.find(key_id)
    if there is not None:
        raise ConflictError(
            f"Key id {key_id!r} is taken: {there.state.value} since {there.since:%Y-%m-%d}. An id is never used for "
            f"another key, because histories name it. Use {next_id(document)!r}, or leave the id out.",
            key_id=key_id,
        )
    twin = next((key.id for key in document.keys if key.material and _same(key.material, material)), None)
    if twin is not None:
        raise ConflictError(f"This is key {twin!r}, which is on the ring. Nothing was added.", key_id=twin)
    return document.changed(new_entry(key_id, KeyState.DECRYPT_ONLY, material, used=used))


def require_id(key_id: str, *, legacy: bool = False) -> None:
    """Refuse what cannot be a key's id. The message does not repeat it: it may be a key in the wrong place.

    Raises:
        InvalidInputError: It is empty, too long, or, except for legacy keys, has other characters than ids have.
    """
    if legacy and 1 <= len(key_id) <= LEGACY_ID_LONGEST:
        return
    if not legacy and KEY_ID.fullmatch(key_id):
        return
    others = sorted(set(re.sub(r"[A-Za-z0-9_-]", "", key_id)))
    found = f", with {', '.join(repr(one) for one in others[:5])}" if others and not legacy else ""
    rule = f"any 1 to {LEGACY_ID_LONGEST} characters" if legacy else "1 to 64 of A-Z, a-z, 0-9, '_' and '-'"
    raise InvalidInputError(f"A key id is {rule}; this one has {len(key_id)}{found}. Choose another id.")


def promoted(document: RingDocument, key_id: str) -> RingDocument:
    """Return the ring with this key active and the one before it decrypt-only.

    Raises:
        ResourceNotFoundError: There is no such key.
        ConflictError: It only decrypts for good (legacy), or is retired or revoked.
    """
    key = usable(document, key_id)
    if isinstance(key.material, LegacyMaterial):
        raise ConflictError(
            f"Key {key_id!r} is a legacy key, which only decrypts. Add a new one ('keys add') and promote that.",
            key_id=key_id,
        )
    before = document.active
    if before is not None and before.id == key_id:
        return document
    demoted = [moved(before, KeyState.DECRYPT_ONLY, before.material)] if before else []
    return document.changed(*demoted, moved(key, KeyState.ACTIVE, key.material))


def taken_away(document: RingDocument, key_id: str, state: KeyState) -> tuple[RingDocument, KeyEntry]:
    """Return the ring on which a key is only a name any more, retired or revoked, and the entry it had.

    Raises:
        ResourceNotFoundError: There is no such key.
        ConflictError: It is active, or gone already.
    """
    key = document.find(key_id)
    if key is not None and key.state is KeyState.RETIRED and state is KeyState.REVOKED:
        return document.changed(moved(key, state, None)), key
    key = usable(document, key_id)
    if key.state is KeyState.ACTIVE:
        raise ConflictError(
            f"Key {key_id!r} is active: without it nothing could be encrypted. Promote another one first "
            "('keys add', distribute the ring, 'keys promote').",
            key_id=key_id,
        )
    return document.changed(moved(key, state, None)), key


def require_gone(document: RingDocument, key_id: str) -> None:
    """Refuse to restore a key that is there.

    Raises:
        ConflictError: It is active or decrypt-only.
    """
    key = document.find(key_id)
    if key is not None and key.state in USABLE:
        raise ConflictError(f"Key {key.id!r} is {key.state.value}; there is nothing to restore.", key_id=key.id)


def restored(document: RingDocument, archived: KeyEntry) -> RingDocument:
    """Return the ring with a retired or revoked key as decrypt-only again.

    A ring that was made anew lacks the keys of the one before; it takes them as they are in the archive.

    Raises:
        ConflictError: It is usable already, or the archive had its id before the key was made.
    """
    key = document.find(archived.id)
    if key is None:
        return document.changed(moved(archived, KeyState.DECRYPT_ONLY, archived.material))
    require_gone(document, key.id)
    if archived.since < key.created:
        raise ConflictError(
            f"The archive keeps another key {key.id!r}: it was archived at {archived.since:%Y-%m-%d %H:%M:%SZ}, before "
            f"the ring's was made at {key.created:%Y-%m-%d %H:%M:%SZ}. Put the archive back that has the ring's.",
            key_id=key.id,
        )
    return document.changed(moved(key, KeyState.DECRYPT_ONLY, archived.material))


def usable(document: RingDocument, key_id: str) -> KeyEntry:
    """Return the entry of a key that is active or decrypt-only.

    Raises:
        ResourceNotFoundError: There is no such key.
        ConflictError: It is retired or revoked.
    """
    key = document.find(key_id)
    if key is None:
        raise _unknown(document, key_id)
    if key.state not in USABLE:
        raise ConflictError(
            f"Key {key_id!r} is {key.state.value} since {key.since:%Y-%m-%d}. 'keys restore {key_id}' brings it back "
            "to decrypt what still needs it.",
            key_id=key_id,
        )
    return key


def adopting(document: RingDocument, until: date, *, today: date) -> RingDocument:
    """Return the ring that accepts payloads which are not encrypted, that day included.

    Raises:
        InvalidInputError: The day is past, or more than :data:`ADOPTION_DAYS` ahead.
    """
    latest = today + timedelta(days=ADOPTION_DAYS)
    if until < today:
        raise InvalidInputError(f"--until {until} is past. Give a day from {today} (today, UTC) to {latest}.")
    if until > latest:
        raise InvalidInputError(
            f"--until {until} is {(until - today).days} days ahead; at most {ADOPTION_DAYS} are taken, until {latest}. "
            "If something is left in clear by then ('keys report' counts it), 'keys adopt --until' moves the day again."
        )
    return document.model_copy(update={"plaintext_until": until, "revision": document.revision + 1})


def ended(document: RingDocument) -> RingDocument:
    """Return the ring that accepts no payload which is not encrypted."""
    return document.model_copy(update={"plaintext_until": None, "revision": document.revision + 1})


def _same(one: Material, other: Material) -> bool:
    return isinstance(one, AesMaterial) and isinstance(other, AesMaterial) and one.key == other.key


def _unknown(document: RingDocument, key_id: str) -> ResourceNotFoundError:
    held = ", ".join(key.id for key in document.keys) or "no key"
    return ResourceNotFoundError(f"The ring has no key {key_id[:80]!r}; it has {held}.", key_id=key_id[:80])
