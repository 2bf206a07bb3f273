"""Why a request is refused: one class per decision that its caller can take.

This package stands beside ``trenova_errors`` and does not import it: these errors become HTTP answers and
never reach a workflow.
"""

from typing import Any, ClassVar


class AccessConfigurationError(ValueError):
    """A server was told to open itself in a way that is not safe; the message says what to give it."""


class AccessError(Exception):
    """A request is refused. ``str(error)`` is meant for the caller and never holds a credential.

    Attributes:
        status: HTTP status of the answer.
        code: Stable, finer name of the reason, also the label of metrics.
        facts: What was there, for logs; bounded, never a credential.
    """

    status: ClassVar[int] = 403
    code: str = "access.refused"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.facts = facts


class NotSignedInError(AccessError):
    """The request carries no credential that is accepted: sign in, or send a token."""

    status = 401
    code = "access.not_signed_in"


class TokenRefusedError(NotSignedInError):
    """The bearer token does not prove anything here; ``facts["reason"]`` is one of a few words."""

    code = "access.token_refused"


class OidcRefusedError(NotSignedInError):
    """A sign-in at the provider came to nothing here; ``facts["reason"]`` is one of a few words."""

    code = "access.oidc_refused"


class OidcUnavailableError(AccessError):
    """The provider cannot be asked, or what it says of itself cannot be used: try again, and see the server's log."""

    status = 503
    code = "access.oidc_unavailable"


class NotPermittedError(AccessError):
    """It is known who asks, and they may not do this: ask whoever gives out roles."""

    code = "access.not_permitted"


class ForeignRequestError(AccessError):
    """The Host or the Origin is not one that this server answers to (DNS rebinding, another site's page)."""

    code = "access.foreign_request"


class CsrfError(AccessError):
    """A page's form brings no token, or one of another session: reload the page."""

    code = "access.csrf"


class BodyTooLargeError(AccessError):
    """The request's body is larger than the server reads; send less at once."""

    status = 413
    code = "access.body_too_large"


class TooSlowError(AccessError):
    """The request was not over in time."""

    status = 408
    code = "access.too_slow"


class TooBusyError(AccessError):
    """As many requests as the server takes are being answered; try again in a second."""

    status = 503
    code = "access.too_busy"


class KeySetUnavailableError(AccessError):
    """The issuer's keys could not be fetched and none that would do are held; try again."""

    status = 503
    code = "access.key_set_unavailable"
