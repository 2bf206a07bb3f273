"""No output of a service holds a secret, whatever it fails at: passwords, tokens and keys are planted and searched."""

import base64
import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from service_processes import Services, clean_environ

NOWHERE = "127.0.0.1:1"
PLANTED = "hunter2-planted"
KEY = base64.b64encode(os.urandom(32)).decode()
CHANNELS = "NOTIFICATION_WORKER_CHANNELS"
ENDPOINT = {"url": "https://receiver.example/hook", "secret": f"{PLANTED}-of-more-than-32-characters"}
TOLD = {
    "TRENOVA_ENV": "prod",
    "TRENOVA_LOG__LEVEL": "debug",
    "TEMPORAL_ADDRESS": NOWHERE,
    "TEMPORAL_TLS": "false",
    "TEMPORAL_API_KEY": f"{PLANTED}-token",
    "TRENOVA_DATABASE__URL": f"postgresql://tms:{PLANTED}-database@{NOWHERE}/tms",
    "TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE": "environment",
    "TEMPORAL_ENCRYPTION_ACTIVE_KEY": "k1",
    "TEMPORAL_ENCRYPTION_KEY_k1": KEY,
}
OF_CHANNELS = {
    f"{CHANNELS}__EMAIL__HOST": "127.0.0.1",
    f"{CHANNELS}__EMAIL__PORT": "1",
    f"{CHANNELS}__EMAIL__USERNAME": "tms",
    f"{CHANNELS}__EMAIL__PASSWORD": f"{PLANTED}-mail",
    f"{CHANNELS}__EMAIL__SENDER": "tms@example.com",
    f"{CHANNELS}__REDIS__HOST": "127.0.0.1",
    f"{CHANNELS}__REDIS__PASSWORD": f"{PLANTED}-redis",
    f"{CHANNELS}__WEBHOOK__ENDPOINTS": json.dumps({"one": ENDPOINT}),
}
AMISS = {
    "TRENOVA_DATABASE__URL": f"mysql://tms:{PLANTED}-database@db.example/tms",
    "TEMPORAL_ENCRYPTION_KEY_k1": f"{PLANTED}-key",
    f"{CHANNELS}__WEBHOOK__ENDPOINTS": json.dumps({"one": {**ENDPOINT, "url": f"ftp://me:{PLANTED}@receiver.example"}}),
}
"""What does not hold."""


@pytest.mark.parametrize("module", ["notification_worker", "shipment_worker", "system_worker"])
def test_a_service_that_reaches_nothing_shows_none_of_its_secrets(module: str, tmp_path: Path):
    channels = OF_CHANNELS if module == "notification_worker" else {}
    services = Services(tmp_path, clean_environ(TRENOVA_DATA_DIR=str(tmp_path), **TOLD, **channels))

    with ThreadPoolExecutor(2) as threads:
        check, run = threads.map(lambda verb: services.call(module, *verb), [("check", "--json"), ("run",)])

    assert (check.returncode, run.returncode) == (1, 2)
    assert f"The database {NOWHERE}/tms cannot be reached" in check.stdout  # so its address was used, and the keys too
    assert f"No Temporal server at '{NOWHERE}' lets us in" in run.stderr
    assert_nothing_planted(check, run)


def test_settings_that_do_not_hold_are_told_without_the_secrets_in_them(tmp_path: Path):
    services = Services(tmp_path, clean_environ(TRENOVA_DATA_DIR=str(tmp_path), **(TOLD | OF_CHANNELS | AMISS)))

    with ThreadPoolExecutor(2) as threads:
        show, run = threads.map(
            lambda verb: services.call("notification_worker", *verb), [("config", "show"), ("run",)]
        )

    assert (show.returncode, run.returncode) == (2, 2)
    for done in (show, run):
        assert "'database.url': is for 'mysql'" in done.stderr
        assert "'channels.webhook.endpoints.one': url must begin with https:" in done.stderr
    assert_nothing_planted(show, run)


def assert_nothing_planted(*ended: "subprocess.CompletedProcess[str]") -> None:
    for done in ended:
        assert PLANTED not in done.stdout + done.stderr
        assert KEY not in done.stdout + done.stderr
