"""Who asks: by a token, by the server's own key, or by the cookie of a session."""

from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection

from trenova_access._api_tokens import PREFIX, ApiTokens
from trenova_access._errors import NotSignedInError
from trenova_access._guard import require_own_origin
from trenova_access._next import SIGN_IN_PATH
from trenova_access._options import AccessOptions
from trenova_access._principal import Principal
from trenova_access._sign_in import SignIn
from trenova_access._tokens import TokenVerifier

if TYPE_CHECKING:
    from trenova_access._oidc import OidcSignIn


class Callers:
    """Everybody whom one server knows, by whatever they prove it."""

    def __init__(
        self,
        options: AccessOptions,
        sign_in: SignIn | None,
        oidc: "OidcSignIn | None",
        verifier: TokenVerifier | None = None,
    ) -> None:
        self._options = options
        self._sign_in = sign_in
        self._oidc = oidc
        self._verifier = verifier or (TokenVerifier(options.tokens) if options.tokens else None)
        self._api_tokens = ApiTokens(options.api_tokens) if options.api_tokens else None

    async def authenticate(self, connection: HTTPConnection) -> Principal:
        """Who asks; raises as :meth:`trenova_access.Access.authenticate`."""
        given = connection.headers.getlist("authorization")
        if given:
            return await self._by_bearer(given)
        if any(self.session_cookies(connection)):
            if connection.scope.get("method") not in ("GET", "HEAD"):
                require_own_origin(connection, self._options, needed=True)
            if principal := self._by_session(connection):
                return principal
            raise NotSignedInError(self._how(), reason="session")
        raise NotSignedInError(self._how(), reason="no_credential")

    def session_cookies(self, connection: HTTPConnection) -> list[str]:
        """The values of the cookies of sessions, empty where there is none."""
        kinds = [kind for kind in (self._oidc, self._sign_in) if kind]
        return [connection.cookies.get(kind.options.cookie, "") for kind in kinds]

    def _by_session(self, connection: HTTPConnection) -> Principal | None:
        if self._oidc and (who := self._oidc.sessions.use(connection.cookies.get(self._oidc.options.cookie, ""))):
            return who
        if self._sign_in:
            return self._sign_in.by_session(connection.cookies.get(self._sign_in.options.cookie, ""))
        return None

    async def _by_bearer(self, given: list[str]) -> Principal:
        scheme, _, token = given[0].partition(" ")
        if len(given) > 1 or scheme.lower() != "bearer" or not token.strip():
            raise NotSignedInError(
                "The Authorization header must be one, of the form `Bearer <token>`.", reason="authorization_header"
            )
        if self._sign_in and (principal := self._sign_in.by_key(token.strip())):
            return principal
        if self._api_tokens and token.strip().startswith(PREFIX):
            return self._api_tokens.verify(token.strip())
        if self._verifier:
            return await self._verifier.verify(token.strip())
        known = "this server's key" if self._sign_in else "an API token of this server"
        raise NotSignedInError(f"The bearer token is not {known}.", reason="wrong_key")

    def _how(self) -> str:
        if self._sign_in:
            return "Not signed in. Open the sign-in link that the server printed, or send its key as a bearer token."
        if self._oidc:
            return (
                f"Not signed in. Open {SIGN_IN_PATH} in a browser, or send a token as `Authorization: Bearer <token>`."
            )
        if self._verifier is None:
            return "Not signed in. Send an API token as `Authorization: Bearer <token>`."
        return "Not signed in. Send a token of the issuer as `Authorization: Bearer <token>`."
