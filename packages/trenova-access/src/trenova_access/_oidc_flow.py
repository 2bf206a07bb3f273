"""What is remembered of a sign-in while its person is at the provider, in a cookie that only this process can read.

It is sealed (Fernet: AES-128-CBC with HMAC-SHA256, and its time), so that whoever begins a million sign-ins fills no
memory; what was used is remembered for as long as it could be used again.
"""

import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Final

from cryptography.fernet import Fernet, InvalidToken

from trenova_access._errors import OidcRefusedError

_SECRET_BYTES: Final = 48
_MOST_USED: Final = 10_000


@dataclass(frozen=True)
class Flow:
    """One sign-in under way.

    Attributes:
        redirect_uri: Where the provider sends the browser back to.
        next: Where it goes then, a path of this server; empty for where people arrive.
        state: Ties the provider's answer to this browser.
        nonce: Ties the ID token to this sign-in.
        verifier: Ties the code to it (PKCE).
    """

    redirect_uri: str
    next: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES), repr=False)
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES), repr=False)
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(_SECRET_BYTES), repr=False)


class Flows:
    """Seals and opens them, each once.

    Args:
        flow_s: Seconds for which one can be finished.
        clock: Seconds since 1970.
    """

    def __init__(self, flow_s: int, clock: Callable[[], float] = time.time) -> None:
        self._flow_s = flow_s
        self._clock = clock
        self._box = Fernet(Fernet.generate_key())
        self._used: OrderedDict[str, float] = OrderedDict()

    def seal(self, flow: Flow) -> str:
        """The value of the cookie."""
        sealed = self._box.encrypt_at_time(json.dumps(asdict(flow)).encode(), int(self._clock()))
        return sealed.decode().rstrip("=")  # which a cookie could only have in quotes

    def finish(self, sealed: str | None, state: str | None) -> Flow:
        """The sign-in that the provider's answer belongs to, which then is used up.

        Args:
            sealed: The cookie; None where there is none.
            state: As the answer has it.

        Raises:
            OidcRefusedError: There is none, it is over or used, or it is another.
        """
        if not sealed:
            raise OidcRefusedError(
                f"This sign-in was not begun in this browser, or took longer than {self._flow_s} s. Sign in again.",
                reason="flow_missing",
            )
        flow = self._opened(sealed)
        if state is None or not hmac.compare_digest(flow.state.encode(), state.encode("utf-8", "surrogatepass")):
            raise OidcRefusedError(
                "The provider's answer belongs to another sign-in, such as one in another tab. Sign in again.",
                reason="state",
            )
        self._use_up(flow)
        return flow

    def _opened(self, sealed: str) -> Flow:
        padded = sealed + "=" * (-len(sealed) % 4)
        try:
            told = self._box.decrypt_at_time(padded.encode("utf-8", "surrogatepass"), self._flow_s, int(self._clock()))
        except InvalidToken:
            raise OidcRefusedError(
                f"This sign-in took longer than {self._flow_s} s, or began at another process: before a restart, or at "
                "another of several servers. Sign in again.",
                reason="flow_over",
            ) from None
        return Flow(**json.loads(told))

    def _use_up(self, flow: Flow) -> None:
        now = self._clock()
        while self._used and (len(self._used) >= _MOST_USED or next(iter(self._used.values())) <= now):
            self._used.popitem(last=False)
        if flow.state in self._used:
            raise OidcRefusedError("This answer of the provider was used already. Sign in again.", reason="flow_used")
        self._used[flow.state] = now + self._flow_s + 1
