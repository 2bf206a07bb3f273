"""How long the other side asks to wait, read from where its protocol says so.

``Retry-After`` in seconds or as a date (RFC 9110 section 10.2.3), ``google.rpc.RetryInfo`` in the details of a gRPC
status (google.rpc.error_details.proto), and the header that AWS services send.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

from trenova_errors._attribute import answer, attribute, entry
from trenova_errors._rule_checks import checked_delay
from trenova_errors._type_decisions import names_of
from trenova_errors._types import ConfigurationError

_HEADER: Final = "Retry-After"
_AWS_HEADER: Final = "x-amz-retry-after"
"""In milliseconds, as botocore/retries/standard.py reads it."""

_RETRY_INFO: Final = "google.rpc.RetryInfo"
_STATUS_DETAILS: Final = "grpc-status-details-bin"
_NEVER: Final = timedelta(0)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class HintOptions:
    """How a delay that another side names is taken.

    The delay is cut at ``longest``, then a random part of itself, at least one second and at most ``spread``, is
    added, so that those who were sent away together do not come back together and none comes back early.

    Attributes:
        longest: The longest delay that is believed.
        spread: The most that is added.
        chance: Gives a number from 0 up to 1.
        now: The clock that dates are compared with.

    Raises:
        ConfigurationError: A delay is no ``timedelta`` or negative, or a function cannot be called.
    """

    longest: timedelta = timedelta(hours=1)
    spread: timedelta = timedelta(seconds=30)
    chance: Callable[[], float] = random.random
    now: Callable[[], datetime] = _now

    def __post_init__(self) -> None:
        checked_delay("HintOptions", "longest", self.longest)
        checked_delay("HintOptions", "spread", self.spread)
        for name, function in (("chance", self.chance), ("now", self.now)):
            if not callable(function):
                raise ConfigurationError(f"HintOptions has a {name!r} that cannot be called. Give a function.")

    def taken(self, asked: timedelta) -> timedelta:
        """Return the delay to wait for one that was asked for."""
        bounded = min(max(asked, _NEVER), self.longest)
        room = min(max(bounded, timedelta(seconds=1)), self.spread)
        return bounded + room * self.chance()


def retry_after(exc: BaseException, options: HintOptions) -> timedelta | None:
    """Return how long to wait, bounded and spread; None if the exception does not say."""
    asked = _from_headers(exc, options.now)
    asked = _from_status(exc) if asked is None else asked
    return None if asked is None else options.taken(asked)


def parse(header: str, now: Callable[[], datetime] = _now) -> timedelta | None:
    """Read a ``Retry-After`` header: whole seconds or an HTTP date; None if it is neither.

    Args:
        header: The header's value.
        now: The clock that a date is compared with; one in the past means no delay.
    """
    text = header.strip()
    if text.isascii() and text.isdecimal():
        return _seconds(float(text))
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return max(date.replace(tzinfo=date.tzinfo or UTC) - now(), _NEVER)


def _from_headers(exc: BaseException, now: Callable[[], datetime]) -> timedelta | None:
    response = attribute(exc, "response")
    aws = entry(entry(response, "ResponseMetadata"), "HTTPHeaders")
    places = (attribute(response, "headers"), attribute(exc, "headers"), aws)
    for headers in (one for one in places if one is not None):
        for name, read in ((_HEADER, lambda text: parse(text, now)), (_AWS_HEADER, _milliseconds)):
            for value in (entry(headers, name), entry(headers, name.lower())):
                found = read(value) if isinstance(value, str) else None
                if found is not None:
                    return found
    return None


def _from_status(exc: BaseException) -> timedelta | None:
    """Read ``google.rpc.RetryInfo`` out of the status that a gRPC call ended with."""
    raw = attribute(exc, "raw_grpc_status")
    if not isinstance(raw, bytes):
        raw = _trailing_details(exc)
    if not isinstance(raw, bytes):
        return None
    # The root of this package stays light: protobuf is loaded for calls that ended with details.
    from google.protobuf.message import DecodeError
    from temporalio.api.common.v1 import GrpcStatus, RetryPolicy

    try:
        for detail in GrpcStatus.FromString(raw).details:
            if detail.type_url.rpartition("/")[2] == _RETRY_INFO:
                # RetryInfo is one Duration in field 1, and so is the first field of Temporal's RetryPolicy.
                delay = RetryPolicy.FromString(detail.value).initial_interval
                return _seconds(delay.seconds + delay.nanos / 1e9)
    except DecodeError:
        return None
    return None


def _trailing_details(exc: BaseException) -> object:
    trailing = answer(exc, "trailing_metadata") if "grpc.RpcError" in names_of(type(exc)) else None
    return next((value for key, value in trailing or () if key == _STATUS_DETAILS), None)


def _milliseconds(text: str) -> timedelta | None:
    return _seconds(float(text) / 1000) if text.isascii() and text.isdecimal() else None


def _seconds(value: float) -> timedelta:
    try:
        return timedelta(seconds=max(value, 0.0))
    except OverflowError:
        return timedelta.max
