"""Probes of a manager."""

import contextlib
import time

import httpx
import pytest

from trenova_errors import ConfigurationError, UnavailableError
from trenova_workers._up._ports import free_ports
from trenova_workers.pool._health import answering_health


@contextlib.asynccontextmanager
async def probing(manager, store):
    async with (
        answering_health(manager, store, "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as probe,
    ):
        yield probe


@pytest.mark.integration
async def test_a_manager_that_works_lives_and_is_ready(site):
    async with site.managed(0) as opened, probing(opened.manager, opened.store) as probe:
        await opened.manager.leads.wait()
        lives, ready = await probe.get("/livez"), await probe.get("/readyz")
        assert (lives.status_code, lives.json()) == (200, {"acts": True})
        assert ready.status_code == 200


class Stalled:
    """A manager that hangs, and a store that does not answer."""

    def __init__(self):
        self.turned_at, self.states, self.leads = time.monotonic() - 200, self, self

    def is_set(self):
        return False

    async def now(self):
        raise UnavailableError("The database is away.")


async def test_what_does_not_work_is_said():
    manager = Stalled()
    async with probing(manager, manager) as probe:
        lives, ready = await probe.get("/livez"), await probe.get("/readyz")
        assert (lives.status_code, ready.status_code) == (503, 503)
        assert lives.json() == {"acts": False, "why": "The manager has not looked at anything for 200 s."}
        assert ready.json()["why"] == "The database does not answer."
        manager.turned_at = time.monotonic()
        assert (await probe.get("/livez")).status_code == 200


async def test_a_port_that_is_taken_is_named():
    (port,) = free_ports(1)
    manager = Stalled()
    async with answering_health(manager, manager, "127.0.0.1", port):
        with pytest.raises(ConfigurationError, match=f"at 127.0.0.1:{port}: .* Choose another --health-port"):
            await answering_health(manager, manager, "127.0.0.1", port).__aenter__()
