"""One class per decision that a caller can take."""

from datetime import timedelta
from typing import Self
from uuid import UUID

from trenova_errors._base import ApplicationError, Fact
from trenova_errors._kinds import ErrorKind


class RetryableError(ApplicationError):
    """It failed this time; the same request may succeed later."""

    kind = ErrorKind.RETRYABLE


class ThrottledError(ApplicationError):
    """The other side asks for fewer requests; pass its delay as ``retry_after``."""

    kind = ErrorKind.THROTTLE


class UnavailableError(ApplicationError):
    """Something the work depends on cannot be reached or is not there yet."""

    kind = ErrorKind.UNAVAILABLE


class AmbiguousOutcomeError(ApplicationError):
    """A request was sent and nobody knows whether it took effect.

    Not retried, so that somebody looks first, unless ``idempotent`` says that doing it twice is the same
    as doing it once.
    """

    kind = ErrorKind.AMBIGUOUS

    def __init__(
        self,
        message: str,
        /,
        *,
        idempotent: bool = False,
        retry_after: timedelta | None = None,
        **facts: Fact,
    ) -> None:
        self.idempotent = idempotent
        super().__init__(message, retry_after=retry_after, **facts)

    @property
    def non_retryable(self) -> bool:
        """Whether the server must not try again."""
        return not self.idempotent


class NonRetryableError(ApplicationError):
    """It will fail every time, for a reason that none of the finer classes names."""

    kind = ErrorKind.NON_RETRYABLE


class InvalidInputError(ApplicationError):
    """The request itself is wrong; only the one who asked can put it right."""

    kind = ErrorKind.INVALID_INPUT


class ResourceNotFoundError(ApplicationError):
    """What the request names does not exist, or not for the one who asks."""

    kind = ErrorKind.RESOURCE_NOT_FOUND

    @classmethod
    def of(cls, resource_type: str, resource_id: str | int | UUID, /, **facts: Fact) -> Self:
        """Name what was looked for.

        Args:
            resource_type: What kind of thing, as people say it: ``shipment``.
            resource_id: The id that was asked for.
            facts: Where it was looked for, e.g. ``organization_id``; they become part of the message.
        """
        scope = "".join(f", {name} {value!r}" for name, value in facts.items())
        return cls(
            f"No {resource_type} with id {str(resource_id)!r}{scope}. Check the id and where it belongs.",
            retry_after=None,
            resource_type=resource_type,
            resource_id=str(resource_id),
            **facts,
        )


class PermissionDeniedError(ApplicationError):
    """The one who asks may not do this."""

    kind = ErrorKind.PERMISSION_DENIED


class DataIntegrityError(ApplicationError):
    """Stored data contradicts itself or a constraint; a retry meets the same data."""

    kind = ErrorKind.DATA_INTEGRITY


class ConflictError(ApplicationError):
    """The request contradicts what has already been done, e.g. the same key with other options."""

    kind = ErrorKind.CONFLICT


class ConfigurationError(ApplicationError):
    """The process was set up wrongly; an operator has to change a setting."""

    kind = ErrorKind.CONFIGURATION


class PayloadTooLargeError(ApplicationError):
    """An argument or a result is larger than Temporal or this process accepts."""

    kind = ErrorKind.PAYLOAD_TOO_LARGE
