"""Which worker polls from which pod, by what Temporal's server hears from it."""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from temporalio.service import RPCError

from trenova_errors import ApplicationError
from trenova_workers._fleet._status import WorkerState, WorkerStatus
from trenova_workers.pool.kubernetes._objects import Pod

_EVERY_S: Final = 2.0
_log = logging.getLogger(__name__)


class Sights(Protocol):
    """Tells of the workers that the server knows, as ``Fleet`` does."""

    async def look(self) -> Sequence[WorkerStatus]:
        """Return them."""


class Identities:
    """The identities of pods' workers: the host in an identity is the name of the pod (``POD_NAME``).

    Asked again only while a pod that serves is without one, or has restarted: a new process has a new identity.

    Args:
        sights: Asked; without it nothing is known, and victims are chosen by their age alone.
        service: As the identities say.
    """

    def __init__(self, sights: Sights | None, service: str) -> None:
        self._sights, self._service = sights, service
        self._known: dict[str, tuple[int, str]] = {}
        self._asked = float("-inf")

    async def of(self, pods: Sequence[Pod]) -> Mapping[str, str]:
        """Return them by the names of the pods, as far as they are known."""
        serving = [pod for pod in pods if pod.ready]
        if self._sights is not None and any(self._unknown(pod) for pod in serving):
            await self._ask(self._sights, serving)
        names = {pod.name for pod in pods}
        self._known = {name: known for name, known in self._known.items() if name in names}
        return {name: identity for name, (_, identity) in self._known.items()}

    def _unknown(self, pod: Pod) -> bool:
        return self._known.get(pod.name, (-1, ""))[0] != pod.restarts

    async def _ask(self, sights: Sights, pods: Sequence[Pod]) -> None:
        if time.monotonic() - self._asked < _EVERY_S:
            return
        self._asked = time.monotonic()
        try:
            seen = await sights.look()
        except (ApplicationError, RPCError, OSError) as error:
            _log.warning("the server does not tell who polls", extra={"error": type(error).__name__})
            return
        latest: dict[str, WorkerStatus] = {}
        for one in sorted(seen, key=lambda status: -status.seen_s):
            if one.host and one.service == self._service and one.state is WorkerState.RUNNING:
                latest[one.host] = one
        for pod in pods:
            found = latest.get(pod.name)
            if found is not None and (self._unknown(pod) or pod.name not in self._known):
                self._known[pod.name] = (pod.restarts, found.identity)
