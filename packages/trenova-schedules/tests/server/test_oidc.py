"""People whom an OpenID Connect provider signs in, at the API and at the command that serves it."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest
import yaml
from api_site import ApiSite
from fastapi import FastAPI

from trenova_access import AccessOptions, OidcOptions, PermissionClaim
from trenova_access.testing import Provider
from trenova_schedules.server import ServerOptions, create_app

pytestmark = pytest.mark.integration

ROLES = {"read": "viewer", "operate": "operator", "manage": "admin"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with ApiSite(tmp_path_factory.mktemp("api")) as opened:
        yield opened


@pytest.fixture
def provider():
    with Provider() as made:
        made.person = {"sub": "ada", "roles": ["organization=acme:operate"]}
        yield made


def test_who_signs_in_at_a_provider_does_what_their_claims_allow(site, provider):
    of_acme = site.new(id="oidc-acme", labels={"organization": "acme"})["id"]
    site.new(id="oidc-blue", labels={"organization": "blue"})
    oidc = OidcOptions(
        issuer=provider.name,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        claims=(PermissionClaim(claim="roles", roles=ROLES),),
    )

    def make():
        return create_app(ServerOptions(access=AccessOptions(oidc=oidc), require_served=False), site.client)

    with site.also(make) as browser:
        browser.follow_redirects = True
        assert "Sign in with your organization" in browser.get("/sign-in").text
        refused = browser.get("/api/v1/schedules")
        assert refused.status_code == 401
        assert "Open /sign-in in a browser" in refused.json()["detail"]

        shown = browser.get("/sign-in/oidc", params={"next": f"/api/v1/schedules/{of_acme}"})
        assert (shown.status_code, shown.json()["id"]) == (200, of_acme)
        assert browser.get("/api/v1/schedules/oidc-blue").status_code == 404
        pause = f"/api/v1/schedules/{of_acme}/pause"
        assert browser.post(pause, json={"reason": "r"}).status_code == 403
        origin = {"Origin": str(browser.base_url).rstrip("/")}
        assert browser.post(pause, json={"reason": "r"}, headers=origin).status_code == 200
        ways = browser.get("/api/v1/openapi.json").json()["components"]["securitySchemes"]
        assert ways["oidc"] == {"type": "apiKey", "in": "cookie", "name": "trenova-oidc"}
        assert "cookie" not in ways


def test_people_sign_in_below_the_path_that_the_api_is_mounted_at(site, provider):
    claims = (PermissionClaim(claim="roles", roles=ROLES),)
    oidc = OidcOptions(
        issuer=provider.name, client_id=provider.client_id, client_secret=provider.client_secret, claims=claims
    )

    def make():
        outer = FastAPI()
        outer.mount("/jobs", create_app(ServerOptions(access=AccessOptions(oidc=oidc)), site.client))
        return outer

    with site.also(make) as browser:
        browser.follow_redirects = True
        assert 'href="/jobs/sign-in/oidc"' in browser.get("/jobs/sign-in").text
        assert str(browser.get("/jobs/sign-in/oidc").url).endswith("/jobs/")
        assert browser.get("/jobs/api/v1/schedules").status_code == 200


def test_the_command_serves_people_of_a_provider_by_options_alone(site, provider, tmp_path):
    secret = tmp_path / "client-secret"
    secret.write_text(provider.client_secret)
    claims = [{"claim": "roles", "roles": ROLES}]
    oidc = {"issuer": provider.name, "client_id": "trenova", "client_secret_file": str(secret), "claims": claims}
    config = tmp_path / "server.yaml"
    config.write_text(yaml.safe_dump({"access": {"oidc": oidc}, "port": 0, "database": None}))

    with Serving(site, tmp_path, "--config", str(config)) as told:
        url = re.search(r"^sign in at +(\S+)/sign-in +\((\S+)\)$", told, re.MULTILINE)
        assert url is not None, told
        assert url[2] == provider.name
        assert "nobody has to sign in" not in told
        with httpx.Client(base_url=url[1], trust_env=False, follow_redirects=True) as browser:
            site.new(id="oidc-served", labels={"organization": "acme"})
            shown = browser.get("/sign-in/oidc", params={"next": "/api/v1/schedules/oidc-served"})
            assert shown.json()["id"] == "oidc-served"


@pytest.mark.parametrize(
    ("host", "missing"),
    [("0.0.0.0", "TLS, by a certificate of its own"), ("127.0.0.1", "cannot be read: No such")],
)
def test_the_command_refuses_before_it_listens(site, tmp_path, host, missing):
    oidc = {"issuer": "https://login.example.com", "client_id": "a", "client_secret_file": "/nowhere/secret"}
    oidc |= {"claims": [{"claim": "roles", "roles": ROLES}]}
    if host == "0.0.0.0":
        oidc.pop("client_secret_file")
    config = tmp_path / "server.yaml"
    config.write_text(yaml.safe_dump({"access": {"oidc": oidc}, "host": host, "port": 0, "database": None}))

    done = subprocess.run(
        command("--config", str(config)), env=environ(site, tmp_path), capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 2
    assert missing in done.stderr
    assert "JWT" not in done.stderr


def command(*arguments):
    return [str(Path(sys.executable).with_name("trenova-schedules")), "serve", *arguments]


def environ(site, folder):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRENOVA_")}
    told = {"TEMPORAL_ADDRESS": site.address, "TRENOVA_DATA_DIR": str(folder), "TRENOVA_CODECS_PLAIN": "1"}
    return {**kept, **told}


class Serving:
    """The command, and what it said until it served."""

    def __init__(self, site, folder, *arguments):
        self.process = subprocess.Popen(
            command(*arguments),
            env=environ(site, folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def __enter__(self):
        killer = threading.Timer(60, self.process.kill)
        killer.start()
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if line.startswith("schedules of"):
                break
        killer.cancel()
        return "".join(lines)

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait(20)
            self.process.stdout.close()
