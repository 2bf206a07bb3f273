"""Where keys come from on one machine: a ring file, a mounted folder, environment variables."""

import os
import stat
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from trenova_codecs._errors import KeyRingError
from trenova_codecs._key_text import read_key, refuse_text
from trenova_codecs._keys import KEY_BYTES, KEY_ID, Key, KeyState
from trenova_codecs._ring_storage import read_ring, require_owned, require_private_folder
from trenova_codecs._ring_watch import LOCAL_SECONDS, LoadedKeys
from trenova_codecs._side import Side
from trenova_errors import ConfigurationError

KEY_VARIABLE: Final = "TEMPORAL_ENCRYPTION_KEY_"
"""Followed by the key id; the value is 32 bytes in base64."""
ACTIVE_VARIABLE: Final = "TEMPORAL_ENCRYPTION_ACTIVE_KEY"
"""The id of the key to encrypt with."""
REVOKED_VARIABLE: Final = "TEMPORAL_ENCRYPTION_REVOKED_KEYS"
"""Ids that are refused by name, with commas between."""

_ACTIVE_FILE: Final = "active"
_REVOKED_FILE: Final = "revoked"
_KUBERNETES_LINK: Final = "..data"
"""Kubernetes exchanges all files of a mounted secret at once by swapping this link."""
_OTHERS: Final = 0o037
"""What a key file must not allow. Its group may read it: a secret reaches the process through an fsGroup."""


@dataclass(frozen=True)
class RingFileSource:
    """A key ring file without keys that somebody else has to open."""

    path: Path
    interval: float = LOCAL_SECONDS
    reload_seconds: float | None = None

    def stamp(self) -> Hashable:
        """See :class:`KeySource`."""
        return file_stamp(self.path)

    def load(self) -> LoadedKeys:
        """See :class:`KeySource`."""
        document = read_ring(self.path)
        sealed = [entry.id for entry in document.keys if entry.material and entry.material.kind == "aws-kms"]
        if sealed:
            raise KeyRingError(
                f"{', '.join(sealed)} in {str(self.path)!r} are sealed by AWS KMS. Read the ring with "
                "KeyRing.from_aws_kms (extra [aws]), or in settings with the key source 'aws-kms'.",
                side=Side.CALLER,
                path=str(self.path),
            )
        keys = [key for entry in document.keys if (key := entry.to_key())]
        return LoadedKeys(keys, document.plaintext_until)


@dataclass(frozen=True)
class KeyFolderSource:
    """A folder with a file per key, as Kubernetes mounts a secret.

    A file's name is a key id and its content 32 bytes, raw or in base64. The file ``active`` names the key
    to encrypt with, and the file ``revoked``, if there is one, ids to refuse, one a line. Folder and files belong
    to this user or root; only they may write them, and besides them a file's group may read it.
    """

    path: Path
    interval: float = LOCAL_SECONDS
    reload_seconds: float | None = None

    def stamp(self) -> Hashable:
        """See :class:`KeySource`."""
        link = self.path / _KUBERNETES_LINK
        if link.is_symlink():
            return str(link.readlink()), link.stat().st_mtime_ns
        files = sorted(entry.name for entry in os.scandir(self.path) if not entry.name.startswith("."))
        return tuple((name, file_stamp(self.path / name)) for name in files)

    def load(self) -> LoadedKeys:
        """See :class:`KeySource`."""
        try:
            files = self._read()
        except OSError as error:
            _fail(self.path, f"The key folder {str(self.path)!r} cannot be read: {error.strerror}. Correct its rights.")
        active = files.pop(_ACTIVE_FILE, b"").decode(errors="replace").strip()
        revoked = files.pop(_REVOKED_FILE, b"").decode(errors="replace").split()
        if active in revoked:
            _fail(
                self.path,
                f"The file {_ACTIVE_FILE!r} in {str(self.path)!r} names {active[:80]!r}, which the file "
                f"{_REVOKED_FILE!r} revokes: nothing is encrypted with it any more. Name another key "
                f"({', '.join(sorted(set(files) - set(revoked))) or 'there is none; put one there'}).",
            )
        if active not in files:
            _fail(
                self.path,
                f"The file {_ACTIVE_FILE!r} in {str(self.path)!r} must name the key to encrypt with, one of "
                f"{', '.join(sorted(set(files) - set(revoked))) or 'those that are still to be put there'}; "
                f"it names {active[:80]!r}.",
            )
        keys = [_key_of_file(name, files[name], active=active) for name in files if name not in revoked]
        return LoadedKeys([*keys, *(Key.revoked(key_id) for key_id in revoked)])

    def _read(self) -> dict[str, bytes]:
        """Read what one swap of the link has put there, and not half of the next."""
        link = self.path / _KUBERNETES_LINK
        require_private_folder(self.path)
        folder = self.path
        if link.is_symlink():
            require_owned(link, link.lstat(), "link")
            folder = link.resolve(strict=True)
            require_private_folder(folder)
        return {file.name: _content(file) for file in sorted(folder.iterdir()) if not file.name.startswith(".")}


def keys_of_environ(environ: Mapping[str, str]) -> Sequence[Key]:
    """Make keys of variables: see :meth:`KeyRing.from_environ`.

    Raises:
        ConfigurationError: There are none, one is no key, or the active one is not named or not there. No
            message holds a value of a key.
    """
    found = {name.removeprefix(KEY_VARIABLE): text for name, text in environ.items() if name.startswith(KEY_VARIABLE)}
    revoked = [key_id.strip() for key_id in environ.get(REVOKED_VARIABLE, "").split(",") if key_id.strip()]
    active = environ.get(ACTIVE_VARIABLE, "").strip()
    usable = sorted(set(found) - set(revoked))
    if not found:
        raise ConfigurationError(
            f"No variable {KEY_VARIABLE}<id> is set. Set one to the output of 'openssl rand -base64 32', and "
            f"{ACTIVE_VARIABLE} to its id."
        )
    if active in revoked:
        raise ConfigurationError(
            f"{ACTIVE_VARIABLE} names {active[:80]!r}, which {REVOKED_VARIABLE} revokes: nothing is encrypted with it "
            f"any more. Name another key ({', '.join(usable) or f'there is none; set {KEY_VARIABLE}<id>'}).",
            key_id=active,
        )
    if active not in usable:
        raise ConfigurationError(
            f"{ACTIVE_VARIABLE} must name the key to encrypt with, one of {', '.join(usable) or 'none'}; "
            f"it {'is not set' if not active else f'names {active[:80]!r}'}.",
            key_id=active,
        )
    keys = [read_key(key_id, found[key_id], state=_state(key_id, active)) for key_id in usable]
    return [*keys, *(Key.revoked(key_id) for key_id in revoked)]


def _key_of_file(name: str, content: bytes, *, active: str) -> Key:
    if not KEY_ID.fullmatch(name):
        raise ConfigurationError(
            f"The key folder holds the file {name[:80]!r}, which is no key id (1 to 64 of A-Z, a-z, 0-9, '_' and "
            "'-'). Rename or remove it.",
            key_id=name[:80],
        )
    if len(content) == KEY_BYTES:
        return Key(name, refuse_text(name, content), state=_state(name, active))
    return read_key(name, content.decode(errors="replace"), state=_state(name, active))


def _state(key_id: str, active: str) -> KeyState:
    return KeyState.ACTIVE if key_id == active else KeyState.DECRYPT_ONLY


def _content(file: Path) -> bytes:
    with file.open("rb") as opened:
        status = os.fstat(opened.fileno())
        require_owned(file, status, "key file")
        mode = stat.S_IMODE(status.st_mode)
        if os.name == "posix" and mode & _OTHERS:
            _fail(
                file,
                f"Others may use the key file {str(file)!r} (mode {mode:04o}). Run: chmod g-wx,o-rwx {file}; for a "
                "Kubernetes secret set defaultMode: 0440 and an fsGroup.",
            )
        return opened.read(4096)


def file_stamp(path: Path) -> Hashable:
    """Return what differs once a file was written or replaced."""
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


def _fail(path: Path, message: str) -> NoReturn:
    raise KeyRingError(message, side=Side.CALLER, path=str(path))
