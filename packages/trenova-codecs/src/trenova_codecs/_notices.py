"""Log lines that tell an operator what to do, and not once per payload."""

import logging
import time
from collections.abc import Hashable
from typing import Final

_EVERY_SECONDS: Final = 60.0
_MOST: Final = 256
"""Different notices that are remembered; ids come from payloads, so that there may be any number."""

_log = logging.getLogger("trenova_codecs")
_last: dict[Hashable, float] = {}


def noticed(about: Hashable, message: str, *args: object) -> None:
    """Log a warning unless the same one was logged within a minute."""
    now = time.monotonic()
    if now - _last.get(about, float("-inf")) < _EVERY_SECONDS:
        return
    if len(_last) >= _MOST:
        _last.clear()
    _last[about] = now
    _log.warning(message, *args)
