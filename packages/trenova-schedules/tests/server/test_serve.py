"""The command, as a process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest
from api_site import schedule
from fastapi import FastAPI

from trenova_schedules.server import RateOptions, ServeOptions, ServerOptions, create_app

pytestmark = pytest.mark.integration

COMMAND = str(Path(sys.executable).with_name("trenova-schedules"))


def environ(site, folder):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRENOVA_")}
    return {**kept, "TEMPORAL_ADDRESS": site.address, "TRENOVA_DATA_DIR": str(folder), "TRENOVA_CODECS_PLAIN": "1"}


class Process:
    """A running command."""

    def __init__(self, site, folder, *arguments):
        self.file = folder / "schedules-server.json"
        self.process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0", *arguments],
            env=environ(site, folder),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def __enter__(self):
        try:
            return self._ready()
        except BaseException:
            self.__exit__()
            raise

    def _ready(self):
        deadline = time.monotonic() + 60
        while not self.file.exists():
            assert self.process.poll() is None, "it ended at once"
            assert time.monotonic() < deadline, "it did not begin to serve"
            time.sleep(0.05)
        self.told = json.loads(self.file.read_text())
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(20)
        self.process.stdout.close()

    def call(self):
        headers = {"Authorization": f"Bearer {self.told['key']}"} if "key" in self.told else {}
        return httpx.Client(base_url=f"{self.told['url']}/api/v1", headers=headers, trust_env=False, timeout=30)


def test_the_command_serves_whoever_has_its_key_and_ends_when_asked_to(site, tmp_path):
    site.new(id="served", labels={})
    with Process(site, tmp_path, "--database-url", "sqlite:///{data_dir}/schedules.db") as running:
        assert (running.file.stat().st_mode & 0o777) == 0o600
        with running.call() as api:
            assert api.get("/ready").json() == {"ready": True, "temporal": True, "database": True}
            assert api.get("/schedules/served").status_code == 200
            paused = api.post("/schedules/served/resume", json={"reason": "go"}, headers={"Idempotency-Key": "k"})
            assert paused.status_code == 200
            assert api.get("/audit").json()["entries"][0]["actor"] == "local"
        with httpx.Client(trust_env=False) as stranger:
            assert stranger.get(f"{running.told['url']}/api/v1/schedules").status_code == 401
            assert stranger.get(f"{running.told['url']}/metrics").status_code == 401
            assert (
                "trenova_access"
                in stranger.get(
                    f"{running.told['url']}/metrics", headers={"Authorization": f"Bearer {running.told['key']}"}
                ).text
            )
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
        assert "sign in once" in running.process.stdout.read()
    assert not running.file.exists()


def test_without_sign_in_everybody_on_loopback_may_but_no_page_of_another_site(site, tmp_path):
    with Process(site, tmp_path, "--no-sign-in") as running, running.call() as api:
        assert "key" not in running.told
        assert api.get("/schedules").status_code == 200
        assert (
            api.post("/preview", json={"cron": "0 0 * * *"}, headers={"Origin": "http://evil.example"}).status_code
            == 403
        )
        assert api.get("/schedules", headers={"Host": "evil.example"}).status_code == 403
        assert api.post("/schedules/absent/pause", json={"reason": "r"}).status_code == 404
        made = api.post("/schedules", json=schedule(id="by-nobody"))
        assert made.status_code == 201, made.text
        entries = api.get("/audit", params={"scheduleId": "by-nobody"}).json()["entries"]
        assert [one["actor"] for one in entries] == ["nobody signed in (claimed)"]


@pytest.mark.slow
def test_a_bulk_action_that_was_killed_is_finished_by_asking_again(site, tmp_path):
    names = [site.new(id=f"killed-{number:03}", paused=False)["id"] for number in range(100)]
    site.wait_for("killed-", len(names))
    body = {"action": "pause", "filter": {"prefix": "killed-"}, "reason": "move", "dryRun": False}

    with Process(site, tmp_path) as running, running.call() as api:

        def ask():
            with contextlib.suppress(httpx.TransportError):
                api.post("/bulk", json=body, headers={"Idempotency-Key": "killed"})

        asking = threading.Thread(target=ask)
        asking.start()
        deadline = time.monotonic() + 20
        while not api.get("/schedules/killed-000").json()["paused"]:
            assert time.monotonic() < deadline
        running.process.kill()
        asking.join(20)
    (tmp_path / "schedules-server.json").unlink()
    with site.call() as before:
        paused = [before.get(f"/schedules/{name}").json()["paused"] for name in names]
    assert not all(paused), "it was killed too late to see anything"

    with Process(site, tmp_path) as running, running.call() as api:
        same = api.post("/bulk", json=body, headers={"Idempotency-Key": "killed"})
        again = api.post("/bulk", json=body, headers={"Idempotency-Key": "killed-2"})
        assert (same.status_code, same.json()["code"]) == (409, "request.under_way")
        assert again.status_code == 200, again.text
        assert again.json()["counts"] == {"done": len(names) - sum(paused), "unchanged": sum(paused)}
        assert all(api.get(f"/schedules/{name}").json()["paused"] for name in names)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--no-sign-in", "--host", "0.0.0.0"], "no_sign_in"),
        (["--host", "0.0.0.0"], "lets other machines in"),
        (["--config", "absent.yaml"], "absent.yaml"),
        (["--database-url", "mysql://h/d"], "mysql"),
    ],
)
def test_what_would_not_be_safe_is_refused_before_it_listens(site, tmp_path, arguments, said):
    done = subprocess.run(
        [COMMAND, "serve", "--port", "0", *arguments],
        env=environ(site, tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_api_token_of_the_command_is_what_the_options_take(tmp_path):
    done = subprocess.run([COMMAND, "api-token"], capture_output=True, text=True, timeout=60, check=True)

    words = done.stdout.split()
    assert words[1].startswith("trn_")
    access = {"api_tokens": [{"sha256": words[3], "subject": "nightly"}]}
    assert ServeOptions.model_validate({"access": access}).access.api_tokens[0].subject == "nightly"


def test_it_can_be_mounted_in_an_application_of_ones_own(site):
    def outer():
        app = FastAPI()
        app.mount("/jobs", create_app(site.options, site.client))
        return app

    with site.also(outer) as client:
        headers = {"Authorization": f"Bearer {site.tokens['admin-all']}"}
        assert client.get("/jobs/api/v1/health").json() == {"status": "ok"}
        assert client.get("/jobs/api/v1/schedules").status_code == 401
        assert client.get("/jobs/api/v1/schedules", headers=headers).status_code == 200
        assert client.get("/jobs/api/v1/schedules/a%2Fb", headers=headers).json()["detail"].startswith("No schedule")
        assert client.get("/jobs/api/v1/nowhere", headers=headers).json()["status"] == 404
        assert client.get("/jobs/api/v1/audit", headers=headers).status_code == 404, "there is no database"
        keyed = client.post("/jobs/api/v1/schedules", json=schedule(), headers={**headers, "Idempotency-Key": "k"})
        assert (keyed.status_code, "database" in keyed.json()["detail"]) == (422, True)
        document = client.get("/jobs/api/v1/openapi.json").json()
        assert "/api/v1/audit" not in document["paths"]
        assert "/api/v1/schedules" in document["paths"]


def test_a_caller_that_asks_too_often_is_told_when_to_come_back_and_others_are_not(site):
    options = ServerOptions(access=site.options.access, rates=RateOptions(reads=100, writes=3, per_s=60))

    with site.also(lambda: create_app(options, site.client)) as client:

        def ask(caller):
            headers = {"Authorization": f"Bearer {site.tokens[caller]}"}
            return client.post("/api/v1/bulk", json={"action": "pause"}, headers=headers)

        assert [ask("admin-all").status_code for _ in range(4)] == [422, 422, 422, 429]
        refused = ask("admin-all")
        assert (refused.headers["retry-after"], refused.headers["content-type"]) == ("20", "application/problem+json")
        assert ask("operator-all").status_code == 422
