"""What a decision costs, and what it says, beside the predicates that others retry by.

``trenova_errors.classify`` beside ``tenacity.retry_if_exception_type`` (given the types that a careful user lists)
and ``google.api_core.retry.if_transient_error``. The same exceptions, raised by the libraries themselves where they
can be; every round measures every pair once, in an order that turns with the rounds.

The predicates answer yes or no. ``classify`` also says what it is, when to try again and who is to be told, so it
costs more; the target is a thousandth of the least delay between two attempts that Temporal's server allows, which
is a second. Figures are time of the processor. Exits 1 when the median of a decision is above the target, or when a
decision differs from the one written beside its exception.
"""

import argparse
import errno
import os
import platform
import statistics
import sys
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from time import process_time

import httpx
import requests
from google.api_core.exceptions import ServiceUnavailable
from google.api_core.retry import if_transient_error
from psycopg.errors import DeadlockDetected, UniqueViolation
from sqlalchemy.exc import IntegrityError, OperationalError
from tenacity import Future, RetryCallState, Retrying, retry_if_exception_type

from trenova_errors import ErrorKind, classify

TARGET_US = 1000.0
_LISTED = (ConnectionError, TimeoutError, httpx.TransportError, httpx.HTTPStatusError, OperationalError)
_TRANSIENT = retry_if_exception_type(_LISTED)
_DEPTH = 5
_MEMBERS = 10


@dataclass(frozen=True, slots=True)
class Case:
    """An exception and what it is."""

    name: str
    error: BaseException
    kind: ErrorKind


def ours(error: BaseException) -> Callable[[], bool]:
    """Return what asks ``classify`` whether to try again."""
    return lambda: classify(error).retryable


def tenacity(error: BaseException) -> Callable[[], bool]:
    """Return what asks tenacity's predicate, whose argument is the state of a call."""
    state = RetryCallState(Retrying(), None, (), {})
    state.outcome = Future(1)
    state.outcome.set_exception(error)
    return lambda: _TRANSIENT(state)


def api_core(error: BaseException) -> Callable[[], bool]:
    """Return what asks the predicate of Google's clients."""
    return lambda: if_transient_error(error)  # type: ignore[no-untyped-call]


SUBJECTS = {"classify": ours, "tenacity": tenacity, "api_core": api_core}


def cases() -> list[Case]:
    """Make the exceptions: what databases, HTTP and the operating system raise, bare, wrapped and in groups."""
    deadlock = OperationalError("UPDATE", {}, DeadlockDetected())
    refused = httpx.ConnectError("refused")
    refused.__cause__ = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    group = ExceptionGroup("many", [ConnectionResetError(errno.ECONNRESET, "reset") for _ in range(_MEMBERS)])
    return [
        Case("connection reset", ConnectionResetError(errno.ECONNRESET, "reset"), ErrorKind.UNAVAILABLE),
        Case("time-out", TimeoutError(), ErrorKind.UNAVAILABLE),
        Case("HTTP refused (httpx)", refused, ErrorKind.UNAVAILABLE),
        Case("HTTP 429, Retry-After (httpx)", answered(429, {"Retry-After": "7"}), ErrorKind.THROTTLE),
        Case("HTTP 404 (httpx)", answered(404, {}), ErrorKind.RESOURCE_NOT_FOUND),
        Case("connection lost (requests)", requests.ConnectionError("lost"), ErrorKind.UNAVAILABLE),
        Case("deadlock (SQLAlchemy, psycopg)", deadlock, ErrorKind.RETRYABLE),
        Case("unique (SQLAlchemy, psycopg)", IntegrityError("INSERT", {}, UniqueViolation()), ErrorKind.DATA_INTEGRITY),
        Case("503 (google.api_core)", ServiceUnavailable("busy"), ErrorKind.UNAVAILABLE),
        Case("ValueError", ValueError("unknown"), ErrorKind.RETRYABLE),
        Case(f"deadlock below {_DEPTH} others", wrapped(deadlock, _DEPTH), ErrorKind.RETRYABLE),
        Case(f"group of {_MEMBERS}", group, ErrorKind.UNAVAILABLE),
    ]


def answered(status: int, headers: dict[str, str]) -> httpx.HTTPStatusError:
    """Return what ``raise_for_status`` raises for an answer."""
    request = httpx.Request("GET", "http://127.0.0.1/")
    try:
        httpx.Response(status, headers=headers, request=request).raise_for_status()
    except httpx.HTTPStatusError as error:
        return error
    raise AssertionError(status)


def wrapped(error: BaseException, depth: int) -> BaseException:
    """Return exceptions of an application's own, each raised from the one before."""
    for number in range(depth):
        outer = RuntimeError(f"step {number} failed")
        outer.__cause__ = error
        error = outer
    return error


def bench(work: list[Case], rounds: int, calls: int) -> dict[tuple[str, str], list[float]]:
    """Return microseconds per call, by exception and subject, one figure per round."""
    asked = {(case.name, name): make(case.error) for case in work for name, make in SUBJECTS.items()}
    figures: dict[tuple[str, str], list[float]] = {key: [] for key in asked}
    for fn in asked.values():
        timeit.timeit(fn, timer=process_time, number=calls)
    for number in range(rounds):
        keys = sorted(asked, reverse=number % 2 == 0)
        for key in keys:
            figures[key].append(timeit.timeit(asked[key], timer=process_time, number=calls) / calls * 1e6)
    return figures


def report(work: list[Case], figures: dict[tuple[str, str], list[float]]) -> bool:
    """Print what was measured; whether every median is within the target and every decision is the expected one."""
    print(f"{'microseconds per decision':31}" + "".join(f"{name:^37}" for name in SUBJECTS))
    print(f"{'':31}" + "".join(f"{'retry':>7}{'min':>9}{'median':>9}{'max':>9}   " for _ in SUBJECTS))
    for case in work:
        cells = [_cell(make(case.error)(), figures[case.name, name]) for name, make in SUBJECTS.items()]
        print(f"{case.name:31}" + "".join(cells) + f"{classify(case.error).kind.value}")
    wrong = [case.name for case in work if classify(case.error).kind is not case.kind]
    slowest = max(statistics.median(figures[case.name, "classify"]) for case in work)
    print(
        f"\nslowest median of classify {slowest:.1f} us, target {TARGET_US:.0f}; decided otherwise: {wrong or 'none'}"
    )
    return slowest <= TARGET_US and not wrong


def conditions(rounds: int, calls: int) -> str:
    """Say what the figures depend on."""
    names = ("trenova-errors", "tenacity", "google-api-core", "httpx", "sqlalchemy", "psycopg")
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{rounds} rounds of {calls} calls each; {os.cpu_count()} cores, load before {load}\n"
        f"Python {platform.python_version()}, {', '.join(f'{name} {version(name)}' for name in names)}\n"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="rounds of every pair (9)")
    parser.add_argument("--calls", type=int, default=2000, help="calls per round (2000)")
    options = parser.parse_args(arguments)
    if min(vars(options).values()) < 1:
        parser.error("rounds and calls are at least 1")
    print(conditions(options.rounds, options.calls), flush=True)
    work = cases()
    return 0 if report(work, bench(work, options.rounds, options.calls)) else 1


def _cell(again: bool, figures: Sequence[float]) -> str:  # noqa: FBT001 - the answer that is printed
    middle = statistics.median(figures)
    return f"{'yes' if again else 'no':>7}{min(figures):9.2f}{middle:9.2f}{max(figures):9.2f}   "


if __name__ == "__main__":
    sys.exit(main())
