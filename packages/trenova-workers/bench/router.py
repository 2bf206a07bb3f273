"""What routing adds to a start of a workflow.

The baseline ``unrouted`` is the same call into the same end of a client's chain of interceptors, which sends nothing.
``router`` is the decision alone, ``interceptor`` the decision with everything around it: the organization read off the
search attributes, the arguments of the start, queue and priority set. There are two hundred rules and a thousand
organizations, each with a weight; the rule that matches is the last of those for its workflow type. ``with load`` also
compares two queues whose statistics are at hand. Every round measures each once, in an order that turns with the
rounds. Figures are microseconds of processor time for one start. Exits 1 when the median that routing adds, with the
time of the baseline taken off, is above the target.
"""

import argparse
import asyncio
import itertools
import platform
import random
import statistics
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import version
from time import monotonic, process_time
from typing import Any

from temporalio.client import OutboundInterceptor, StartWorkflowInput
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.converter import DataConverter

from trenova_workers.routing import ORGANIZATION_ATTRIBUTE, QueueLoads, Reading, Router, RoutingRules, StartRequest
from trenova_workers.routing._facts import Facts
from trenova_workers.routing._interceptor import RoutingInterceptor

TARGET_US = 20.0
_RULES = 200
_ORGANIZATIONS = 1000
_STARTS = 5000
_KEY = SearchAttributeKey.for_keyword(ORGANIZATION_ATTRIBUTE)

Start = Callable[[int], Awaitable[None]]


class End(OutboundInterceptor):
    """The end of the chain, where a client would call the server."""

    def __init__(self) -> None:
        """There is no next one."""

    async def start_workflow(self, input: StartWorkflowInput) -> Any:  # noqa: A002 (the SDK's name)
        """Do nothing."""


class Known:
    """Statistics that are at hand."""

    async def read(self, queue: str) -> Reading | None:
        """Answer at once: a queue that keeps up."""
        return Reading(monotonic(), 2.0, 0.01 * len(queue), 5.0, 5.0)


def rules() -> RoutingRules:
    """Make the rules: most are for one organization, and the last two for all."""
    alone = [
        {
            "name": f"alone {number}",
            "match": {"workflow": "Duplicate*", "organization": f"org_{number}", "queue": "shipment-queue"},
            "target": {"queue": f"queue-{number}"},
        }
        for number in range(_RULES - 2)
    ]
    return RoutingRules.model_validate(
        {
            "groups": {"copies": ["shipment-queue", "shipment-queue-2"]},
            "weights": {f"org_{number}": 1 + number % 7 for number in range(_ORGANIZATIONS)},
            "rules": [
                *alone,
                {"name": "balanced", "match": {"workflow": "Balanced"}, "target": {"group": "copies"}},
                {
                    "name": "rest",
                    "match": {"workflow": ["Other", "Copy*"]},
                    "target": {"queue": "copies", "priority": 2},
                },
            ],
        }
    )


def start_input(workflow: str, organization: str) -> StartWorkflowInput:
    """Make what a client hands to its interceptors."""
    return StartWorkflowInput(
        workflow=workflow,
        args=[{"shipmentId": "shp_1"}],
        id="id",
        task_queue="shipment-queue",
        execution_timeout=None,
        run_timeout=None,
        task_timeout=None,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        retry_policy=None,
        cron_schedule="",
        memo=None,
        search_attributes=TypedSearchAttributes([SearchAttributePair(_KEY, organization)]),
        start_delay=None,
        headers={},
        start_signal=None,
        start_signal_args=[],
        static_summary=None,
        static_details=None,
        ret_type=None,
        rpc_metadata={},
        rpc_timeout=None,
        request_eager_start=False,
        priority=Priority.default,
    )


def subjects() -> dict[str, Start]:
    """Return what is measured, by name."""
    router = Router(rules())
    facts = Facts(DataConverter.default.payload_converter)
    routed = RoutingInterceptor(router, facts, lambda: QueueLoads(Known())).intercept_client(End())
    unrouted = End()
    chosen = random.Random(1)
    names = [f"org_{chosen.randrange(_ORGANIZATIONS)}" for _ in range(_STARTS)]
    plain = [start_input("CopyShipments", name) for name in names]
    balanced = [start_input("Balanced", name) for name in names]
    requests = [StartRequest("CopyShipments", "shipment-queue", name) for name in names]

    async def decide(number: int) -> None:
        router.route(requests[number])

    async def through(chain: OutboundInterceptor, start: StartWorkflowInput) -> None:
        start.priority = Priority.default
        start.task_queue = "shipment-queue"
        await chain.start_workflow(start)

    return {
        "unrouted": lambda number: through(unrouted, plain[number]),
        "router": decide,
        "interceptor": lambda number: through(routed, plain[number]),
        "interceptor with load": lambda number: through(routed, balanced[number]),
    }


async def measure(start: Start) -> float:
    """Return the microseconds of one start."""
    began = process_time()
    for number in range(_STARTS):
        await start(number)
    return (process_time() - began) / _STARTS * 1e6


async def bench(rounds: int) -> dict[str, list[float]]:
    """Return the figures of every round by what was measured."""
    measured = subjects()
    figures: dict[str, list[float]] = {name: [] for name in measured}
    for start in measured.values():
        await measure(start)
    for number in range(rounds):
        for name in itertools.islice(itertools.cycle(measured), number, number + len(measured)):
            figures[name].append(await measure(measured[name]))
    return figures


def report(figures: dict[str, list[float]]) -> bool:
    """Print what was measured; whether all of it is within the target."""
    print(f"{'microseconds for one start':28}{'min':>9}{'median':>9}{'max':>9}")
    for name, rounds in figures.items():
        print(f"{name:28}{min(rounds):9.2f}{statistics.median(rounds):9.2f}{max(rounds):9.2f}")
    base = statistics.median(figures["unrouted"])
    added = max(statistics.median(rounds) for rounds in figures.values()) - base
    print(f"\nrouting adds {added:.2f} us to a start at most (medians), target below {TARGET_US:.0f}")
    return added < TARGET_US


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="times that each is measured (9)")
    options = parser.parse_args(arguments)
    if options.rounds < 1:
        parser.error("--rounds must be at least 1")
    print(f"Python {platform.python_version()}, temporalio {version('temporalio')}")
    print(f"{options.rounds} rounds of {_STARTS} starts\n")
    return 0 if report(asyncio.run(bench(options.rounds))) else 1


if __name__ == "__main__":
    sys.exit(main())
