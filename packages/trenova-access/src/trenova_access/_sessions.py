"""The sessions of browsers that signed in: in memory, bounded in number and time.

A cookie's value is 32 random bytes, of which only the SHA-256 is kept. Looking a digest up tells by its time something
about the digest, from which no cookie follows.
"""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from trenova_access._principal import Principal

_SECRET_BYTES: Final = 32


@dataclass
class Session:
    """Somebody's session.

    Attributes:
        principal: Who.
        begun: When, by the clock of :class:`Sessions`.
        used: When it was last used.
        id_token: The provider's word for it, which it wants back when the session ends; empty without a provider.
    """

    principal: Principal
    begun: float
    used: float
    id_token: str = field(default="", repr=False)


class Sessions:
    """All sessions of one kind of sign-in; they end with the process.

    Args:
        session_s: Seconds after which a session ends.
        idle_s: Seconds without use after which it ends.
        most: The oldest session ends when there would be more.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, *, session_s: float, idle_s: float, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._session_s, self._idle_s, self._most = session_s, idle_s, most
        self._clock = clock
        self._sessions: dict[bytes, Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __repr__(self) -> str:
        return f"Sessions({len(self)})"

    def open(self, principal: Principal, *, id_token: str = "") -> str:
        """Open a session; the value of its cookie."""
        now = self._clock()
        self._sessions = {digest: one for digest, one in self._sessions.items() if self._lives(one, now)}
        while len(self._sessions) >= self._most:
            del self._sessions[next(iter(self._sessions))]
        value = secrets.token_urlsafe(_SECRET_BYTES)
        self._sessions[_digest(value)] = Session(principal, now, now, id_token)
        return value

    def use(self, value: str) -> Principal | None:
        """Who holds this cookie, None when its session is over or never was."""
        now, digest = self._clock(), _digest(value)
        session = self._sessions.get(digest)
        if session is None:
            return None
        if not self._lives(session, now):
            del self._sessions[digest]
            return None
        session.used = now
        return session.principal

    def end(self, value: str) -> Session | None:
        """End the session of this cookie; the session, None if there is none."""
        return self._sessions.pop(_digest(value), None)

    def _lives(self, session: Session, now: float) -> bool:
        return now - session.begun < self._session_s and now - session.used < self._idle_s


def _digest(value: str) -> bytes:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).digest()
