"""Sign-in on this machine: a link that works once, the session it opens, and a key for local programs.

Whoever reads the terminal or a private file of the server's user is let in. Secrets are kept as SHA-256
digests and compared in constant time.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable
from typing import Final

from trenova_access._errors import NotSignedInError
from trenova_access._options import SignInOptions
from trenova_access._principal import Method, Principal
from trenova_access._sessions import Sessions

_SECRET_BYTES: Final = 32


class SignIn:
    """Links, sessions and the local key of one server; all of it ends with the process.

    Attributes:
        key: What a program of this machine sends as its bearer token.
    """

    def __init__(self, options: SignInOptions, clock: Callable[[], float] = time.monotonic) -> None:
        self.options = options
        self.key = secrets.token_urlsafe(_SECRET_BYTES)
        self._clock = clock
        self._key_digest = _digest(self.key)
        self._links: list[tuple[bytes, float]] = []
        self._sessions = Sessions(
            session_s=options.session_s, idle_s=options.idle_s, most=options.max_sessions, clock=clock
        )

    def __repr__(self) -> str:
        return f"SignIn(sessions={len(self._sessions)}, links={len(self._links)})"

    def new_link(self) -> str:
        """A token that opens one session; the oldest unused one ends when there are too many."""
        token = secrets.token_urlsafe(_SECRET_BYTES)
        self._links = [*self._links, (_digest(token), self._clock() + self.options.link_s)][-self.options.max_links :]
        return token

    def exchange(self, token: str) -> str:
        """Open a session for a link's token, which then is used up; the value of the session's cookie.

        Raises:
            NotSignedInError: No link has this token, or it was used or is over.
        """
        now, digest = self._clock(), _digest(token)
        live = [(one, until) for one, until in self._links if until > now]
        self._links = [(one, until) for one, until in live if not hmac.compare_digest(one, digest)]
        if len(self._links) == len(live):
            raise NotSignedInError("This link was used already or is over. Ask the server for a new one.")
        return self._sessions.open(self._principal("session"))

    def by_session(self, value: str) -> Principal | None:
        """Who holds this cookie, None when its session is over or never was."""
        return self._sessions.use(value)

    def by_key(self, value: str) -> Principal | None:
        """Who holds the local key, None when it is another."""
        return self._principal("key") if hmac.compare_digest(_digest(value), self._key_digest) else None

    def end(self, value: str) -> None:
        """End the session of this cookie, if there is one."""
        self._sessions.end(value)

    def _principal(self, method: Method) -> Principal:
        return Principal(subject=self.options.subject, method=method, grants=frozenset(self.options.grants))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
