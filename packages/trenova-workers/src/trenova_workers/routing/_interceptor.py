"""Routes what a client starts, so that callers do not change."""

import copy
from collections.abc import Callable
from typing import Any

from temporalio.client import (
    CreateScheduleInput,
    Interceptor,
    OutboundInterceptor,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    StartWorkflowInput,
    StartWorkflowUpdateWithStartInput,
    UpdateWithStartStartWorkflowInput,
    WorkflowHandle,
    WorkflowUpdateHandle,
)
from temporalio.common import Priority

from trenova_workers.routing._facts import Facts
from trenova_workers.routing._loads import QueueLoads
from trenova_workers.routing._router import Router


class RoutingInterceptor(Interceptor):
    """For one client."""

    def __init__(self, router: Router, facts: Facts, loads: Callable[[], QueueLoads]) -> None:
        """Take what decides.

        Args:
            router: The rules.
            facts: What is read off a start.
            loads: Called at the first start that needs figures, on the client's event loop.
        """
        self.router = router
        self.facts = facts
        self._make_loads = loads
        self._loads: QueueLoads | None = None

    def intercept_client(self, next: OutboundInterceptor) -> OutboundInterceptor:  # noqa: A002 (the SDK's name)
        """See base class."""
        return _Routed(next, self)

    async def apply(self, start: StartWorkflowInput | UpdateWithStartStartWorkflowInput) -> None:
        """Set queue and priority of a start, by the load of this moment."""
        request = self.facts.request(start, self.router)
        decision = self.router.decide(request)
        watched = decision.watched
        if not watched:
            route = decision.route(None)
        else:
            loads = self._loads = self._loads or self._make_loads()
            loads.configure(self.router.rules.load)
            await loads.prepare(watched)
            route = decision.route(loads)
            loads.sent(route.queue)
        start.task_queue = route.queue
        start.priority = _filled(start.priority, route.priority)

    def applied(self, action: ScheduleActionStartWorkflow) -> ScheduleActionStartWorkflow:
        """Return the action with queue and priority set; its queue outlives this moment, so load does not count."""
        request = self.facts.request(action, self.router)
        route = self.router.decide(request).lasting()
        routed = copy.copy(action)
        routed.task_queue = route.queue
        routed.priority = _filled(action.priority, route.priority)
        return routed


class _Routed(OutboundInterceptor):
    def __init__(self, next: OutboundInterceptor, routing: RoutingInterceptor) -> None:  # noqa: A002 (the SDK's name)
        super().__init__(next)
        self._routing = routing

    async def start_workflow(self, input: StartWorkflowInput) -> WorkflowHandle[Any, Any]:  # noqa: A002 (the SDK's)
        await self._routing.apply(input)
        return await super().start_workflow(input)

    async def start_update_with_start_workflow(
        self,
        input: StartWorkflowUpdateWithStartInput,  # noqa: A002 (the SDK's name)
    ) -> WorkflowUpdateHandle[Any]:
        await self._routing.apply(input.start_workflow_input)
        return await super().start_update_with_start_workflow(input)

    async def create_schedule(self, input: CreateScheduleInput) -> ScheduleHandle:  # noqa: A002 (the SDK's name)
        action = input.schedule.action
        if isinstance(action, ScheduleActionStartWorkflow):
            schedule = copy.copy(input.schedule)
            schedule.action = self._routing.applied(action)
            input.schedule = schedule
        return await super().create_schedule(input)


def _filled(said: Priority, routed: Priority) -> Priority:
    """Return the caller's priority, and of the rules what it leaves open."""
    if said == Priority.default:
        return routed
    return Priority(
        priority_key=routed.priority_key if said.priority_key is None else said.priority_key,
        fairness_key=routed.fairness_key if said.fairness_key is None else said.fairness_key,
        fairness_weight=_weight(said, routed),
    )


def _weight(said: Priority, routed: Priority) -> float | None:
    # A weight of the rules belongs to their key, not to one that the caller chose.
    if said.fairness_weight is not None or said.fairness_key is not None:
        return said.fairness_weight
    return routed.fairness_weight
