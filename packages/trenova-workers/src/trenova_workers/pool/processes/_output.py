"""The output of workers: one file each, of bounded size, that a manager's end does not interrupt."""

import shutil
import time
from contextlib import suppress
from pathlib import Path

_PRIVATE = 0o700
_KEPT_FILES = 50
_TAIL_BYTES = 4096
_LAST_WORDS_S = 10.0


class Outputs:
    """The files of one pool.

    Args:
        folder: Private; made when it is needed.
        kept_mib: Size at which a file is begun anew; one older file of that size stays.
    """

    def __init__(self, folder: Path, kept_mib: int) -> None:
        self._folder, self._most = folder, kept_mib * 2**20

    def prepare(self, worker_id: str) -> Path:
        """Return the file of a new worker, and forget the oldest of workers that are gone."""
        self._folder.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        files = sorted(self._folder.glob("*.log*"), key=lambda path: path.stat().st_mtime)
        for path in files[:-_KEPT_FILES]:
            path.unlink(missing_ok=True)
        return self.of(worker_id)

    def of(self, worker_id: str) -> Path:
        """Return the file of a worker."""
        return self._folder / f"{worker_id}.log"

    def limit(self, worker_id: str) -> None:
        """Begin a file anew that has grown too large. Workers add to its end, so they need not know."""
        path = self.of(worker_id)
        with suppress(OSError):
            if path.stat().st_size > self._most:
                shutil.copyfile(path, path.with_suffix(".log.1"))
                with path.open("r+b") as file:
                    file.truncate(0)

    def last_line(self, worker_id: str) -> str:
        """Return the last line of its output, cut to what fits into a message.

        Empty if there is none, or it was written so long ago that it tells nothing about an end that was just seen.
        """
        with suppress(OSError):
            if time.time() - self.of(worker_id).stat().st_mtime > _LAST_WORDS_S:
                return ""
            with self.of(worker_id).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
            return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")
        return ""
