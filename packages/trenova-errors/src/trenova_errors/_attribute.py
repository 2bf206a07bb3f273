"""What somebody else's exception carries, whatever it does when it is asked."""

from typing import Any


def attribute(owner: object, name: str) -> Any:
    """Return an attribute, or None where there is none or where asking for it fails.

    Properties of exceptions do fail: httpx raises ``RuntimeError`` for a request that it was not told, and a decision
    about a failure must not end in another one.

    Args:
        owner: Mostly an exception, or what hangs on it.
        name: The attribute.
    """
    try:
        return getattr(owner, name, None)
    except Exception:  # noqa: BLE001 - a property may raise anything, and then it says nothing
        return None


def answer(owner: object, name: str) -> Any:
    """Return what a method without arguments answers, or None where there is none or it fails.

    Args:
        owner: An exception of a library whose method of this name only reads.
        name: The method.
    """
    method = attribute(owner, name)
    try:
        return method() if callable(method) else None
    except Exception:  # noqa: BLE001 - as above
        return None


def entry(mapping: object, key: str) -> Any:
    """Return what a mapping, or headers that merely behave like one, has for a key; None without.

    Args:
        mapping: What was found where a mapping is expected.
        key: The key.
    """
    get = attribute(mapping, "get")
    try:
        return get(key) if callable(get) else None
    except Exception:  # noqa: BLE001 - as above
        return None
