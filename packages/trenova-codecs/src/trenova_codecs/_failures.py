"""Failures whose text goes through the codec."""

import inspect
from functools import cache
from typing import Any

from temporalio.converter import DefaultFailureConverter, FailureConverter

from trenova_errors import ConfigurationError

_OPTION = "encode_common_attributes"


class EncodedAttributesFailureConverter(DefaultFailureConverter):
    """Mixed in before a failure converter: message and stack trace become a payload, the type stays in clear."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, _OPTION: True})


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
