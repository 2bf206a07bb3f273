"""With what a program of this package ends after an error."""

from typing import Final

from trenova_errors import ApplicationError, ErrorKind

REFUSED: Final = 2
"""Something that was asked for or is needed is not there or not allowed; nothing was done."""
FAILED: Final = 1
"""It was tried, and failed or left something."""

_REFUSALS: Final = {
    ErrorKind.CONFIGURATION,
    ErrorKind.CONFLICT,
    ErrorKind.INVALID_INPUT,
    ErrorKind.PERMISSION_DENIED,
    ErrorKind.RESOURCE_NOT_FOUND,
}


def exit_status(error: ApplicationError) -> int:
    """Return :data:`REFUSED` or :data:`FAILED`, by the kind of the error."""
    return REFUSED if error.type in _REFUSALS else FAILED
