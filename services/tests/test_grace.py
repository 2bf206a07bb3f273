"""Containers get as long to stop as their workers believe."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from service_processes import clean_environ

COMPOSE = Path(__file__).parents[1] / "compose.yaml"


@pytest.mark.parametrize("service", ["shipment-worker", "notification-worker", "system-worker"])
def test_compose_gives_a_worker_the_grace_that_its_production_settings_name(service):
    compose = yaml.safe_load(COMPOSE.read_text())["services"][service]
    settings = shown(service.replace("-", "_"), compose["environment"])

    container_s = settings["worker.container_grace_s"]
    assert compose["stop_grace_period"] == f"{container_s:g}s"
    assert settings["worker.graceful_shutdown_s"] <= container_s - 10


def shown(module: str, environ: dict[str, str]) -> dict[str, Any]:
    told = {
        **clean_environ(),
        "TRENOVA_ENV": "prod",
        "TRENOVA_DATABASE__URL": "postgresql://user@127.0.0.1/tms",
        "TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE": environ["TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE"],
    }
    command = [sys.executable, "-m", module, "config", "show", "--json"]
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return {setting["key"]: setting["value"] for setting in json.loads(done.stdout)["settings"]}
