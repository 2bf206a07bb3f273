"""What the audit says of a vulnerability, of a database that cannot be reached, and of licences."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

import audit

pytestmark = pytest.mark.integration

PROGRAM = Path(audit.__file__)
KNOWN = {
    "id": "GHSA-0000-0000-0000",
    "modified": "2026-01-01T00:00:00Z",
    "summary": "It leaks",
    "affected": [
        {
            "package": {"name": "aiohttp", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99"}]}],
        }
    ],
}


class Database(BaseHTTPRequestHandler):
    """Answers as OSV does, and knows something against one package."""

    vulnerable = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        known = {"vulns": [{name: KNOWN[name] for name in ("id", "modified")}]}
        self._answer({"results": [known if one["package"]["name"] == self.vulnerable else {} for one in asked]})

    def do_GET(self) -> None:
        self._answer(KNOWN)

    def _answer(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def database() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("OneDatabase", (Database,), {}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def ask(port: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), "vulnerabilities", "--service-url", f"http://127.0.0.1:{port}/"]
    environment = {**os.environ, "UV_HTTP_RETRIES": "0", "NO_PROXY": "127.0.0.1", "NO_COLOR": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110)


def test_what_is_known_against_a_locked_version_fails_with_what_mends_it(database):
    database.RequestHandlerClass.vulnerable = "aiohttp"

    told = ask(database.server_port)

    assert told.returncode == 1, told.stderr
    assert "GHSA-0000-0000-0000: It leaks" in told.stdout
    assert "Fixed in: 99" in told.stdout


def test_nothing_known_is_no_finding(database):
    told = ask(database.server_port)

    assert told.returncode == 0, told.stderr


def test_a_database_that_cannot_be_reached_is_told_from_a_finding(database):
    database.shutdown()
    database.server_close()

    assert ask(database.server_port).returncode == audit.UNREACHABLE


def test_the_page_of_licences_says_what_is_installed_and_none_is_refused(capsys):
    assert audit.licences(write=False) == 0, capsys.readouterr().err


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("Apache-2.0 AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("nothing", False),
    ],
)
def test_every_licence_of_an_expression_has_to_be_allowed_and_of_alternatives_one(expression, allowed):
    assert audit._allowed(expression) is allowed


def test_a_licence_that_is_not_allowed_is_named_with_its_package(monkeypatch, capsys):
    monkeypatch.setattr(audit, "ALLOWED", audit.ALLOWED - {"MPL-2.0"})

    assert audit.licences(write=False) == 1
    assert "certifi is under 'MPL-2.0'; replace it" in capsys.readouterr().err
