"""``check`` finds whatever would refuse to start for want of keys, or leave payloads in clear."""

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from service_processes import Services, TemporalServer, clean_environ

MODULES = ("notification_worker", "shipment_worker", "system_worker")
SOURCE = "TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE"
PATH = "TRENOVA_CODEC__ENCRYPTION__KEYS__PATH"
KEY = base64.b64encode(os.urandom(32)).decode()
KEYS = {SOURCE: "environment", "TEMPORAL_ENCRYPTION_ACTIVE_KEY": "k1", "TEMPORAL_ENCRYPTION_KEY_k1": KEY}
PLAIN = {"TRENOVA_CODEC__ENCRYPTION": "null"}
WHEN = "2026-01-01T00:00:00Z"
WHY = "made up data of the load test"


@pytest.fixture
def production(temporal: TemporalServer, tmp_path: Path) -> Services:
    environ = clean_environ(
        TEMPORAL_ADDRESS=temporal.address,
        TRENOVA_DATA_DIR=str(tmp_path),
        TRENOVA_ENV="prod",
        TRENOVA_DATABASE__URL=f"sqlite:///{tmp_path}/tms.db",
    )
    return Services(tmp_path, environ)


def found(services: Services, module: str = "system_worker", **environ: str) -> tuple[int, bool, str]:
    """Exit status of ``check``, and what it says of the plugins, which is never a secret."""
    done = services.call(module, "check", "--json", **environ)
    findings = {one["subject"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert KEY not in done.stdout + done.stderr
    return done.returncode, findings["client plugins"]["ok"], findings["client plugins"]["detail"]


def sealed_by_kms(folder: Path) -> dict[str, str]:
    ring = folder / "kms.json"
    material = {"kind": "aws-kms", "wrapped": KEY, "kms_key": "alias/temporal-payloads", "region": "eu-west-1"}
    key = {"id": "k1", "state": "active", "created": WHEN, "since": WHEN, "material": material}
    ring.write_text(json.dumps({"version": 1, "revision": 1, "keys": [key]}))
    ring.chmod(0o600)
    return {
        SOURCE: "aws_kms",
        PATH: str(ring),
        "TRENOVA_CODEC__ENCRYPTION__KEYS__ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_ACCESS_KEY_ID": "nobody",
        "AWS_SECRET_ACCESS_KEY": "nothing",
    }


def test_a_check_finds_keys_with_which_nothing_would_start(production: Services):
    damaged = production.folder / "damaged.json"
    damaged.write_text("{")
    damaged.chmod(0o600)
    amiss = {
        "Set encryption.keys.source": {},
        "none.json": {SOURCE: "file", PATH: str(production.folder / "none.json")},
        "damaged.json": {SOURCE: "file", PATH: str(damaged)},
        "which TEMPORAL_ENCRYPTION_REVOKED_KEYS revokes": {**KEYS, "TEMPORAL_ENCRYPTION_REVOKED_KEYS": "k1"},
        "KMS": sealed_by_kms(production.folder),
        "codec.encryption is null": PLAIN,
        "on_plaintext is warn": {**KEYS, "TRENOVA_CODEC__ENCRYPTION__ON_PLAINTEXT": "warn"},
    }

    with ThreadPoolExecutor(2) as threads:
        said = dict(zip(amiss, threads.map(lambda told: found(production, **told), amiss.values()), strict=True))

    for what, (status, ok, detail) in said.items():
        assert (status, ok) == (1, False), what
        assert what in detail


@pytest.mark.slow
def test_every_service_looks_at_its_keys(production: Services):
    with ThreadPoolExecutor(2) as threads:
        without = list(threads.map(lambda module: found(production, module), MODULES))
        with_keys = list(threads.map(lambda module: found(production, module, **KEYS), MODULES))

    assert [ok for _, ok, _ in without] == [False] * 3
    assert [(ok, detail) for _, ok, detail in with_keys] == [(True, "ErrorsPlugin, CodecPlugin")] * 3


def test_production_does_not_start_in_clear_unless_it_is_told_why(production: Services):
    refused = production.call("system_worker", "run", **PLAIN)
    told = production.call("system_worker", "check", "--json", **PLAIN, TRENOVA_CODEC__PLAIN_BECAUSE=WHY)

    assert refused.returncode == 2
    assert "TRENOVA_CODEC__PLAIN_BECAUSE" in refused.stderr
    assert '"client plugins", "ok": true' in told.stdout
    [warning] = [line for line in map(json.loads, told.stderr.splitlines()) if WHY in line["event"]]
    assert warning["level"] == "warning"
