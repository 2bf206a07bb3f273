"""One object for a server: who asks, may they, and the wrapping of its application."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp

from trenova_access._audit import AuditEvent, AuditHook, bounded, count, count_refusal
from trenova_access._audit_log import AuditLog
from trenova_access._callers import Callers
from trenova_access._csrf import CsrfTokens
from trenova_access._errors import (
    AccessConfigurationError,
    AccessError,
    CsrfError,
    NotPermittedError,
)
from trenova_access._guard import Guard
from trenova_access._limits import Limits
from trenova_access._oidc_options import OidcOptions
from trenova_access._options import AccessOptions
from trenova_access._principal import Principal, Roles
from trenova_access._record import RequestRecord, ResourceOf, bounded_reason, no_resource, reason_of
from trenova_access._recorder import Recorder
from trenova_access._sign_in import SignIn
from trenova_access._tokens import TokenVerifier

if TYPE_CHECKING:
    from trenova_access._oidc import OidcSignIn

ALLOWED_HEADERS = ("authorization", "authorization-extras", "content-type", "x-namespace")
"""Request headers that a browser may send from another origin: what the Temporal UI sends to a codec server."""

CSRF_HEADER = "X-CSRF-Token"
"""Where a page's script puts the token of :meth:`Access.csrf_token`."""
CSRF_FIELD = "csrf_token"
"""Where a page's form puts it."""


class Access:
    """Who may call one server.

    Args:
        options: Who is let in.
        roles: The roles that the server knows.
        audit: Receives every decision and every refusal; the default is an :class:`AuditLog`.
        sign_in: In place of one made from ``options.sign_in``.
        verifier: In place of one made from ``options.tokens``.

    Attributes:
        sign_in: Of people and programs of this machine; None where there is none.
        oidc: Of people whom a provider signs in; None where there is none.

    Raises:
        AccessConfigurationError: The options give out a role that the server does not know, or OIDC lacks its extra
            or its secret.
    """

    def __init__(
        self,
        options: AccessOptions,
        roles: Roles,
        *,
        audit: AuditHook | None = None,
        sign_in: SignIn | None = None,
        verifier: TokenVerifier | None = None,
    ) -> None:
        if unknown := sorted(role for role in options.roles_named if role not in roles):
            raise AccessConfigurationError(
                f"The options give out the role {unknown[0]!r}, which this server does not know; it knows "
                f"{', '.join(roles.names)}."
            )
        self.options = options
        self.roles = roles
        self.sign_in = sign_in or (SignIn(options.sign_in) if options.sign_in else None)
        self.oidc = _oidc(options.oidc) if options.oidc else None
        self._callers = Callers(options, self.sign_in, self.oidc, verifier)
        self._audit = audit or AuditLog(options.audit)
        self._csrf = CsrfTokens()

    def protect(self, app: ASGIApp, *, resource_of: ResourceOf = no_resource) -> ASGIApp:
        """Wrap an application in what holds for every request: audited refusals, CORS, Host, Origin, limits.

        CORS stands outside of the checks, so that a page of an allowed origin can also read why it was refused.
        Give Starlette ``exception_handlers={AccessError: refuse}``, which answers what its routes raise. Every
        answer from 400 to 500 is a refusal, and so is every :class:`AccessError`; each request's is told once.

        Args:
            app: What to wrap.
            resource_of: What a request claims to be about, for the audit event of one that is refused before a
                route asked for a role there. It must not raise.
        """
        guarded = Guard(Limits(app, self.options.limits), self.options)
        crossing = CORSMiddleware(
            guarded,
            allow_origins=self.options.origins,
            allow_methods=("GET", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=ALLOWED_HEADERS,
            allow_credentials=True,
            allow_private_network=True,
        )
        return Recorder(crossing, self._tell, self._end, resource_of)

    async def authenticate(self, connection: HTTPConnection) -> Principal:
        """Who asks: by the Authorization header if there is one, otherwise by the session's cookie.

        Raises:
            NotSignedInError: Nothing proves it; :class:`TokenRefusedError` says what is wrong with a token.
            ForeignRequestError: A cookie comes with a call that changes something and with no Origin of ours.
            KeySetUnavailableError: A token cannot be verified at the moment.
        """
        return await self._callers.authenticate(connection)

    def csrf_token(self, connection: HTTPConnection) -> str:
        """A token for the forms of a page, another one in each answer; it ends with the caller's session.

        Where nobody has to sign in it is good for as long as the process runs.
        """
        return self._csrf.token(self._callers.session_cookies(connection))

    def require_csrf(self, connection: HTTPConnection, given: str | None) -> None:
        """Refuse a form that no page of this session has sent.

        Whoever sends an Authorization header needs no token: no page of another site can make a browser do so.

        Args:
            connection: The request, which changes something.
            given: What came in the header :data:`CSRF_HEADER` or the field :data:`CSRF_FIELD`.

        Raises:
            CsrfError: It is missing, or was made for another session or by another process.
        """
        if "authorization" in connection.headers:
            return
        if given and self._csrf.holds(self._callers.session_cookies(connection), given):
            return
        reason = "csrf_wrong" if given else "csrf_missing"
        self.refused(connection, CsrfError.code, reason)
        raise CsrfError(
            "Nothing was changed: the page is older than your session or than the server's last start, or the request "
            "did not come from a page of this server. Reload the page and try again.",
            reason=reason,
        )

    async def require(self, connection: HTTPConnection, resource: str, role: str) -> Principal:
        """Who asks, if they have ``role`` on ``resource``; every decision is audited.

        Raises:
            NotPermittedError: They have not.
            AccessError: As :meth:`authenticate`.
        """
        return await self._decide(connection, role, resource, lambda who: self.roles.permits(who, resource, role))

    async def require_anybody(self, connection: HTTPConnection, action: str) -> Principal:
        """Who asks, whatever their roles; every decision is audited under ``action``."""
        return await self._decide(connection, action, "", lambda _: True)

    def audit(self, connection: HTTPConnection, event: AuditEvent) -> None:
        """Count a decision and hand it to the hook, with the client's address; a refusal is this request's."""
        count(event)
        if event.outcome == "allowed":
            RequestRecord.begin(connection.scope, self._tell).known = event
            self._hand_on(connection, event)
        else:
            self._tell(connection, event)

    def refused(self, connection: HTTPConnection, outcome: str, reason: str, *, audited: bool = False) -> None:
        """Tell that a request is refused for what no decision about its caller said; once for each request.

        Args:
            connection: The request; who asks for what is taken from the last decision that let it through.
            outcome: The code of the refusal; a word of the program.
            reason: The same or a finer one, of a bounded set: lower case letters, digits, ``_`` and ``.``.
            audited: The application wrote a line of its own, so it is only counted.
        """
        record = RequestRecord.begin(connection.scope, self._tell)
        if audited and not record.refused:
            record.refused = True
            count_refusal(outcome, bounded_reason(reason))
        else:
            record.refuse(connection, outcome, reason)

    def over_time(self, connection: HTTPConnection) -> bool:
        """Whether it is the limit of time that cancels this request, for a route with an audit line of its own."""
        record = RequestRecord.of(connection.scope)
        return record is not None and record.limit is not None and record.limit.expired()

    def _tell(self, connection: HTTPConnection, event: AuditEvent) -> None:
        record = RequestRecord.begin(connection.scope, self._tell)
        event = replace(
            event,
            resource=event.resource or record.resource_of(connection),
            reason=bounded_reason(event.reason or event.outcome.rpartition(".")[2]),
        )
        if not record.refused:
            count_refusal(event.outcome, event.reason)
        record.refused = True
        self._hand_on(connection, event)

    def _hand_on(self, connection: HTTPConnection, event: AuditEvent) -> None:
        client = connection.client.host if connection.client else ""
        self._audit(replace(bounded(event), client=client))

    def _end(self) -> None:
        if isinstance(self._audit, AuditLog):
            self._audit.flush()

    async def _decide(
        self, connection: HTTPConnection, action: str, resource: str, permits: Callable[[Principal], bool]
    ) -> Principal:
        principal = None
        try:
            principal = await self.authenticate(connection)
            if not permits(principal):
                raise NotPermittedError(
                    f"{principal.subject!r} does not have the role {action!r} on {resource!r}.", reason="role"
                )
        except AccessError as error:
            self.audit(connection, _event(action, resource, principal, error))
            raise
        self.audit(connection, _event(action, resource, principal))
        return principal


def _oidc(options: OidcOptions) -> "OidcSignIn":
    try:
        from trenova_access._oidc import OidcSignIn
    except ModuleNotFoundError as error:
        raise AccessConfigurationError(
            f'OIDC needs its extra: uv pip install "trenova-access[oidc]" ({error.name} is missing).'
        ) from None
    return OidcSignIn(options)


def _event(action: str, resource: str, who: Principal | None, error: AccessError | None = None) -> AuditEvent:
    return AuditEvent(
        action=action,
        resource=resource,
        outcome=error.code if error else "allowed",
        subject=who.subject if who else "",
        method=who.method if who else "",
        reason=bounded_reason(reason_of(error)) if error else "",
    )
