"""Why no server let us in, out of what the SDK says, and what mends it."""

import re
from typing import Final, NamedTuple

from temporalio.envconfig import ClientConnectConfig
from temporalio.service import RPCError

# The SDK prints an error of its transport as Rust does, with all that it wraps; the innermost says why.
_INNERMOST: Final = re.compile(r'(?:message|error): (?:"([^"]+)"|(\w+(?:\(\w+\))?))')
_QUOTED: Final = re.compile(r'"([^"]+)"')
_TRANSPORT: Final = "tonic::transport::Error"

_OR_ELSE: Final = "or correct TEMPORAL_ADDRESS or the profile that TEMPORAL_PROFILE names."
_START: Final = f"Start one ('trenova-workers up' or 'temporal server start-dev'), {_OR_ELSE}"


class NotReached(NamedTuple):
    """Why, and what to do."""

    why: str
    """The end of a sentence, without a full stop."""
    mend: str
    """A sentence."""


# What rustls calls it, as the SDK quotes it; the first that is found counts.
_OF_TLS: Final = {
    "InvalidContentType": NotReached(
        "it does not speak TLS", f"For a connection in clear set TEMPORAL_TLS=false, {_OR_ELSE}"
    ),
    "InvalidCertificate(UnknownIssuer)": NotReached(
        "its certificate is of an authority that this process does not trust",
        f"Give the certificate of that authority as TEMPORAL_TLS_SERVER_CA_CERT_PATH, {_OR_ELSE}",
    ),
    "InvalidCertificate(NotValidForName": NotReached(
        "its certificate is for another name",
        f"Give the name that it is for as TEMPORAL_TLS_SERVER_NAME, {_OR_ELSE}",
    ),
    "InvalidCertificate(Expired": NotReached(
        "its certificate has expired", "Have it renewed, or set the clock of this machine."
    ),
    "InvalidCertificate(NotValidYet": NotReached(
        "its certificate is not valid yet", "Set the clock of this machine, or wait."
    ),
    "InvalidCertificate": NotReached("its certificate cannot be used", f"Have it issued anew, {_OR_ELSE}"),
    "H2NotNegotiated": NotReached("it speaks TLS and not gRPC", f"Start Temporal there, {_OR_ELSE}"),
}
_NO_CLIENT_CERTIFICATE: Final = NotReached(
    "it closed the connection once TLS was agreed",
    "If it asks for a certificate of its clients, give TEMPORAL_TLS_CLIENT_CERT_PATH and "
    f"TEMPORAL_TLS_CLIENT_KEY_PATH, {_OR_ELSE}",
)
_IN_CLEAR: Final = NotReached(
    "it took the connection and did not answer in clear", f"If it expects TLS, set TEMPORAL_TLS=true, {_OR_ELSE}"
)


def not_reached(error: Exception, config: ClientConnectConfig) -> NotReached:
    """Explain what ``Client.connect(**config)`` raised."""
    text = error.message if isinstance(error, RPCError) else str(error)
    if _TRANSPORT in text:
        found = next((told for said, told in _OF_TLS.items() if said in text), None)
        if found is None and "error after connection" in text:
            found = _NO_CLIENT_CERTIFICATE if config.get("tls") else _IN_CLEAR
        if found is not None:
            return found
        said = [quoted or bare for quoted, bare in _INNERMOST.findall(text)] or _QUOTED.findall(text)
        text = said[-1] if said else "the connection failed"
    return NotReached(text.strip().rstrip(".") or type(error).__name__, _START)
