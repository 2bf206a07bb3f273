"""Where the time until the next attempt comes from, in words."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from trenova_errors._classification import Classification
from trenova_errors._kinds import ErrorKind
from trenova_errors._retry_after import HintOptions

_POLICY: Final = "as the retry policy says"
_HINTS: Final = {
    "HTTP": "from Retry-After, in seconds or as a date",
    "gRPC": "from google.rpc.RetryInfo in the status",
    "AWS": "from Retry-After or x-amz-retry-after",
}
RAISED: Final = "raised"
"""The origin of delays that an error brings itself."""

_CARRIERS: Final = {
    "httpx.HTTPStatusError": "HTTP",
    "requests.exceptions.HTTPError": "HTTP",
    "aiohttp.client_exceptions.ClientResponseError": "HTTP",
    "urllib.error.HTTPError": "HTTP",
    "grpc.RpcError": "gRPC",
    "temporalio.service.RPCError": "gRPC",
    "botocore.exceptions.ClientError": "AWS",
}


def origin_of(names: Iterable[str]) -> str:
    """Return the system whose delays a class of exceptions carries; empty if it carries none.

    Args:
        names: The qualified names of the class and its bases.
    """
    return next((_CARRIERS[name] for name in names if name in _CARRIERS), "")


def delay_of(decision: Classification, origin: str, hints: HintOptions, least: timedelta | None = None) -> str:
    """Say where the delay comes from.

    Args:
        decision: What was decided.
        origin: The system of the code, as :attr:`Code.system` has it, or :data:`RAISED`.
        hints: How delays are bounded.
        least: The delay that a rule names, which comes before all others.
    """
    if not decision.failure:
        return "none; it is no failure"
    if decision.kind.permanent:
        return "no further attempt"
    named = _named(origin, hints, least)
    return f"only of what is idempotent: {named}" if decision.kind is ErrorKind.AMBIGUOUS else named


def _named(origin: str, hints: HintOptions, least: timedelta | None) -> str:
    if least is not None:
        return f"at least {_seconds(least)}, from the rule"
    if origin == RAISED:
        return f"the retry_after that it was raised with; without one {_POLICY}"
    if origin in _HINTS:
        bounds = f"cut at {_seconds(hints.longest)}, plus up to {_seconds(hints.spread)} by chance"
        return f"{_HINTS[origin]}, {bounds}; without one {_POLICY}"
    return _POLICY


def _seconds(delay: timedelta) -> str:
    return f"{delay.total_seconds():g} s"
