"""Payloads of pydantic models: what does not validate is the caller's error, and permanent.

Needs the extra ``[pydantic]``. ``ErrorsPlugin`` sets the converter; derive your own from it, or set it as
``DataConverter(payload_converter_class=InputPayloadConverter)`` where there is no plugin.
"""

import copyreg
from abc import ABCMeta
from collections.abc import Sequence
from functools import cache
from types import new_class
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.dataclasses import is_pydantic_dataclass
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import DefaultPayloadConverter, PayloadConverter

from trenova_errors._types import InvalidInputError
from trenova_errors._validation import VALIDATION_ERRORS, describe

__all__ = ["InputPayloadConverter"]

_JSON = b"json/plain"


class InvalidPayloadError(InvalidInputError):
    """A payload is not what its receiver declares."""

    code = "payload"


class InputPayloadConverter(PydanticPayloadConverter):
    """Pydantic's converter, with ``InvalidInputError`` for what does not validate.

    The message lists ``field.path: message`` under the names on the wire and repeats no value. A payload
    that is no JSON, or that is null or bytes where a model is expected, is refused in the same way. A
    payload whose encoding is unknown stays an ordinary, retryable error, since it means that this process
    lacks a codec.
    """

    def from_payloads(self, payloads: Sequence[Payload], type_hints: list[type] | None = None) -> list[Any]:
        """Decode payloads.

        Raises:
            InvalidInputError: One of them is not what its type hint says.
            KeyError: The encoding of one is unknown.
        """
        hints = type_hints or []
        values = []
        for index, payload in enumerate(payloads):
            hint = hints[index] if index < len(hints) else None
            value, problem = self._decode(payload, hint)
            if problem is not None:
                argument = f"argument {index + 1}: " if len(payloads) > 1 else ""
                raise InvalidPayloadError(f"{argument}{problem}")
            values.append(value)
        return values

    def _decode(self, payload: Payload, hint: Any) -> tuple[Any, str | None]:
        """Return the value and None, or what is wrong; raising elsewhere keeps pydantic's error out of it."""
        plain = payload.metadata.get("encoding") in self.converters and hint is not RawValue
        try:
            [value] = super().from_payloads([payload], None if hint is None else [hint])
            if plain and payload.metadata["encoding"] != _JSON and _expects_model(hint):
                value = TypeAdapter(hint).validate_python(value)
        except Exception as error:
            problem = _problem(error, payload, model_expected=plain and _expects_model(hint))
            if problem is None:
                raise
            return None, problem
        return value, None


def _problem(error: Exception, payload: Payload, *, model_expected: bool) -> str | None:
    for candidate in (error, error.__cause__):
        if isinstance(candidate, VALIDATION_ERRORS):
            return describe(candidate)
    if model_expected and isinstance(error, RuntimeError):
        return f"Input does not match its encoding {payload.metadata['encoding'].decode()!r}"
    return None


def _expects_model(hint: Any) -> bool:
    if isinstance(hint, type) and (issubclass(hint, BaseModel) or is_pydantic_dataclass(hint)):
        return True
    return any(_expects_model(argument) for argument in get_args(hint))


class _Derived(ABCMeta):
    """The class of the classes that ``refusing`` makes, so that pickle can be told how to make them again."""


@cache
def refusing(base: type[PayloadConverter]) -> type[PayloadConverter]:
    """Return the converter class to use in place of ``base``: itself, unless it is the default or pydantic's.

    A subclass of pydantic's converter keeps its own options and methods.
    """
    if base in (DefaultPayloadConverter, PydanticPayloadConverter):
        return InputPayloadConverter
    if not issubclass(base, PydanticPayloadConverter) or issubclass(base, InputPayloadConverter):
        return base
    return new_class(f"Input{base.__name__}", (InputPayloadConverter, base), {"metaclass": _Derived})


def _made_again(cls: type) -> tuple[Any, ...]:
    return refusing, (cls.__bases__[1],)


# Activities in a process pool are sent the class of their converter.
copyreg.pickle(_Derived, _made_again)
