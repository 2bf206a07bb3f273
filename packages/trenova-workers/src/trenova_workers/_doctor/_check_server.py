"""Whether the Temporal server is there, what it is, and what it can."""

import statistics
import time
from datetime import timedelta

import psutil
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeNamespaceResponse,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_workers._doctor._check import Check, Need
from trenova_workers._doctor._diagnosis import Diagnosis
from trenova_workers._doctor._patient import Patient

_ASKED = 5
# Each workflow task and each activity costs at least two such round trips.
_SLOW_S = 0.1
# Who looks at a failed run on Monday must still find that of Friday; the dev server's default is the shortest that
# is not told.
_SHORT_RETENTION = timedelta(days=1)
_HEARTBEATS = "frontend.WorkerHeartbeatsEnabled"
_FAIRNESS = "matching.enableFairness"


class ServerCheck(Check):
    """Reachable, how fast, which version, and the namespace."""

    id = "server"
    about = "the Temporal server answers, has the namespace, keeps closed runs long enough, and can what workers use"
    needs = frozenset({Need.CONNECTION})

    async def examine(self, patient: Patient) -> list[Diagnosis]:
        """Ask for system and namespace."""
        if patient.client is None:
            if patient.unreachable:
                return [self.refused("", patient.unreachable)]
            return [self.skipped("", patient.no_client)]
        client = patient.client
        address = client.service_client.config.target_host
        where = f"{address}{patient.address_from}"
        try:
            described = await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=client.namespace)
            )
            return [
                await self._answers(client, where),
                self._retention(client.namespace, described),
                self._heartbeats(client.namespace, described),
                self._fairness(address),
            ]
        except RPCError as error:
            advice = "Give this identity the right to describe the namespace, or ask an operator to run the doctor."
            return [self.problem(where, f"it hides namespace {client.namespace!r}: {error.message}", advice)]

    async def _answers(self, client: Client, where: str) -> Diagnosis:
        took = []
        for _ in range(_ASKED):
            begun = time.monotonic()
            info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
            took.append(time.monotonic() - begun)
        median = statistics.median(took)
        found = f"Temporal {info.server_version}, answers in {median * 1000:.0f} ms, namespace {client.namespace!r}"
        if median <= _SLOW_S:
            return self.ok(where, found)
        return self.warning(where, found, "Run workers nearer to the server: each task costs several round trips.")

    def _retention(self, namespace: str, described: DescribeNamespaceResponse) -> Diagnosis:
        kept = described.config.workflow_execution_retention_ttl.ToTimedelta()
        hours = f"{kept / timedelta(hours=1):g} h"
        if kept >= _SHORT_RETENTION:
            return self.ok(namespace, f"closed runs are kept {hours}")
        advice = f"Keep them longer: temporal operator namespace update -n {namespace} --retention 72h"
        return self.warning(namespace, f"closed runs are kept {hours} only, then nobody can see why one failed", advice)

    def _heartbeats(self, namespace: str, described: DescribeNamespaceResponse) -> Diagnosis:
        if described.namespace_info.capabilities.worker_heartbeats:
            return self.ok(namespace, "takes heartbeats of workers, so a lost worker is told from a busy one")
        advice = f"Set {_HEARTBEATS} in the server's dynamic configuration, or upgrade the server."
        return self.warning(namespace, "takes no heartbeats of workers: a lost one is noticed minutes later", advice)

    def _fairness(self, address: str) -> Diagnosis:
        """No API tells it; a dev server of this machine shows it in its command line."""
        command = _dev_server(address.rpartition(":")[2])
        if not command:
            return self.skipped(_FAIRNESS, "not a dev server of this machine, and no API of a server tells the setting")
        if f"{_FAIRNESS}=true" in command:
            return self.ok(_FAIRNESS, "on, so one organization's backlog does not hold up the others")
        advice = f"Start it with --dynamic-config-value {_FAIRNESS}=true, as `trenova-workers up` does."
        return self.warning(_FAIRNESS, "off: fairness keys of workflows are ignored", advice)


def _dev_server(port: str) -> list[str]:
    """Return the command line of the dev server on ``port``, if it is one of this machine."""
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "start-dev" in command and ({port, f"--port={port}"} & set(command)):
            return list(command)
    return []
