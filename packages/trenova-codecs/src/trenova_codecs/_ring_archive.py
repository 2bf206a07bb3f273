"""Where the material of retired and revoked keys goes: a file beside the ring that is distributed to nobody."""

import os
from pathlib import Path

from trenova_codecs._errors import KeyRingError
from trenova_codecs._keys import KeyState
from trenova_codecs._ring_beside import archive_path
from trenova_codecs._ring_document import KeyEntry, Material, RingDocument, moved
from trenova_codecs._ring_storage import change_ring, create_ring, read_ring
from trenova_codecs._side import Side
from trenova_errors import ConflictError


def require_no_archive(ring: Path) -> None:
    """Refuse to begin a ring where one was: its ids are in histories, and not all of them need be in the archive.

    Raises:
        ConflictError: There is an archive.
    """
    path = archive_path(ring)
    if os.path.lexists(path):
        raise ConflictError(
            f"There is no key ring {str(ring)!r}, but its archive {str(path)!r}: keys were retired here. Put the ring "
            "back from a backup. If it is lost, make another with 'trenova-codecs keys init --id ID', where ID was "
            "never used here; or move the archive to where you keep secrets, if nothing needs its keys.",
            path=str(path),
        )


def require_not_archived(ring: Path, key_id: str, material: Material) -> None:
    """Refuse an id under which the archive keeps another key.

    Raises:
        ConflictError: It does.
        KeyRingError: The archive cannot be read.
    """
    _require_same(archive_path(ring), read_archive(ring).find(key_id), key_id, material)


def read_archive(ring: Path) -> RingDocument:
    """Return the archive, empty if there is none.

    Raises:
        KeyRingError: It cannot be read.
    """
    path = archive_path(ring)
    return read_ring(path) if os.path.lexists(path) else RingDocument()


def archive_key(ring: Path, key: KeyEntry) -> Path | None:
    """Keep the material of a key, before it leaves the ring; return the archive's path, None without material.

    Raises:
        ConflictError: The archive keeps another key under this id. It is as it was.
        KeyRingError: The archive cannot be written.
    """
    path = archive_path(ring)
    if key.material is None:
        return None
    if not os.path.lexists(path):
        create_ring(path, RingDocument())
    material = key.material

    def kept(there: RingDocument) -> RingDocument:
        _require_same(path, there.find(key.id), key.id, material)
        return there.changed(moved(key, KeyState.DECRYPT_ONLY, material))

    change_ring(path, kept)
    return path


def destroy_archived(ring: Path, key: KeyEntry) -> Path | None:
    """Take the material of a key out of the archive; return the archive's path, None where it kept none of this key.

    Args:
        ring: The ring file.
        key: As it was on the ring; another key of its id, from before it was made, is left alone.

    Raises:
        KeyRingError: The archive cannot be read or written.
    """
    path = archive_path(ring)
    kept = read_archive(ring).find(key.id)
    if kept is None or kept.material is None:
        return None
    if kept.since < key.created or (key.material is not None and key.material != kept.material):
        return None
    change_ring(path, lambda there: there.changed(moved(kept, KeyState.RETIRED, None)))
    return path


def archived_key(ring: Path, key_id: str) -> KeyEntry:
    """Return a key as it was archived.

    Raises:
        KeyRingError: There is no archive, or the key is not in it.
    """
    path = archive_path(ring)
    found = read_archive(ring).find(key_id)
    if found is None or found.state is not KeyState.DECRYPT_ONLY:
        raise KeyRingError(
            f"{str(path)!r} does not hold key {key_id[:80]!r}. Put the archive of this ring back from a backup; "
            "without it what the key encrypted cannot be read any more.",
            side=Side.CALLER,
            path=str(path),
        )
    return found


def _require_same(path: Path, there: KeyEntry | None, key_id: str, material: Material) -> None:
    if there is not None and there.material is not None and there.material != material:
        raise ConflictError(
            f"The archive {str(path)!r} keeps another key under the id {key_id!r}. Nothing was changed. For a new key "
            "use an id that was never used here. To take a key off the ring, move this archive to where you keep "
            "secrets first; the key then comes into a new one.",
            key_id=key_id,
            path=str(path),
        )
