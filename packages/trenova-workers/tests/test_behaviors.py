import asyncio
import re
import uuid
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import ClassVar

import pytest
from declared_jobs import Decorated, Short, Silent
from temporalio import workflow
from temporalio.api.deployment.v1 import WorkerDeploymentVersion
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentVersionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.common import VersioningBehavior
from temporalio.service import RPCError

from trenova_errors import ConfigurationError, UnavailableError
from trenova_workers import Work, WorkerOptions
from trenova_workers._behaviors import behavior_of, behaviors_of, check_behaviors
from trenova_workers._deployment import DeploymentOptions
from trenova_workers._workers import Workers

PINNED, AUTO_UPGRADE = VersioningBehavior.PINNED, VersioningBehavior.AUTO_UPGRADE


@workflow.defn(name="Torn", versioning_behavior=AUTO_UPGRADE)
class Torn:
    versioning_behavior: ClassVar = PINNED

    @workflow.run
    async def run(self) -> None: ...


@workflow.defn(name="Misspelt")
class Misspelt:
    versioning_behavior: ClassVar = "pinned"

    @workflow.run
    async def run(self) -> None: ...


def versioned(**more) -> WorkerOptions:
    options = {"build_id": "1.4.0", "deployment": DeploymentOptions(versioned=True), **more}
    return WorkerOptions(**options)


async def served(client, work, options, *, current=None):
    """Run each workflow of ``work`` once; return results and what the server knows of how each run moves."""
    queue = f"behaviors-{uuid.uuid4().hex[:8]}"
    workers = Workers([(queue, client)], work, options, service=queue)
    workers.start()
    if current:
        await until_known(client, queue, current)
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace="default", deployment_name=queue, build_id=current, identity="test"
        )
        await client.workflow_service.set_worker_deployment_current_version(request)
    found = {}
    for cls in work.workflows:
        handle = await client.start_workflow(cls.run, id=f"{queue}/{cls.__name__}", task_queue=queue)
        result = await asyncio.wait_for(handle.result(), 20)
        info = (await handle.describe()).raw_description.workflow_execution_info.versioning_info
        found[result] = VersioningBehavior(info.behavior)
    await asyncio.gather(*(one.shutdown() for one in workers.workers), *workers._running)
    return found


async def until_known(client, deployment, build):
    version = WorkerDeploymentVersion(deployment_name=deployment, build_id=build)
    request = DescribeWorkerDeploymentVersionRequest(namespace="default", deployment_version=version)
    async with asyncio.timeout(20):
        while True:
            try:
                await client.workflow_service.describe_worker_deployment_version(request)
            except RPCError:
                await asyncio.sleep(0.1)
            else:
                return


async def test_a_versioned_worker_tells_the_server_what_its_workflows_declare(client):
    found = await served(client, Work([Short, Decorated]), versioned(), current="1.4.0")

    assert found == {"short": PINNED, "decorated": AUTO_UPGRADE}


async def test_declarations_change_nothing_where_versioning_is_off(client):
    """The server refuses every task of an unversioned worker that tells a behaviour, and the run would hang."""
    found = await served(client, Work([Short, Decorated, Silent]), WorkerOptions(build_id="1.4.0"))

    assert set(found.values()) == {VersioningBehavior.UNSPECIFIED}
    assert set(found) == {"short", "decorated", "silent"}


async def test_a_workflow_without_a_declaration_keeps_a_versioned_worker_from_starting(client):
    with pytest.raises(
        ConfigurationError, match=r"Silent \(.*Silent\)\. Give each class versioning_behavior"
    ) as caught:
        Workers([("q", client)], Work([Short, Silent]), versioned())
    assert "Short" not in caught.value.message


async def test_a_versioned_worker_needs_a_build(client):
    with pytest.raises(ConfigurationError, match=re.escape("Set worker.build_id to its release")):
        Workers([("q", client)], Work([Short]), versioned(build_id="unversioned"))
    with pytest.raises(ConfigurationError, match=r"'1:4'.*has no colon"):
        Workers([("q", client)], Work([Short]), versioned(build_id="1:4"))


@pytest.mark.parametrize("name", ["a.b", "a:b", "__a", "a'b", "a b", ""])
def test_names_that_the_server_refuses_are_refused(name):
    with pytest.raises(ValueError, match="name"):
        DeploymentOptions(name=name)


def test_contradicting_and_misspelt_declarations_are_told():
    with pytest.raises(ConfigurationError, match=r"Torn declares AUTO_UPGRADE in @workflow.defn and PINNED"):
        behavior_of(Torn)
    with pytest.raises(ConfigurationError, match="Misspelt has versioning_behavior"):
        behaviors_of([Misspelt])


async def test_the_worker_is_a_version_of_the_deployment_that_is_named(client):
    options = versioned(deployment=DeploymentOptions(versioned=True, name="shipping"))
    (worker,) = Workers([("q", client)], Work([Short]), options, service="shipment-worker").workers
    config = worker.config()["deployment_config"]

    assert (config.version.deployment_name, config.version.build_id) == ("shipping", "1.4.0")
    assert config.use_worker_versioning


def serving(*workflows, versioned, refuses=False):
    @asynccontextmanager
    async def work(_):
        if refuses:
            raise UnavailableError("The store is away.")
        yield Work(workflows)

    settings = SimpleNamespace(worker=WorkerOptions(deployment=DeploymentOptions(versioned=versioned)))
    return SimpleNamespace(work=work), settings


async def test_the_check_names_the_workflows_of_a_versioned_worker_that_say_nothing():
    (found,) = await check_behaviors(*serving(Silent, Short, versioned=True))
    assert (found.subject, found.ok) == ("versions of workflows", False)
    assert "Silent (declared_jobs.Silent)" in found.detail

    (found,) = await check_behaviors(*serving(Short, Decorated, versioned=True))
    assert found.ok
    assert "Short PINNED" in found.detail


async def test_the_check_says_nothing_where_versioning_is_off_and_guesses_nothing():
    assert await check_behaviors(*serving(Silent, versioned=False)) == []
    (found,) = await check_behaviors(*serving(Silent, versioned=True, refuses=True))
    assert (found.ok, found.detail) == (True, "could not look at the workflows: The store is away.")
