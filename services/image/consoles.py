"""The dashboard and the codec server from the image, as compose.yaml starts them: who gets in, and who does not."""
# ruff: noqa: INP001 (a part of start.py)

import base64
import http.client
import json
import re
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from container import Container, Recipe
from steps import Found, expect, timed, wait_until

READY_S = 60
DASHBOARD, CODEC_SERVER = 8235, 8234
# Another address than 127.0.0.1: only a server that listens on all of them answers here.
_ADDRESS = "127.0.0.2"
_REFUSED = 401


class Page:
    """A server over TLS, whose certificate is looked at; ``certificate`` is the one that it is to have."""

    def __init__(self, port: int, certificate: Path) -> None:
        self._port = port
        self._tls = ssl.create_default_context(cafile=str(certificate))
        self._tls.check_hostname = False  # of another address than the certificate's

    def ask(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str, Mapping[str, str]]:
        """Return status, body and headers."""
        connection = http.client.HTTPSConnection(_ADDRESS, self._port, timeout=10, context=self._tls)
        own = f"127.0.0.1:{self._port}"
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(method, path, body or None, {"Host": own, "Origin": f"https://{own}", **told})
            answer = connection.getresponse()
            return answer.status, answer.read().decode(), dict(answer.getheaders())
        finally:
            connection.close()

    def status(self, path: str, **headers: str) -> int:
        """Return the status of a look; 0 while nobody answers."""
        try:
            return self.ask("GET", path, **headers)[0]
        except (OSError, http.client.HTTPException):
            return 0

    def session(self, link: str) -> str:
        """Open a session by the link of the terminal; return its cookie. The link works once."""
        form = {"Content_Type": "application/x-www-form-urlencoded"}
        body = f"token={link.partition('#')[2]}"
        status, _, headers = self.ask("POST", "/sign-in", body, **form)
        if "set-cookie" not in headers:
            raise Found(f"The link for signing in opened no session: {status}.")
        if "Secure" not in headers["set-cookie"]:
            raise Found("The cookie of the session goes over unencrypted connections too.")
        if self.ask("POST", "/sign-in", body, **form)[0] < _REFUSED:
            raise Found("The link for signing in works twice.")
        return headers["set-cookie"].partition(";")[0]


@contextmanager
def consoles(dashboard: Container, codec_server: Container, recipes: Mapping[str, Recipe]) -> Iterator[None]:
    """Run both for the length of a block, and see who gets in."""
    secrets = recipes["dashboard"].files
    certificate, token = secrets["/run/secrets/tls_certificate"], secrets["/run/secrets/metrics_token"].read_text()
    with dashboard.running() as one, codec_server.running() as other:
        page = Page(DASHBOARD, certificate)
        link = _ready("dashboard", page, "/api/v1/ready", one)
        with timed("dashboard lets in by its link, and a program by its token"):
            _closed(page, "/api/v1/schedules", token)
            cookie = page.session(link)
            status, body, _ = page.ask("GET", "/api/v1/schedules", Cookie=cookie)
            expect("status of the schedules", status, http.client.OK)
            if "delete-audit-entries-schedule" not in body:
                raise Found("The worker's schedule is not listed.")
        page = Page(CODEC_SERVER, certificate)
        link = _ready("codec-server", page, "/readyz", other)
        with timed("codec server lets in by its link, and decodes"):
            _closed(page, "/metrics", token)
            _decodes(page, page.session(link))
        for name, container in (("dashboard", dashboard), ("codec-server", codec_server)):
            test = recipes[name].compose["healthcheck"]["test"]
            expect(f"exit status of the health check of {name}", container.inside(*test[1:], timeout_s=30), 0)
        yield
        with timed("both end on SIGTERM"):
            for container, process in ((dashboard, one), (codec_server, other)):
                container.terminate()
                process.communicate(timeout=recipes["dashboard"].grace_s)
                expect("exit status", process.returncode, 0)


def _ready(name: str, page: Page, path: str, process: subprocess.Popen[str]) -> str:
    """Wait until it answers; return the link of its terminal."""
    began = time.monotonic()

    def look() -> bool:
        if process.poll() is not None:
            raise Found(f"{name} ended with status {process.returncode} before it was ready.")
        return page.status(path) == http.client.OK

    with timed(f"{name} is ready"):
        wait_until(READY_S, look)
    if process.stdout is None:
        raise Found(f"{name} has no terminal.")
    lines: list[str] = []
    while time.monotonic() < began + READY_S:
        lines.append(process.stdout.readline())
        if found := re.search(rf"sign in once +(https://127\.0\.0\.1:{page._port}/sign-in#\S+)", lines[-1]):  # noqa: SLF001
            return found[1]
    raise Found(f"{name} tells no link for signing in: {lines}.")


def _closed(page: Page, path: str, token: str) -> None:
    """Nobody gets in without proof; the token of Prometheus reads metrics."""
    expect(f"status of {path} without signing in", page.status(path), _REFUSED)
    expect(f"status of {path} with a made-up token", page.status(path, Authorization="Bearer trn_x"), _REFUSED)
    expect("status of /metrics", page.status("/metrics", Authorization=f"Bearer {token}"), http.client.OK)


def _decodes(page: Page, cookie: str) -> None:
    """What is encoded is not in clear, and becomes what it was."""
    plain = {"metadata": {"encoding": _base64("json/plain")}, "data": _base64('"Laredo"')}
    told = {"Content_Type": "application/json", "X_Namespace": "default", "Cookie": cookie}

    def call(path: str, payload: Any) -> Any:
        status, body, _ = page.ask("POST", path, json.dumps({"payloads": [payload]}), **told)
        expect(f"status of {path}", status, http.client.OK)
        return json.loads(body)["payloads"][0]

    sealed = call("/encode", plain)
    expect("encoding", base64.b64decode(sealed["metadata"]["encoding"]).decode(), "binary/encrypted")
    expect("what was decoded", call("/decode", sealed)["data"], plain["data"])


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
