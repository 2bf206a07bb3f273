"""A key ring that follows its source while the process runs."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from threading import Lock, Thread
from typing import Final, Protocol, runtime_checkable
from weakref import WeakSet

from trenova_codecs._errors import CodecError, KeyRingError
from trenova_codecs._key_ring import KeyRing
from trenova_codecs._keys import Key, KeyState
from trenova_codecs._side import Side
from trenova_errors import ConfigurationError

LOCAL_SECONDS: Final = 1.0
"""Seconds between looks at a file or a folder; a look is one or a few calls of ``stat``."""
REMOTE_SECONDS: Final = 60.0
"""Seconds between questions to a key management service, hence until a revocation there is felt here."""
_ASK_SECONDS: Final = 1.0
"""Seconds between reloads for the sake of unknown ids: whoever can write payloads can invent ids."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LoadedKeys:
    """What a source holds.

    Attributes:
        keys: All of them; retired ones may be left out.
        plaintext_until: The last day (UTC) on which payloads that are not encrypted are accepted, where the
            source says so.
    """

    keys: Sequence[Key]
    plaintext_until: date | None = None


@runtime_checkable
class KeySource(Protocol):
    """Where the keys of a ring come from. Called by one thread at a time."""

    @property
    def interval(self) -> float:
        """Seconds between looks at :meth:`stamp`."""
        ...

    @property
    def reload_seconds(self) -> float | None:
        """Seconds after which it is loaded again whatever its stamp says; None where the stamp says all.

        A source that has some is loaded in a thread, never by whoever needs a key.
        """
        ...

    def stamp(self) -> Hashable:
        """Return something that differs once loading would find something else; cheap, no network.

        Raises:
            OSError: It cannot be told.
        """
        ...

    def load(self) -> LoadedKeys:
        """Return all keys.

        Raises:
            CodecError: The source cannot be reached or read.
            ConfigurationError: What it holds are no keys.
        """
        ...


class WatchedKeyRing(KeyRing):
    """A :class:`KeyRing` that loads its source again when that has changed.

    A source that fails later on changes nothing: what is held stays in use, and one line in the log says
    what failed. Every look that finds other keys begins a new ``generation``.

    Args:
        source: It is loaded at once.
        clock: Seconds that only grow.

    Raises:
        CodecError: The source cannot be read.
        ConfigurationError: What it holds are no keys.
    """

    def __init__(self, source: KeySource, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._source, self._clock = source, clock
        self._looking = Lock()
        self._failing = ""
        self._refused: frozenset[str] = frozenset()
        self._stamp: Hashable = None
        with suppress(OSError):  # loading says it better
            self._stamp = source.stamp()
        loaded = source.load()
        super().__init__(loaded.keys)
        self._plaintext_until = loaded.plaintext_until
        self._next_look = clock() + source.interval
        self._next_load = clock() + (source.reload_seconds or 0)
        self._next_ask = clock()
        _live.add(self)

    @property
    def source(self) -> KeySource:
        """Where the keys come from."""
        return self._source

    @property
    def plaintext_until(self) -> date | None:
        """The last day (UTC) on which plain payloads are accepted; None where the source says nothing."""
        self._look()
        return self._plaintext_until

    @property
    def generation(self) -> int:
        """See :class:`KeyProvider`."""
        self._look()
        return self._generation

    def active(self) -> Key:
        """See :class:`KeyProvider`."""
        self._look()
        return super().active()

    def find(self, key_id: str) -> Key | None:
        """See :class:`KeyProvider`."""
        self._look()
        return super().find(key_id)

    def revoke(self, key_id: str) -> None:
        """Refuse a key from now on, whatever the source says later."""
        self._refused |= {key_id}
        super().revoke(key_id)

    async def refresh(self, key_id: str | None = None) -> bool:  # noqa: ARG002 - every source is loaded whole
        """See :class:`KeyProvider`; at most once a second, and by one caller for all who wait.

        Raises:
            CodecError: The source cannot be reached, or what it holds are no keys. What is held stays in use.
        """
        before = self._generation
        try:
            await asyncio.to_thread(self._reload_now)
        except ConfigurationError as error:
            # A payload waits for it, so that it must not be permanent of itself.
            raise KeyRingError(f"The key ring cannot be loaded again: {error.message}") from None
        return self._generation != before

    def _reload_now(self) -> None:
        with self._looking:  # whoever waited here finds what the one before has loaded
            if self._clock() >= self._next_ask:
                self._next_ask = self._clock() + _ASK_SECONDS
                self._reload()

    def _look(self) -> None:
        if self._clock() < self._next_look or not self._looking.acquire(blocking=False):
            return
        self._next_look = self._clock() + self._source.interval
        if self._source.reload_seconds is None:
            self._look_and_release()
        else:
            Thread(target=self._look_and_release, name="trenova-codecs-keys", daemon=True).start()

    def _look_and_release(self) -> None:
        try:
            if self._is_due() or _stamp(self._source) != self._stamp:
                self._reload()
        except (CodecError, ConfigurationError) as error:
            self._tell(error.message)
        except Exception as error:  # noqa: BLE001 - a look must never fail the payload that caused it
            self._tell(f"The key ring could not be loaded again: {type(error).__name__}.")
        finally:
            self._looking.release()

    def _is_due(self) -> bool:
        return self._source.reload_seconds is not None and self._clock() >= self._next_load

    def _reload(self) -> None:
        self._next_load = self._clock() + (self._source.reload_seconds or 0)
        stamp = _stamp(self._source)
        loaded = self._source.load()
        keys = [Key.revoked(key.id) if key.id in self._refused else key for key in loaded.keys]
        before = self._keys
        if {key.id: key for key in keys} != before:
            self.replace(keys)
            changed = "; ".join(_changes(before, self._keys))
            held = ", ".join(self.ids()) or "no key"
            _log.info("Key ring loaded: %s. Active %s, held %s.", changed, self._active and self._active.id, held)
        self._plaintext_until = loaded.plaintext_until
        self._stamp, self._failing = stamp, ""

    def _tell(self, what: str) -> None:
        if what != self._failing:  # once, not at every look
            self._failing = what
            _log.warning("%s What is held stays in use.", what)


def _changes(before: Mapping[str, Key], after: Mapping[str, Key]) -> Iterator[str]:
    """Say what became of which keys: an id that is not there any more was retired."""
    said: dict[str, list[str]] = {}
    for key_id in sorted({*before, *after}):
        was, now = (keys[key_id].state if key_id in keys else KeyState.RETIRED for keys in (before, after))
        if was is not now:
            word = "new" if key_id not in before and now is not KeyState.REVOKED else now.value
            said.setdefault(word, []).append(key_id)
        elif before.get(key_id) != after.get(key_id):
            said.setdefault("replaced", []).append(key_id)
    for word, key_ids in said.items():
        yield f"{word} {', '.join(key_ids)}"


def _stamp(source: KeySource) -> Hashable:
    try:
        return source.stamp()
    except OSError as error:
        raise KeyRingError(
            f"The key ring cannot be looked at: {error.strerror}: {error.filename!r}. Correct the path.",
            side=Side.CALLER,
            path=str(error.filename),
        ) from None


_live: WeakSet[WatchedKeyRing] = WeakSet()


def _after_fork() -> None:
    for ring in list(_live):
        ring._looking = Lock()  # noqa: SLF001 - the thread that may have held it is not in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
