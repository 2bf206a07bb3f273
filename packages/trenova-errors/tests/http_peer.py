"""A real HTTP server on loopback that fails as its path says."""

import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit


class HttpPeer(ThreadingHTTPServer):
    """Answers ``/<status>?Header=value``, and troubles the connection at ``/reset``, ``/close``, ``/cut``, ``/late``.

    Attributes:
        url: Where it listens.
        over: Set when the server is to end, so that nobody waits for it.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def answer_to(self, path: str) -> tuple[int, dict[str, str], bytes] | None:
        """Return status, headers and body for what is asked; None for what the path says."""
        return None

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that went away are what the tests are about."""

    @classmethod
    @contextmanager
    def serving(cls, tls: ssl.SSLContext | None = None) -> Iterator[Self]:
        with cls() as peer:
            if tls is not None:
                peer.socket = tls.wrap_socket(peer.socket, server_side=True, do_handshake_on_connect=False)
            thread = threading.Thread(target=peer.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield peer
            finally:
                peer.over.set()
                peer.shutdown()
                thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 20
    server: HttpPeer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        """Say nothing."""

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        planned = self.server.answer_to(self.path)
        if planned is not None:
            self._answer(*planned)
            return
        split = urlsplit(self.path)
        what = split.path.strip("/")
        if what.isdecimal():
            self._answer(int(what), {name: value for name, (value, *_) in parse_qs(split.query).items()})
        else:
            getattr(self, f"_{what}")()

    do_POST = do_PUT = do_GET  # noqa: N815

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"hunter2") -> None:
        self.send_response(status, "hunter2")
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._close()

    def _close(self) -> None:
        self.close_connection = True
        self.rfile.close()  # it holds the socket open
        self.connection.close()

    def _cut(self) -> None:
        self._answer(200, {"Content-Length": "1000"})
        self.close_connection = True

    def _late(self) -> None:
        self.server.over.wait(20)
        self.close_connection = True

    def _stall(self) -> None:
        self._answer(200, {"Content-Length": "1000"})
        self.server.over.wait(20)
        self.close_connection = True

    def _garbage(self) -> None:
        self.wfile.write(b"hunter2 hunter2\r\n\r\n")
        self.close_connection = True

    def _loop(self) -> None:
        self._answer(302, {"Location": "/loop"})
