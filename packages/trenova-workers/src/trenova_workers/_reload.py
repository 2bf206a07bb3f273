"""SIGHUP: the settings are read again, and what can change without a restart changes."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from trenova_errors import ConfigurationError
from trenova_workers._interruption import Interruption
from trenova_workers._settings import ServiceSettings
from trenova_workers._tuning._slots import SlotKind
from trenova_workers._tuning._tuner import slot_key
from trenova_workers._workers import Workers

_log = logging.getLogger(__name__)


class Reload:
    """Applies settings that are read anew to running workers."""

    def __init__(self, started_with: ServiceSettings, read: Callable[[], ServiceSettings]) -> None:
        self._started_with = started_with
        self._read = read
        self.workers: Workers | None = None
        """Those to apply to, once they run."""

    def now(self) -> None:
        """Read and apply; what does not hold is logged, and then nothing changes."""
        if self.workers is None:
            _log.warning("settings not read again: the workers do not run yet")
            return
        try:
            settings = self._read()
            resized = self.workers.resize(settings.worker)
        except ConfigurationError as error:
            _log.error("settings not applied", extra={"reason": error.message})
            return
        restart = needs_restart(self._started_with, settings, self.workers.resizable)
        _log.info("settings read again", extra={"resized": resized, "needs_restart": restart})


def needs_restart(before: ServiceSettings, after: ServiceSettings, resizable: set[SlotKind]) -> list[str]:
    """Return the keys that differ, without those of slots that are resized while the workers run."""
    live = {f"worker.{slot_key(before.worker, kind)}" for kind in resizable}
    return [key for key in _changed(before, after, "") if key not in live]


def _changed(before: Any, after: Any, at: str) -> Iterator[str]:
    if isinstance(before, BaseModel) and type(before) is type(after):
        for name in type(before).model_fields:
            yield from _changed(getattr(before, name), getattr(after, name), f"{at}.{name}" if at else name)
    elif before != after:
        yield at


@contextmanager
def reloaded_by_signal(reload: Reload, interruption: Interruption) -> Iterator[None]:
    """Listen to SIGHUP. A closed terminal sends it too, and then it asks for the drain."""
    loop = asyncio.get_running_loop()
    at_terminal = _has_terminal()

    def hung_up() -> None:
        if at_terminal and not _has_terminal():
            interruption.received(signal.SIGHUP)
        else:
            reload.now()

    loop.add_signal_handler(signal.SIGHUP, hung_up)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)


def _has_terminal() -> bool:
    try:
        os.close(os.open(Path("/dev/tty"), os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
