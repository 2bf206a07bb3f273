"""Who may call an HTTP server: JWTs against JWKS, sign-in on loopback, Host and Origin checks, roles per resource.

For ASGI applications made with Starlette. One :class:`Access` per server: ``protect`` wraps the application,
``require`` is asked in each route, ``sign_in_routes`` stand beside them.
"""

from trenova_access._access import ALLOWED_HEADERS, CSRF_FIELD, CSRF_HEADER, Access
from trenova_access._answers import refusal, refuse
from trenova_access._api_tokens import ApiTokens, api_token_digest, new_api_token
from trenova_access._audit import AUDIT_LOGGER, AuditEvent, AuditHook, log_audit
from trenova_access._audit_log import AuditLog
from trenova_access._claims import PermissionClaim, ValueClaim
from trenova_access._errors import (
    AccessConfigurationError,
    AccessError,
    BodyTooLargeError,
    CsrfError,
    ForeignRequestError,
    KeySetUnavailableError,
    NotPermittedError,
    NotSignedInError,
    OidcRefusedError,
    OidcUnavailableError,
    TokenRefusedError,
    TooBusyError,
    TooSlowError,
)
from trenova_access._hosts import is_loopback, require_safe_bind
from trenova_access._key_set import KeySet
from trenova_access._next import SIGN_IN_PATH, sign_in_path
from trenova_access._oidc_options import OidcOptions
from trenova_access._options import (
    AccessOptions,
    ApiTokenOptions,
    AuditOptions,
    LimitOptions,
    SignInOptions,
)
from trenova_access._pages import sign_in_link, sign_in_routes
from trenova_access._principal import EVERYWHERE, Grant, Principal, Roles
from trenova_access._private_file import write_private
from trenova_access._sign_in import SignIn
from trenova_access._token_options import KeySetOptions, TokenOptions
from trenova_access._tokens import TokenVerifier

__all__ = [
    "ALLOWED_HEADERS",
    "AUDIT_LOGGER",
    "CSRF_FIELD",
    "CSRF_HEADER",
    "EVERYWHERE",
    "SIGN_IN_PATH",
    "Access",
    "AccessConfigurationError",
    "AccessError",
    "AccessOptions",
    "ApiTokenOptions",
    "ApiTokens",
    "AuditEvent",
    "AuditHook",
    "AuditLog",
    "AuditOptions",
    "BodyTooLargeError",
    "CsrfError",
    "ForeignRequestError",
    "Grant",
    "KeySet",
    "KeySetOptions",
    "KeySetUnavailableError",
    "LimitOptions",
    "NotPermittedError",
    "NotSignedInError",
    "OidcOptions",
    "OidcRefusedError",
    "OidcUnavailableError",
    "PermissionClaim",
    "Principal",
    "Roles",
    "SignIn",
    "SignInOptions",
    "TokenOptions",
    "TokenRefusedError",
    "TokenVerifier",
    "TooBusyError",
    "TooSlowError",
    "ValueClaim",
    "api_token_digest",
    "is_loopback",
    "log_audit",
    "new_api_token",
    "refusal",
    "refuse",
    "require_safe_bind",
    "sign_in_link",
    "sign_in_path",
    "sign_in_routes",
    "write_private",
]
