"""The settings that the services bring along fit their own work, in every environment."""

import asyncio

import pytest

from notification_worker.__main__ import SERVICE as NOTIFICATION
from shipment_worker.__main__ import SERVICE as SHIPMENT
from system_worker.__main__ import SERVICE as SYSTEM
from trenova_errors import ApplicationError
from trenova_workers import Service, load_settings, run

NOBODY = {"target_host": "127.0.0.1:1", "namespace": "default"}


async def refusal(service: Service, env: str, **environ: str) -> str:
    """Return why the service does not start here: no keys, at best, as nothing else is missing before them."""
    told = {
        "TRENOVA_ENV": env,
        "TRENOVA_DATABASE__URL": "postgresql://tms@db.example/tms",
        "TRENOVA_CODEC__ENCRYPTION__KEYS__SOURCE": "file",
        "TRENOVA_CODEC__ENCRYPTION__KEYS__PATH": "/nowhere/keyring.json",
        **environ,
    }
    settings = load_settings(service.settings, environ=told).values
    with pytest.raises(ApplicationError) as caught:
        await run(service, settings, connection=NOBODY, stop=asyncio.Event())
    return caught.value.message


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
@pytest.mark.parametrize("service", [SHIPMENT, NOTIFICATION, SYSTEM], ids=lambda service: service.name)
async def test_they_pass_what_would_be_refused_otherwise(service: Service, env: str):
    assert "/nowhere/keyring.json" in await refusal(service, env)
    assert "'worker.max_activities'" in await refusal(service, env, TRENOVA_DATABASE__POOL_SIZE="2")
    assert (
        "'worker.max_heartbeat_throttle_s'"
        in await refusal(service, env, TRENOVA_WORKER__MAX_HEARTBEAT_THROTTLE_S="10")
        or service is NOTIFICATION
    )  # its activities have no heartbeat
