"""The dashboard as ``trenova-workers up`` starts it, and as people do."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
from service_processes import Services, end, eventually, free_port


@contextmanager
def console(services: Services, *arguments: str, **environ: str):
    """Run the console; yields its process and what it printed, in a file."""
    log = services.folder / "console.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            env=services.environ | environ,
            cwd=services.folder,
            stdout=out,
            stderr=out,
        )
    try:
        yield process, log
    finally:
        end(process)


def ready(process, log, url: str) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return httpx.get(f"{url}/readyz", trust_env=False, timeout=10).status_code == 200
    except httpx.TransportError:
        return False


def test_up_finds_it_by_its_file_and_whoever_opens_the_link_sees_the_schedules_of_this_worker(services):
    services.prepare("system_worker")
    port, file = free_port(), services.folder / "consoles" / "dashboard.json"
    file.parent.mkdir()
    url = f"http://127.0.0.1:{port}"
    told = {
        "TRENOVA_CONSOLE__PORT": str(port),
        "TRENOVA_CONSOLE__FILE": str(file),
        "TRENOVA_CONSOLE__ORIGINS": "http://127.0.0.1:1234,http://localhost:1234",
    }
    with console(services, "system_worker.console", **told) as (process, log):
        eventually(lambda: ready(process, log, url))
        left = json.loads(file.read_text())
        assert file.stat().st_mode & 0o777 == 0o600
        with httpx.Client(base_url=url, trust_env=False, follow_redirects=True, timeout=30) as browser:
            assert browser.get("/").url.path == "/sign-in"
            token = left["sign_in"].partition("#")[2]
            assert browser.post("/sign-in", data={"token": token}).url.path == "/"
            known = eventually(lambda: browser.get("/api/v1/schedules").json()["schedules"])
            page = browser.get("/schedules/delete-audit-entries-schedule")
        assert "delete-audit-entries-schedule" in {one["id"] for one in known}
        assert page.status_code == 200
        assert left["key"] not in log.read_text()
        assert token not in log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert not file.exists()


def test_by_hand_it_says_where_it_is_and_its_options_are_those_of_the_api(services):
    services.prepare("system_worker")
    options = {"TRENOVA_SCHEDULES_SERVER_PORT": "0", "TRENOVA_SCHEDULES_SERVER_DASHBOARD__TITLE": "Night jobs"}
    with console(services, "system_worker", "console", **options) as (process, log):

        def link() -> str:
            assert process.poll() is None, log.read_text()
            return next((line.split()[-1] for line in log.read_text().splitlines() if "sign in once" in line), "")

        url, _, token = eventually(link).partition("/sign-in#")
        with httpx.Client(base_url=url, trust_env=False, follow_redirects=True, timeout=30) as browser:
            answer = browser.post("/sign-in", data={"token": token})
        assert answer.status_code == 200
        assert "Night jobs" in answer.text
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


def test_an_option_that_does_not_hold_is_refused_in_a_line(services):
    done = services.call("system_worker", "console", TRENOVA_CONSOLE__PORT="http")
    assert done.returncode == 2
    assert "TRENOVA_CONSOLE__PORT is 'http', which is no port" in done.stderr
    done = services.call("system_worker", "console", TRENOVA_SCHEDULES_SERVER_DASHBOARD__TEMPORAL_UI="nowhere")
    assert done.returncode == 2
    assert "dashboard.temporal_ui" in done.stderr
    assert "Traceback" not in done.stderr
