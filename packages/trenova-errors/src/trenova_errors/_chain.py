"""What an exception was raised from, and what was being handled meanwhile."""

from collections.abc import Iterator
from typing import Final

from trenova_errors._attribute import attribute
from trenova_errors._type_decisions import is_bug, qualified_name

_LONGEST: Final = 100


def chain(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was raised from, outermost first; a cycle ends it, and so do 100 links.

    What was merely being handled when a ``TypeError`` or another mistake in code was raised did not cause it and is
    left out.
    """
    seen: set[int] = set()
    link: BaseException | None = exc
    while link is not None and id(link) not in seen and len(seen) < _LONGEST:
        yield link
        seen.add(id(link))
        link = _below(link)


def around(exc: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything that hangs on it, each once and 100 at most.

    Beside causes these are the members of groups and whatever was being handled, even where it did not cause anything
    or was hidden by ``from None``: it does not explain the failure, but what it left behind is still there.
    """
    seen: set[int] = set()
    waiting = [exc]
    while waiting and len(seen) < _LONGEST:
        link = waiting.pop(0)
        if id(link) not in seen:
            seen.add(id(link))
            yield link
            waiting += _hanging_on(link)


def _hanging_on(exc: BaseException) -> list[BaseException]:
    members = exc.exceptions[:_LONGEST] if isinstance(exc, BaseExceptionGroup) else ()
    named = (attribute(exc, "__cause__"), attribute(exc, "__context__"), attribute(exc, "orig"))
    return [one for one in (*named, *members) if isinstance(one, BaseException)]


def _below(exc: BaseException) -> BaseException | None:
    # "orig" is SQLAlchemy's, for errors that came out of a pickle without their cause.
    for below in (attribute(exc, "__cause__"), attribute(exc, "orig")):
        if isinstance(below, BaseException):
            return below
    suppressed = attribute(exc, "__suppress_context__") and not _hides_its_cause(type(exc))
    if suppressed or is_bug(type(exc)):
        return None
    context = attribute(exc, "__context__")
    return context if isinstance(context, BaseException) else None


def _hides_its_cause(cls: type) -> bool:
    """Whether a library raises its own errors again ``from None``, as the pool of httpcore (httpx) does with all."""
    return qualified_name(cls).startswith("httpcore.")
