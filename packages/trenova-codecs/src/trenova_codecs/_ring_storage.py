"""The key ring file on disk: 0600, written whole or not at all, by one writer at a time."""

import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NoReturn

from trenova_codecs._errors import KeyRingError
from trenova_codecs._ring_beside import no_ring
from trenova_codecs._ring_document import RingDocument
from trenova_codecs._side import Side

_MODE: Final = 0o600
_OTHERS: Final = 0o077
_OTHERS_OF_MOUNTED: Final = 0o037
_OTHERS_WRITE: Final = 0o022
_LARGEST: Final = 1024 * 1024
"""Bytes. A thousand keys are a third of it."""


def read_ring(path: Path) -> RingDocument:
    """Read the file.

    Raises:
        KeyRingError: It is not there, others may read it or write its folder, or it is no key ring.
    """
    _require_there(path)
    require_private_folder(path.parent)
    try:
        # The descriptor is checked, not the name: what was checked is what is read.
        with open(path, "rb", opener=_open_at_once) as file:
            _require_private(path, os.fstat(file.fileno()))
            content = file.read(_LARGEST + 1)
    except OSError as error:
        _fail(path, f"The key ring {str(path)!r} cannot be read: {error.strerror}. Correct its path or its owner.")
    if len(content) > _LARGEST:
        _fail(path, f"{str(path)!r} is larger than {_LARGEST} bytes, so it is no key ring. Correct the path.")
    return RingDocument.from_json(content, path=str(path))


def create_ring(path: Path, document: RingDocument) -> None:
    """Write a new file; never over one that is there.

    Raises:
        KeyRingError: There is a file already, or it cannot be written.
    """
    _make_folder(path.parent)
    with _locked(path):
        if os.path.lexists(path):
            _fail(path, f"{str(path)!r} is there already and was left as it is. Add keys to it with 'keys add'.")
        _write(path, document)


def change_ring(path: Path, change: Callable[[RingDocument], RingDocument]) -> RingDocument:
    """Read, change and write the file under its lock; return what was written.

    Raises:
        KeyRingError: As for :func:`read_ring`, or it cannot be written. The file is as it was.
    """
    _require_there(path)
    path = path.resolve()  # what a link points to is replaced, not the link
    require_private_folder(path.parent)
    with _locked(path):
        document = change(read_ring(path))
        _write(path, document)
    return document


def require_private_folder(folder: Path) -> None:
    """Refuse a folder in which others could put another file in the ring's place.

    Raises:
        KeyRingError: Group or others may write it, or it belongs to somebody else.
    """
    if os.name != "posix":
        return
    try:
        status = folder.stat()
    except OSError as error:
        _fail(folder, f"The folder {str(folder)!r} of the key ring: {error.strerror}. Correct the path.")
    if status.st_uid not in {os.geteuid(), 0}:
        _fail(folder, f"The folder {str(folder)!r} of the key ring belongs to user {status.st_uid}. Use one of yours.")
    # In a sticky folder, as the one of a Kubernetes secret, nobody replaces what is another's.
    if status.st_mode & _OTHERS_WRITE and not status.st_mode & stat.S_ISVTX:
        mode = stat.S_IMODE(status.st_mode)
        _fail(folder, f"Others may write the folder {str(folder)!r} (mode {mode:04o}). Run: chmod go-w {folder}")


def require_owned(path: Path, status: os.stat_result, what: str) -> None:
    """Refuse what neither this user nor root has put there.

    Raises:
        KeyRingError: It belongs to somebody else.
    """
    if os.name == "posix" and status.st_uid not in {os.geteuid(), 0}:
        _fail(path, f"The {what} {str(path)!r} belongs to user {status.st_uid}. Run: chown {os.geteuid()} {path}")


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for whoever writes to it, should it be a pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _require_there(path: Path) -> None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        if path.is_symlink():
            _fail(path, f"{str(path)!r} is a link to nothing. Put the key ring where it points to, or remove the link.")
        _fail(path, no_ring(path))
    except OSError as error:
        _fail(
            path, f"The key ring {str(path)!r} cannot be looked at: {error.strerror}. Correct its path or its rights."
        )


def _require_private(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        _fail(path, f"{str(path)!r} is not a regular file. Correct the path.")
    if os.name != "posix":
        return
    require_owned(path, status, "key ring")
    mounted = status.st_uid == 0 and os.geteuid() != 0  # root's file, which reaches us through our group
    if status.st_mode & (_OTHERS_OF_MOUNTED if mounted else _OTHERS):
        mode = stat.S_IMODE(status.st_mode)
        _fail(
            path,
            f"Others may read the key ring {str(path)!r} (mode {mode:04o}). Run: chmod 600 {path}; and if others "
            "did use the machine meanwhile, rotate its keys.",
        )


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        _fail(folder, f"The folder {str(folder)!r} cannot be made: {error.strerror}. Choose another.")
    require_private_folder(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file beside the ring; the lock ends with the process, whatever ends it."""
    import fcntl  # where there is none there is no command line for keys either

    lock = path.with_name(f"{path.name}.lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, _MODE)
    except OSError as error:
        _fail(path, f"{str(lock)!r} cannot be opened: {error.strerror}. Correct the path or the rights of its folder.")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _write(path: Path, document: RingDocument) -> None:
    new = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        _write_new(new, document.to_json().encode())
        new.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        _fail(path, f"The key ring {str(path)!r} cannot be written: {error.strerror}. It is as it was.")
    finally:
        with suppress(OSError):
            new.unlink()


def _write_new(new: Path, content: bytes) -> None:
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fail(path: Path, message: str) -> NoReturn:
    raise KeyRingError(message, side=Side.CALLER, path=str(path))
