"""A server's options from a YAML file, environment variables and flags; what comes later wins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from trenova_access.serving import gathered
from trenova_errors import ConfigurationError
from trenova_schedules.server._options import ServeOptions

PREFIX: Final = "TRENOVA_SCHEDULES_SERVER_"
"""Of variables: ``TRENOVA_SCHEDULES_SERVER_ACCESS__TOKENS__ISSUER`` is ``access.tokens.issuer``."""
CONFIG: Final = "TRENOVA_SCHEDULES_SERVER_CONFIG"
"""Where the file is; it cannot say so itself."""


def load_options(file: Path | None, environ: Mapping[str, str], flags: Mapping[str, Any]) -> ServeOptions:
    """Return the options in force.

    Args:
        file: YAML with the fields of :class:`ServeOptions`.
        environ: Variables that begin with ``TRENOVA_SCHEDULES_SERVER_``; ``__`` leads into a field, and a value that
            begins with ``[`` or ``{`` is JSON.
        flags: Dotted names of fields; None is not given.

    Raises:
        ConfigurationError: The file cannot be read, or a value is not allowed; the message names the field and never
            shows its value.
    """
    # Access is either what was told, or the default with its sign-in.
    defaults = {"access": ServeOptions().access.model_dump(exclude_unset=True)}
    told = gathered(file, environ, flags, prefix=PREFIX, defaults=defaults)
    try:
        return ServeOptions.model_validate(told)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False)
        said = " ".join(
            f"{'.'.join(map(str, one['loc'])) or 'together'}: {one['msg'].removeprefix('Value error, ').rstrip('.')}."
            for one in faults
        )
        raise ConfigurationError(f"The server's options are wrong. {said}") from None
