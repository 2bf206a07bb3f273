"""Log lines that tell an operator what to do, and not once per payload."""

import logging
import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_EVERY_SECONDS: Final = 60.0
_MOST: Final = 256
"""Different notices within a minute; the ids in them come from payloads, so that anybody could invent more."""

_log = logging.getLogger("trenova_codecs")
_last: dict[Hashable, float] = {}
_elsewhere: Final[ContextVar[bool]] = ContextVar("elsewhere", default=False)


@contextmanager
def told_elsewhere() -> Iterator[None]:
    """Log none of what is met within: whoever asked for it writes a line of its own."""
    token = _elsewhere.set(True)
    try:
        yield
    finally:
        _elsewhere.reset(token)


def noticed(about: Hashable, message: str, *args: object) -> None:
    """Log a warning unless the same one was logged within a minute."""
    if _elsewhere.get():
        return
    now = time.monotonic()
    if now - _last.get(about, float("-inf")) < _EVERY_SECONDS:
        return
    if len(_last) >= _MOST:
        for old in [other for other, when in list(_last.items()) if now - when >= _EVERY_SECONDS]:
            _last.pop(old, None)
        if len(_last) >= _MOST:
            return
    _last[about] = now
    _log.warning(message, *args)
