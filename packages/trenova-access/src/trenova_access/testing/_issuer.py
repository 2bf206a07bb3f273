"""An issuer of tokens for tests: signs what it is told to, and serves its key set over real HTTP on loopback."""

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Mapping
from email.message import Message
from types import TracebackType
from typing import Any, Final, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_BITS: Final = 2048

Answer = tuple[int, Mapping[str, str], bytes]
"""Status, headers and body."""

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Issuer:
    """An issuer with one RSA key, ``k1``; a context manager that stops its server.

    Attributes:
        name: Its ``iss``.
        audience: The ``aud`` of its tokens unless told otherwise.
        private: The key that it signs with.
        document: The key set that it publishes; may be exchanged.
        body: Served instead of the document, if set.
        status: HTTP status of its answers.
        delay: Seconds before it answers.
        asked: How often it was asked.
        address: Of its server.
        url: Where the key set is.
    """

    name = "https://issuer.example.com/"
    audience = "codec"

    def __init__(self) -> None:
        self.private: Any = rsa.generate_private_key(65537, _BITS)
        self.document: dict[str, Any] = {"keys": [self.jwk(self.private, "k1", alg="RS256", use="sig")]}
        self.body: bytes | None = None
        self.status = 200
        self.delay = 0.0
        self.asked = 0
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.url = f"{self.address}/jwks"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> Answer:
        """Answer one request: with the key set, whatever it asks for."""
        del method, path, headers, body
        self.asked += 1
        time.sleep(self.delay)
        content = json.dumps(self.document).encode() if self.body is None else self.body
        return self.status, {"Location": "/elsewhere"}, content

    @staticmethod
    def jwk(private: PrivateKey, kid: str, **members: Any) -> dict[str, Any]:
        """The public half of a key as a member of a key set."""
        public: Any = private.public_key()
        if isinstance(private, rsa.RSAPrivateKey):
            text = jwt.algorithms.RSAAlgorithm.to_jwk(public)
        elif isinstance(private, ec.EllipticCurvePrivateKey):
            text = jwt.algorithms.ECAlgorithm.to_jwk(public)
        else:
            text = jwt.algorithms.OKPAlgorithm.to_jwk(public)
        return {**json.loads(text), "kid": kid, **members}

    @property
    def pem(self) -> bytes:
        """The public key as PEM."""
        pem: bytes = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem

    def claims(self, **changed: Any) -> dict[str, Any]:
        """Claims that are good for a minute, with changes; None leaves one out."""
        now = int(time.time())
        claims = {"iss": self.name, "aud": self.audience, "sub": "ada", "iat": now, "exp": now + 60, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        *,
        key: PrivateKey | None = None,
        alg: str = "RS256",
        kid: str | None = "k1",
        headers: Mapping[str, Any] | None = None,
        **changed: Any,
    ) -> str:
        """Sign :meth:`claims`, by default as a verifier wants it."""
        told = {**({"kid": kid} if kid else {}), **(headers or {})}
        return jwt.encode(self.claims(**changed), key or self.private, algorithm=alg, headers=told)


def _handler(issuer: Issuer) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the name that http.server calls
            self._answer(b"")

        def do_POST(self) -> None:  # the name that http.server calls
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _answer(self, body: bytes) -> None:
            status, headers, content = issuer.answer(self.command, self.path, self.headers, body)
            with contextlib.suppress(OSError):  # who asked may be gone
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the signature of http.server
            pass

    return Handler
