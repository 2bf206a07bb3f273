"""What only a failure converter gets to see: a failure that came past no interceptor, but ends a run or an update.

The SDK decodes the arguments of a run and of an update before it asks an interceptor. The interceptor of a run and
the failure converter meet in the payload converter, of which each run has one of its own.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from trenova_errors._evidence import chain_of
from trenova_errors._failure_log import mark, marked
from trenova_errors._types import InvalidInputError

_REPORTER: Final = "__trenova_reporter__"


def report_to(payload_converter: Any, reporter: Callable[[InvalidInputError], None]) -> None:
    """Have input that is refused before an interceptor sees it told to ``reporter``."""
    with suppress(AttributeError):  # one with slots: no line, as without this
        setattr(payload_converter, _REPORTER, reporter)


def report(raised: BaseException, shown: BaseException, payload_converter: Any) -> None:
    """Tell of an input error that has had no line; what caused one that has had its line needs none either."""
    if marked(raised) or marked(shown):
        for link in chain_of(shown):
            mark(link)
    elif isinstance(shown, InvalidInputError):
        reporter = getattr(payload_converter, _REPORTER, None)
        if reporter is not None:
            mark(shown)
            reporter(shown)
