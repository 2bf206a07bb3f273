"""What every step of start.py does: tell how long it took, wait with a limit, stop at what is not as it should be."""
# ruff: noqa: INP001, T201 (a part of start.py, a program that says what it found)

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Found(Exception):  # noqa: N818 (what is found is no fault of this program)
    """The image does not do what it should."""


def wait_until(timeout_s: float, look: Callable[[], Any]) -> Any:
    """Return the first result that is true.

    Raises:
        Found: There was none in time.
    """
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if result := look():
            return result
        time.sleep(0.1)
    raise Found(f"gave no answer within {timeout_s} s.")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Say how long a step took."""
    began = time.monotonic()
    yield
    print(f"  {what} ({time.monotonic() - began:.1f} s)", flush=True)


def expect(what: str, found: object, wanted: object) -> None:
    """Go on only if both are the same.

    Raises:
        Found: They differ.
    """
    if found != wanted:
        raise Found(f"{what} is {found!r}, wanted {wanted!r}.")
