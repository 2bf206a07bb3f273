"""How much every key has encrypted in this process, and the warning before it is too much.

Under one AES-GCM key with random nonces at most 2**32 messages may be encrypted, over all processes that
hold it (NIST SP 800-38D, 8.3). A process knows only its own share, so that the shares are exported as a
metric to be added up.
"""

import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Final

from opentelemetry.metrics import CallbackOptions, Observation, get_meter

WARN_AT: Final = 2**31
"""Messages under one key, half of what may be."""

_log = logging.getLogger("trenova_codecs")


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """What one process has encrypted directly under one key.

    Attributes:
        messages: Payloads.
        bytes: Their serialized size before encryption.
    """

    messages: int
    bytes: int


class KeyCounter:
    """Counts for one key id and format, over all codecs of the process.

    Whoever encrypts takes the next of ``numbers``, which is atomic where ``+= 1`` is not, and a lock would cost
    as much as everything else; and calls :meth:`warn` now and then.

    Attributes:
        numbers: 1, 2, 3, ...
        messages: The last number that was taken.
        bytes: Their size; approximate where several threads encrypt at once.
    """

    __slots__ = ("_warn_at", "bytes", "key_id", "messages", "numbers")

    def __init__(self, key_id: str, *, warn_at: float = WARN_AT) -> None:
        self.key_id = key_id
        self._warn_at = warn_at
        self.reset()

    def warn(self) -> None:
        """Log one warning once the limit is reached."""
        if self.messages >= self._warn_at:
            self._warn_at = float("inf")
            _log.warning(
                "Key %r has encrypted %d payloads in this process; over all processes at most 2**32 may be. "
                "Promote a new key, or use the format 'v2', which has no such limit.",
                self.key_id,
                self.messages,
            )

    def reset(self) -> None:
        """Begin anew, in a forked child."""
        self.messages = self.bytes = 0
        self.numbers = count(1)


_counters: dict[tuple[str, str], KeyCounter] = {}
_counters_lock = Lock()


def counter(key_id: str, format: str) -> KeyCounter:  # noqa: A002
    """Return the counter of a key in this process; v2 encrypts under derived keys and so never warns."""
    with _counters_lock:
        found = _counters.get((key_id, format))
        if found is None:
            found = KeyCounter(key_id, warn_at=WARN_AT if format == "compat" else float("inf"))
            _counters[key_id, format] = found
        return found


def key_usage() -> Mapping[tuple[str, str], KeyUsage]:
    """Return what this process has encrypted, by key id and format (``compat`` or ``v2``)."""
    return {at: KeyUsage(counted.messages, counted.bytes) for at, counted in list(_counters.items())}


def _observe_messages(options: CallbackOptions) -> Iterable[Observation]:  # noqa: ARG001
    for (key_id, format_), used in key_usage().items():
        yield Observation(used.messages, {"key_id": key_id, "format": format_})


def _observe_bytes(options: CallbackOptions) -> Iterable[Observation]:  # noqa: ARG001
    for (key_id, format_), used in key_usage().items():
        yield Observation(used.bytes, {"key_id": key_id, "format": format_})


def _after_fork() -> None:
    global _counters_lock  # noqa: PLW0603 - another thread may have held it when the process forked
    _counters_lock = Lock()
    for counted in _counters.values():
        counted.reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)

meter = get_meter("trenova_codecs")
meter.create_observable_counter(
    "trenova_codecs_key_messages",
    [_observe_messages],
    unit="{payload}",
    description="Payloads encrypted under a key by this process",
)
meter.create_observable_counter(
    "trenova_codecs_key_bytes",
    [_observe_bytes],
    unit="By",
    description="Bytes encrypted under a key by this process, before encryption",
)
