"""The closed set of failure types that travel on the wire."""

from enum import StrEnum


class ErrorKind(StrEnum):
    """The ``type`` of a Temporal application failure.

    Callers in every language match on these strings; the set is only ever added to, and a string never
    changes its retryability.
    """

    RETRYABLE = "retryable"
    NON_RETRYABLE = "non_retryable"
    THROTTLE = "throttle"
    INVALID_INPUT = "invalid_input"
    RESOURCE_NOT_FOUND = "resource_not_found"
    PERMISSION_DENIED = "permission_denied"
    DATA_INTEGRITY = "data_integrity"
    CONFLICT = "conflict"
    AMBIGUOUS = "ambiguous"
    UNAVAILABLE = "unavailable"
    CONFIGURATION = "configuration"
    PAYLOAD_TOO_LARGE = "payload_too_large"

    @property
    def permanent(self) -> bool:
        """Whether the string alone says that a retry is pointless.

        False for ``ambiguous``, which goes by the non-retryable flag of each failure.
        """
        return self in _PERMANENT

    @property
    def caused_by_user(self) -> bool:
        """Whether the one who asked can put it right.

        Such errors have Temporal's category ``BENIGN``: the SDK logs them at DEBUG and counts no failure.
        """
        return self in _CAUSED_BY_USER


_PERMANENT = frozenset(
    {
        ErrorKind.NON_RETRYABLE,
        ErrorKind.INVALID_INPUT,
        ErrorKind.RESOURCE_NOT_FOUND,
        ErrorKind.PERMISSION_DENIED,
        ErrorKind.DATA_INTEGRITY,
        ErrorKind.CONFLICT,
        ErrorKind.CONFIGURATION,
        ErrorKind.PAYLOAD_TOO_LARGE,
    }
)
_CAUSED_BY_USER = frozenset(
    {
        ErrorKind.INVALID_INPUT,
        ErrorKind.RESOURCE_NOT_FOUND,
        ErrorKind.PERMISSION_DENIED,
        ErrorKind.CONFLICT,
    }
)

PERMANENT_KINDS: tuple[str, ...] = tuple(kind.value for kind in ErrorKind if kind.permanent)
"""For ``RetryPolicy(non_retryable_error_types=...)``, in this and in other languages."""
