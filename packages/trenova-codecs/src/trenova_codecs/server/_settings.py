"""A server's options from a YAML file, environment variables and flags; what comes later wins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from trenova_access.serving import gathered
from trenova_codecs._option_faults import fault
from trenova_codecs.server._options import ServeOptions
from trenova_errors import ConfigurationError

PREFIX: Final = "TRENOVA_CODEC_SERVER_"
"""Of environment variables: ``TRENOVA_CODEC_SERVER_ACCESS__TOKENS__ISSUER`` is ``access.tokens.issuer``."""
CONFIG: Final = "TRENOVA_CODEC_SERVER_CONFIG"
"""Where the file is; it cannot say so itself."""


def load_options(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> ServeOptions:
    """Return the options in force.

    Args:
        file: YAML with the fields of :class:`ServeOptions`.
        environ: Variables that begin with ``TRENOVA_CODEC_SERVER_``, without ``TRENOVA_CODEC_SERVER_CONFIG``, which
            is the command's; ``__`` leads into a field, and a value that begins with ``[`` or ``{`` is JSON.
        flags: Dotted names of fields; None is not given.

    Raises:
        ConfigurationError: The file cannot be read, or a value is not allowed; the message names the field
            and never shows its value.
    """
    # Access is either what was told, or the default with its sign-in.
    defaults = {"access": ServeOptions().access.model_dump(exclude_unset=True)}
    told = gathered(file, environ, flags, prefix=PREFIX, defaults=defaults)
    try:
        return ServeOptions.model_validate(told)
    except ValidationError as error:
        raise ConfigurationError(f"The codec server's options are wrong. {_said(error, environ)}") from None


def _said(error: ValidationError, environ: Mapping[str, str]) -> str:
    faults = error.errors(include_url=False, include_input=False)
    return " ".join(f"{_where(one, environ)}: {fault(ServeOptions, one).rstrip('.')}." for one in faults)


def _where(one: ErrorDetails, environ: Mapping[str, str]) -> str:
    """Name the option, and the variable that it is from; flags name theirs themselves."""
    path = [str(part) for part in one["loc"]]
    if not path:
        return "together"
    depths = (PREFIX + "__".join(path[:depth]) for depth in range(len(path), 0, -1))
    told = {name.upper(): name for name in environ if name.startswith(PREFIX) and name != CONFIG}
    variable = next((told[name.upper()] for name in depths if name.upper() in told), None)
    return ".".join(path) + (f" ({variable})" if variable else "")
