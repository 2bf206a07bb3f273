"""Where a Prometheus on the same machine finds workers whose ports nobody chose."""

import fcntl
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from trenova_errors import ConfigurationError
from trenova_workers._identity import Identity

_READABLE: Final = 0o644
_EVERYWHERE: Final = ("0.0.0.0", "::")  # noqa: S104 (told apart, not bound)


@contextmanager
def announced(folder: Path | None, url: str | None, identity: Identity) -> Iterator[None]:
    """Keep a file in ``folder`` for as long as the block runs, as ``file_sd_configs`` of Prometheus reads it.

    Each holds a lock on its own file. A file whose lock is free is of a process that was killed. The next process of
    the same service removes it; one of another service does not, since it does not take the dead one's place and
    whoever watches has to go on seeing that nobody answers.

    Args:
        folder: Made where it is missing; None announces nothing.
        url: Where scrapes are answered; None announces nothing.
        identity: Names the file, and is the labels ``service`` and ``host`` of the target.

    Raises:
        ConfigurationError: The folder cannot be written to.
    """
    if folder is None or url is None:
        yield
        return
    path = folder / f"{identity.service}-{identity.pid}-{identity.instance}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder, identity.service)
        file = _write(path, _target(url, identity))
    except OSError as error:
        raise ConfigurationError(
            f"Where metrics are cannot be told in {str(folder)!r}: {error.strerror or error}. Correct "
            "worker.metrics.targets_dir, or leave it out."
        ) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


def _target(url: str, identity: Identity) -> bytes:
    parts = urlsplit(url)
    target = f"{identity.host}:{parts.port}" if parts.hostname in _EVERYWHERE else parts.netloc
    labels = {"service": identity.service, "host": identity.host}
    return json.dumps([{"targets": [target], "labels": labels}]).encode()


def _write(path: Path, content: bytes) -> int:
    """Return the open file, locked before it has its name."""
    new = path.with_suffix(".new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _READABLE)
    fcntl.flock(file, fcntl.LOCK_EX)
    os.write(file, content)
    new.rename(path)
    return file


def _remove_stale(folder: Path, service: str) -> None:
    own = re.compile(rf"{re.escape(service)}-\d+-[0-9a-f]+\.json")
    for path in folder.glob("*.json"):
        if not own.fullmatch(path.name):
            continue
        with suppress(OSError), path.open() as file:  # gone by now, or held: its process lives
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
