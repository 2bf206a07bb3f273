"""Where the material of retired and revoked keys goes: a file beside the ring that is distributed to nobody."""

from pathlib import Path

from trenova_codecs._errors import KeyRingError
from trenova_codecs._keys import KeyState
from trenova_codecs._ring_changes import added
from trenova_codecs._ring_document import KeyEntry, RingDocument
from trenova_codecs._ring_storage import change_ring, create_ring, read_ring
from trenova_codecs._side import Side


def archive_path(ring: Path) -> Path:
    """Return the archive of a ring: ``keyring.json`` has ``keyring.archive.json``."""
    return ring.with_name(f"{ring.stem}.archive{ring.suffix}")


def archive_key(ring: Path, key: KeyEntry) -> Path:
    """Keep the material of a key, before it leaves the ring; return the archive's path.

    Raises:
        KeyRingError: The archive cannot be written.
    """
    path = archive_path(ring)
    if key.material is None:
        return path
    if not path.exists():
        create_ring(path, RingDocument())
    material = key.material
    change_ring(path, lambda there: there if there.find(key.id) else added(there, key.id, material, used=key.used))
    return path


def archived_key(ring: Path, key_id: str) -> KeyEntry:
    """Return a key as it was archived.

    Raises:
        KeyRingError: There is no archive, or the key is not in it.
    """
    path = archive_path(ring)
    found = read_ring(path).find(key_id) if path.exists() else None
    if found is None or found.state is not KeyState.DECRYPT_ONLY:
        raise KeyRingError(
            f"{str(path)!r} does not hold key {key_id[:80]!r}. Put the archive of this ring back from a backup; "
            "without it what the key encrypted cannot be read any more.",
            side=Side.CALLER,
            path=str(path),
        )
    return found
