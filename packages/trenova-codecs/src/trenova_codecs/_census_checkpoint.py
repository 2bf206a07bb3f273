"""What a census has seen already, so that an interrupted one goes on where it was."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self, TextIO

from trenova_errors import ConfigurationError

_HEADER: Final = "trenova-codecs census 1"


class Checkpoint:
    """A file of JSON lines: a header, then one line for each closed run with the keys that it needs."""

    def __init__(self, file: TextIO | None, seen: Mapping[str, frozenset[str]]) -> None:
        self._file = file
        self._seen = dict(seen)

    @classmethod
    def nowhere(cls) -> Self:
        """Remember nothing."""
        return cls(None, {})

    @classmethod
    def at(cls, path: Path, *, scope: str) -> Self:
        """Go on with a file, or begin one.

        Args:
            path: The file; made 0600, because ids of runs can tell about customers.
            scope: What is counted, e.g. the address of the server; another one is not mixed in.

        Raises:
            ConfigurationError: The file is another one's, or cannot be written.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"The checkpoint {str(path)!r} cannot be opened: {error.strerror}. Choose another."
            ) from None
        file = os.fdopen(descriptor, "r+", encoding="utf-8")
        header = json.dumps({"file": _HEADER, "scope": scope})
        try:
            seen = _read(file, path, header)
        except ConfigurationError:
            file.close()
            raise
        if seen is None:
            file.seek(0)
            file.truncate()
            file.write(header + "\n")
        file.seek(0, os.SEEK_END)
        return cls(file, seen or {})

    def find(self, run_id: str) -> frozenset[str] | None:
        """Return what a run needs that was looked at before."""
        return self._seen.get(run_id)

    def add(self, run_id: str, keys: frozenset[str]) -> None:
        """Remember a run, at once."""
        if run_id in self._seen:
            return
        self._seen[run_id] = keys
        if self._file is not None:
            self._file.write(json.dumps({"run": run_id, "keys": sorted(keys)}) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def _read(file: TextIO, path: Path, header: str) -> dict[str, frozenset[str]] | None:
    text = file.read()
    if not text:
        return None
    first, *lines = text.splitlines()
    if first != header:
        raise ConfigurationError(
            f"The checkpoint {str(path)!r} is of another server or namespace, or no checkpoint. Choose another file."
        )
    if not text.endswith("\n"):
        file.write("\n")  # after the line that was being written when it was interrupted
    return dict(seen for line in lines if (seen := _seen(line)))


def _seen(line: str) -> tuple[str, frozenset[str]] | None:
    try:
        found = json.loads(line)
        return found["run"], frozenset(found["keys"])
    except (ValueError, KeyError, TypeError):
        return None
