"""Sign-in by an OpenID Connect provider: its beginning, its end, and the sessions in between."""

from collections.abc import Mapping
from dataclasses import dataclass

from trenova_access._errors import NotPermittedError, OidcRefusedError
from trenova_access._oidc_flow import Flow, Flows
from trenova_access._oidc_options import OidcOptions
from trenova_access._oidc_provider import Provider
from trenova_access._principal import Principal
from trenova_access._sessions import Sessions


@dataclass(frozen=True)
class SignedIn:
    """A sign-in that succeeded.

    Attributes:
        principal: Who.
        cookie: The value of the session's cookie.
        next: Where the browser wanted to go, a path of this server; empty for where people arrive.
    """

    principal: Principal
    cookie: str
    next: str


class OidcSignIn:
    """People of one provider. Sessions and sign-ins under way are of this process, and end with it.

    Raises:
        AccessConfigurationError: The client's secret cannot be used.
    """

    def __init__(self, options: OidcOptions) -> None:
        self.options = options
        self.sessions = Sessions(session_s=options.session_s, idle_s=options.idle_s, most=options.max_sessions)
        self._provider = Provider(options)
        self._flows = Flows(options.flow_s)

    async def begin(self, base: str, next_path: str, *, again: bool = False) -> tuple[str, str]:
        """Begin a sign-in; the provider's address for the browser, and what its cookie has to keep.

        Args:
            base: This server's address, without a slash at its end.
            next_path: Where the browser wants to go, a path of this server; empty for where people arrive.
            again: Let the provider ask who it is, also where it knows.

        Raises:
            OidcUnavailableError: The provider does not answer.
        """
        flow = Flow(redirect_uri=f"{base}{self.options.redirect_path}", next=next_path)
        return await self._provider.address(flow, again=again), self._flows.seal(flow)

    async def finish(self, answer: Mapping[str, str], sealed: str | None) -> SignedIn:
        """Open a session for whoever the provider's answer is about.

        Args:
            answer: The query with which the provider sent the browser back.
            sealed: What the browser's cookie has kept.

        Raises:
            OidcRefusedError: The answer proves nothing here, for its ``facts["reason"]``.
            NotPermittedError: It does, and gives no role; ``facts["subject"]`` is who.
            OidcUnavailableError, KeySetUnavailableError: The provider does not answer.
        """
        flow = self._flows.finish(sealed, answer.get("state"))
        if answer.get("iss", self.options.issuer) != self.options.issuer:
            raise OidcRefusedError("The answer comes from another provider. Sign in again.", reason="issuer")
        if "error" in answer or not answer.get("code"):
            raise _without_code(answer.get("error"))
        token = await self._provider.redeem(answer["code"], flow)
        principal = await self._provider.verify(token, flow)
        if not principal.grants:
            raise NotPermittedError(
                f"You are signed in as {principal.subject!r}, without a role. Ask whoever gives out roles, and sign in "
                "again then.",
                reason="no_role",
                subject=principal.subject,
            )
        return SignedIn(principal, self.sessions.open(principal, id_token=token), flow.next)

    def end(self, cookie: str, back: str) -> str | None:
        """End a session; where its browser signs out at the provider, None where it has not to.

        Args:
            cookie: The value of the session's cookie.
            back: Where the provider sends it then.
        """
        session = self.sessions.end(cookie)
        return None if session is None else self._provider.end_address(session.id_token, back)


def _without_code(told: str | None) -> OidcRefusedError:
    if told == "access_denied":
        return OidcRefusedError("The provider signed nobody in: it was not allowed there.", reason="denied")
    if told in ("temporarily_unavailable", "server_error"):
        return OidcRefusedError(f"The provider could not sign anybody in now ({told}). Try again.", reason="provider")
    return OidcRefusedError(
        "The provider signed nobody in, since it does not like how it was asked. Whoever runs this server: the "
        "provider's log says why; look at client_id, scopes and the redirect URI that is registered there.",
        reason="provider",
    )
