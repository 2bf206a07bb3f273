"""The part of a worker that answers what :mod:`trenova_codecs._attestation` asks."""

import asyncio
import logging
import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from importlib.metadata import version
from typing import Final

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.common import RetryPolicy, WorkerDeploymentVersion
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import PollerBehaviorSimpleMaximum, UnsandboxedWorkflowRunner, Worker, WorkerDeploymentConfig

from trenova_codecs._attestation import ATTEST_WORKFLOW, QUEUE_PREFIX, Answer, Question, prove
from trenova_codecs._keys import KeyProvider, KeyState
from trenova_errors import ApplicationError

_ATTEST_ACTIVITY: Final = "trenova_codecs.attest_key"
_ANSWER_WITHIN: Final = timedelta(seconds=20)
_DISTRIBUTION: Final = "trenova-codecs"
_USABLE: Final = (KeyState.ACTIVE, KeyState.DECRYPT_ONLY)

_log = logging.getLogger(__name__)


@workflow.defn(name=ATTEST_WORKFLOW, sandboxed=False)
class AttestKeyWorkflow:
    """Answer one question in the process whose task queue it came through."""

    @workflow.run
    async def run(self, question: Question) -> Answer:
        """Ask the ring of this very process, hence a local activity."""
        answer: Answer = await workflow.execute_local_activity(
            _ATTEST_ACTIVITY,
            question,
            result_type=Answer,
            start_to_close_timeout=_ANSWER_WITHIN,
            retry_policy=RetryPolicy(maximum_attempts=1),
        )
        return answer


class KeyAttestation:
    """Lets ``trenova-codecs keys promote`` ask the processes of a namespace whether they hold a key.

    The instance is part of the plugin's name, which Temporal's ListWorkers shows for every worker: so the one
    who asks knows which workers there are, and through which task queue each answers.

    Args:
        ring: The keys that this process works with.
    """

    def __init__(self, ring: KeyProvider) -> None:
        self._ring = ring
        self._pid, self._instance = 0, ""
        self._answering: dict[tuple[int, str], tuple[int, asyncio.Task[None]]] = {}

    @property
    def instance(self) -> str:
        """Names this ring in this process; another one after a fork."""
        if self._pid != os.getpid():
            self._pid, self._instance = os.getpid(), secrets.token_hex(8)
        return self._instance

    def plugin_name(self, name: str) -> str:
        """Return the name under which a plugin has to register, for the workers to be found."""
        return f"{name}/{self.instance}"

    @asynccontextmanager
    async def answering(self, client: Client) -> AsyncIterator[None]:
        """Answer for as long as the context lasts; once, however many workers share the connection.

        A server that does not let this process poll the queue is told in the log and disturbs nothing.
        """
        where = id(client.service_client), client.namespace
        count, task = self._answering.get(where) or (0, asyncio.create_task(self._answer_all(client)))
        self._answering[where] = count + 1, task
        try:
            yield
        finally:
            count, task = self._answering.pop(where)
            if count > 1:
                self._answering[where] = count - 1, task
            else:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _answer_all(self, client: Client) -> None:
        # A client of its own over the same connection: no codec, no interceptors, and not this plugin again.
        plain = Client(
            client.service_client,
            namespace=client.namespace,
            data_converter=pydantic_data_converter,
        )
        worker = Worker(
            plain,
            task_queue=f"{QUEUE_PREFIX}{self.instance}",
            workflows=[AttestKeyWorkflow],
            activities=[self._attest],
            workflow_runner=UnsandboxedWorkflowRunner(),
            no_remote_activities=True,
            max_cached_workflows=0,
            max_concurrent_workflow_tasks=2,
            deployment_config=_build(),
            workflow_task_poller_behavior=PollerBehaviorSimpleMaximum(1),
        )
        try:
            await worker.run()
        except Exception as error:  # noqa: BLE001 - the worker that does the work goes on without it
            _log.warning(
                "This worker cannot be asked for its keys (%s), so 'trenova-codecs keys promote' will miss it.",
                type(error).__name__,
            )

    @activity.defn(name=_ATTEST_ACTIVITY)
    async def _attest(self, question: Question) -> Answer:
        """Look for the key, after asking the source once more where it is not there."""
        key = self._ring.find(question.key_id)
        if key is None:
            with suppress(ApplicationError):
                await self._ring.refresh(question.key_id)
            key = self._ring.find(question.key_id)
        proof = prove(question, key) if key is not None and key.state in _USABLE else None
        return Answer(instance=self.instance, proof=proof, active=self._active())

    def _active(self) -> str | None:
        try:
            return self._ring.active().id
        except ApplicationError:
            return None


def _build() -> WorkerDeploymentConfig:
    """Name the build: without one the SDK reads every module of the process, which holds its loop up for a second."""
    build = WorkerDeploymentVersion(deployment_name=_DISTRIBUTION, build_id=version(_DISTRIBUTION))
    return WorkerDeploymentConfig(version=build, use_worker_versioning=False)
