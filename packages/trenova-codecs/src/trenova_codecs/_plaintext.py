"""What to do with a payload that is not encrypted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, TypeAlias, get_args

from temporalio.api.common.v1 import Payload

from trenova_codecs._errors import PlaintextRejectedError
from trenova_codecs._formats import ENCODING
from trenova_codecs._notices import noticed
from trenova_codecs._usage import meter
from trenova_errors import ConfigurationError

OnPlaintext: TypeAlias = Literal["allow", "warn", "reject"]

_accepted = meter.create_counter(
    "trenova_codecs_plaintext_payloads",
    unit="{payload}",
    description="Payloads that were not encrypted and were accepted with a warning",
)


def _today() -> date:
    return datetime.now(UTC).date()


@dataclass(frozen=True, slots=True)
class PlaintextPolicy:
    """Whether payloads that nobody encrypted are taken.

    Whoever can write to a history can put a plain payload there in the place of an encrypted one, so that
    accepting them gives up what authentication is for.

    Attributes:
        mode: ``reject`` raises, ``warn`` logs once a minute and counts, ``allow`` says nothing.
        until: The last day (UTC) on which ``reject`` only warns, for namespaces that hold plain payloads
            from before encryption. There is none without a date.
        exemption: The same from a key ring, which may learn of it while the process runs; the later day counts.
        today: The clock.
    """

    mode: OnPlaintext = "reject"
    until: date | None = None
    exemption: Callable[[], date | None] | None = None
    today: Callable[[], date] = _today

    def __post_init__(self) -> None:
        if self.mode not in get_args(OnPlaintext):
            raise ConfigurationError(
                f"on_plaintext must be 'allow', 'warn' or 'reject'; got {self.mode!r}.", option="on_plaintext"
            )
        if self.until is not None and self.mode != "reject":
            raise ConfigurationError(
                f"An exemption until {self.until} has no effect with on_plaintext={self.mode!r}. "
                "Set 'reject', which the exemption is from, or leave the date out.",
                option="plaintext_until",
            )

    def check(self, payload: Payload) -> None:
        """Accept a plain payload or refuse it.

        Raises:
            PlaintextRejectedError: It is refused.
        """
        if self.mode == "allow":
            return
        encoding = payload.metadata.get(ENCODING, b"").decode(errors="replace")[:100]
        until = self._until()
        if self.mode == "reject" and not (until is not None and self.today() <= until):
            ended = f" (the exemption ended on {until})" if until else ""
            raise PlaintextRejectedError(
                f"A payload with encoding {encoding!r} is not encrypted, and this process accepts none that is "
                f"not{ended}. Find out who wrote it; to take over what was stored before encryption, "
                "set plaintext_until to a day on which it will be gone.",
                encoding=encoding,
            )
        _accepted.add(1)
        exempt = f", which is refused after {until}" if self.mode == "reject" else ""
        noticed(
            ("plaintext", encoding), "Accepted a payload with encoding %r that is not encrypted%s.", encoding, exempt
        )

    def _until(self) -> date | None:
        if self.mode != "reject":
            return None
        given = [day for day in (self.until, self.exemption() if self.exemption else None) if day is not None]
        return max(given, default=None)
