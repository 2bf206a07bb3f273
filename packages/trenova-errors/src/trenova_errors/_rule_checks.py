"""What is wrong with a rule, found where it is written and not when the failure it was meant for arrives."""

import builtins
import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from trenova_errors._codes import SYSTEMS
from trenova_errors._kinds import ErrorKind
from trenova_errors._types import ConfigurationError

_SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}")
_REDIRECTS: Final = frozenset(f"HTTP {status}" for status in range(300, 400))


def checked_name(name: Any) -> str:
    """Return the name of a rule.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(name, str) or not name:
        raise ConfigurationError(f"A Rule needs a name for logs and explain; got {name!r}.")
    return name


def checked_kind(of: str, kind: Any) -> ErrorKind:
    """Return a kind that may be written as its string.

    Args:
        of: What it belongs to, for the message.
        kind: What was given.

    Raises:
        ConfigurationError: There is no such kind.
    """
    try:
        return ErrorKind(kind)
    except ValueError:
        raise ConfigurationError(
            f"{of} has no kind of ours: {kind!r}. Use one of {', '.join(ErrorKind)}, or ErrorKind itself."
        ) from None


def checked_types(of: str, types: Any) -> tuple[type[BaseException] | str, ...]:
    """Return classes and qualified names; the bare name of a builtin exception is completed.

    Raises:
        ConfigurationError: It is no collection, or an item is neither a class of exceptions nor a qualified name.
    """
    if isinstance(types, (str, type)) or not isinstance(types, Iterable):
        raise ConfigurationError(f"{of} has types={_shown(types)}, which is no tuple. Write types=({_shown(types)},).")
    return tuple(_checked_type(of, item) for item in types)


def checked_codes(of: str, codes: Any) -> tuple[str, ...]:
    """Return codes, each of which an exception can carry.

    Raises:
        ConfigurationError: It is no collection, or an item is not spelled as ``Classification.source`` has it.
    """
    if isinstance(codes, str) or not isinstance(codes, Iterable):
        raise ConfigurationError(f"{of} has codes={codes!r}, which is no tuple. Write codes=({codes!r},).")
    given = tuple(codes)
    for code in given:
        if not isinstance(code, str) or not _carried(code):
            raise ConfigurationError(f"{of} has the code {code!r}, which no failure carries. {_meant(code)}")
    return given


def checked_delay(of: str, name: str, delay: Any) -> None:
    """Refuse what is no delay.

    Raises:
        ConfigurationError: It is no ``timedelta``, or a negative one.
    """
    if not isinstance(delay, timedelta):
        raise ConfigurationError(
            f"{of} has {name}={delay!r}, which is no timedelta. Write timedelta(seconds=...), from datetime."
        )
    if delay < timedelta(0):
        raise ConfigurationError(f"{of} has a negative {name}, {delay.total_seconds()} s. Use 0 s or more.")


def _checked_type(of: str, item: Any) -> type[BaseException] | str:
    if isinstance(item, type) and issubclass(item, BaseException):
        return item
    if not isinstance(item, str):
        raise ConfigurationError(f"{of} has {_shown(item)} among its types, which is no class of exceptions.")
    if "." in item.strip("."):
        return item
    found = getattr(builtins, item, None)
    if not (isinstance(found, type) and issubclass(found, BaseException)):
        raise ConfigurationError(
            f"{of} has the type {item!r} without its module. Write the qualified name, e.g. 'my_app.errors.{item}', "
            "or the class itself."
        )
    return f"builtins.{found.__name__}"


def _carried(code: str) -> bool:
    system, _, value = code.partition(" ")
    look_up = SYSTEMS.get(system)
    if look_up is None or (system == "SQLSTATE" and not _SQLSTATE.fullmatch(value)):
        return False
    canonical = not value.isdecimal() or system == "SQLSTATE" or str(int(value)) == value
    return (canonical and look_up(value) is not None) or code in _REDIRECTS


def _meant(code: Any) -> str:
    # The root stays light: what people may mean is looked up when something is wrong.
    from trenova_errors._explain_codes import SYSTEM_NAMES, code_named, codes_like

    system, _, value = str(code).strip().replace(".", " ", 1).partition(" ")
    named = code_named(SYSTEM_NAMES[system.lower()], value) if _is_system(system, SYSTEM_NAMES) and value else None
    found = [named] if named else codes_like(str(code))
    if found:
        return f"Write {' or '.join(repr(one.source) for one in found)}."
    return f"A code is its system and its value, as in 'SQLSTATE 23505' or 'HTTP 409'; systems: {', '.join(SYSTEMS)}."


def _is_system(name: str, names: dict[str, str]) -> bool:
    return names.get(name.lower()) in SYSTEMS


def _shown(item: Any) -> str:
    return item.__name__ if isinstance(item, type) else repr(item)
