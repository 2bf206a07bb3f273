"""Whether what a caller sent fits the function that is to be called with it.

The SDK calls with whatever came, so that a missing argument is a ``TypeError`` inside the workflow task,
which is retried for ever. It also drops all type hints when the numbers of arguments and parameters differ,
so that a call which leaves out an argument with a default hands over plain dictionaries.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, get_type_hints

from temporalio.converter import PayloadConverter

from trenova_errors._types import InvalidInputError

_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class ArgumentCountError(InvalidInputError):
    """A call brings too few or too many arguments."""

    code = "argument_count"


def fit(
    fn: Callable[..., Any],
    args: Sequence[Any],
    converter: Callable[[], PayloadConverter],
    *,
    subject: str,
    unbound: bool = False,
) -> Sequence[Any]:
    """Return the arguments to call ``fn`` with.

    Args:
        fn: What is to be called.
        args: What the SDK decoded.
        converter: Gives the converter in use; called only if arguments were decoded without their types.
        subject: What is called, for the message, e.g. ``Activity 'duplicate'``.
        unbound: Whether the first parameter is ``self`` and no argument of the caller.

    Raises:
        InvalidInputError: The number of arguments does not fit, or one that was decoded without its type
            does not validate.
    """
    parameters = list(inspect.signature(fn).parameters.values())[1 if unbound else 0 :]
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    required = sum(parameter.default is parameter.empty for parameter in positional)
    variadic = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in parameters)
    if len(args) < required or (len(args) > len(positional) and not variadic):
        raise _count_error(subject, positional, required, len(args), variadic=variadic)
    if not args or variadic or len(args) == len(positional):
        return args
    hints = _hints(fn)
    types = [hints.get(parameter.name) for parameter in positional]
    if None in types:
        return args
    payloads = converter()
    return payloads.from_payloads(payloads.to_payloads(args), types[: len(args)])  # type: ignore[arg-type]


def _hints(fn: Callable[..., Any]) -> dict[str, Any]:
    fn = inspect.unwrap(fn)
    while isinstance(fn, functools.partial):
        fn = inspect.unwrap(fn.func)
    return get_type_hints(fn if inspect.isroutine(fn) else type(fn).__call__)


def _count_error(
    subject: str, positional: Sequence[inspect.Parameter], required: int, given: int, *, variadic: bool
) -> ArgumentCountError:
    most = "any number of" if variadic else str(len(positional))
    number = most if required == len(positional) and not variadic else f"{required} to {most}"
    names = ", ".join(parameter.name for parameter in positional)
    noun = "argument" if number == "1" else "arguments"
    listed = f" ({names})" if names else ""
    return ArgumentCountError(
        f"{subject} takes {number} {noun}{listed}, got {given}. Send the arguments it names, in that order.",
        given=given,
        required=required,
    )
