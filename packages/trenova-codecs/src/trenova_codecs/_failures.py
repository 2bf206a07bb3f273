"""Failures whose text goes through the codec, and which do not end what only waits for a key."""

import inspect
from functools import cache
from typing import Any

import temporalio.exceptions
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DefaultFailureConverter, FailureConverter, PayloadConverter

from trenova_codecs._errors import CodecError
from trenova_errors import ConfigurationError

_OPTION = "encode_common_attributes"


class EncodedAttributesFailureConverter(DefaultFailureConverter):
    """Mixed in before a failure converter: message and stack trace become a payload, the type stays in clear."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, _OPTION: True})


class WaitingFailureConverter(FailureConverter):
    """Mixed in before a failure converter: an activity that cannot be decoded waits.

    The SDK wraps what happened in an error of its own, which for heartbeat details is not retryable: an activity
    that is tried again by a worker without the key would end, and mostly its run with it. The codec's error, which is
    retryable on a worker and says when, takes its place.
    """

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """See base class."""
        super().to_failure(_unwrapped(exception), payload_converter, failure)  # type: ignore[safe-super]


@cache
def waiting(base: type[FailureConverter]) -> type[FailureConverter]:
    """Return a subclass of the converter in use that lets activities wait; ``base`` if it does."""
    if issubclass(base, WaitingFailureConverter):
        return base
    return type(f"Waiting{base.__name__}", (WaitingFailureConverter, base), {"__doc__": base.__doc__})


def _unwrapped(exception: BaseException) -> BaseException:
    wraps = type(exception) is temporalio.exceptions.ApplicationError and exception.type is None
    cause = exception.__cause__
    return cause if wraps and isinstance(cause, CodecError) else exception


@cache
def encoding(base: type[FailureConverter]) -> type[FailureConverter]:
    """Return a subclass of the converter in use that encodes messages and stack traces; ``base`` if it does.

    Raises:
        ConfigurationError: The converter is not built on the SDK's, so that it cannot be told to.
    """
    if issubclass(base, DefaultFailureConverter) and _encodes(base):
        return base
    if not issubclass(base, DefaultFailureConverter) or _OPTION not in inspect.signature(base).parameters:
        raise ConfigurationError(
            f"The failure converter {base.__name__} cannot be told to encode messages and stack traces. Derive it from "
            "temporalio.converter.DefaultFailureConverterWithEncodedAttributes, or set CodecOptions(failures=False).",
            option="failures",
        )
    name = f"Encoding{base.__name__}"
    return type(name, (EncodedAttributesFailureConverter, base), {"__doc__": base.__doc__})


def _encodes(base: type[DefaultFailureConverter]) -> bool:
    """Ask an instance, for a converter may set it in whatever way it likes."""
    return bool(getattr(base(), "_encode_common_attributes", False))
