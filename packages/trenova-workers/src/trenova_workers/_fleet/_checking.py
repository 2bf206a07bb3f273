"""What the verb ``check`` says about the workers that run and the schedules that wait for them."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.service import RPCError

from trenova_errors import ApplicationError, ConfigurationError
from trenova_workers._fleet._boot import schedule_remarks
from trenova_workers._fleet._differences import SUBJECT, Member, differences, members_of
from trenova_workers._fleet._fleet import Fleet
from trenova_workers._fleet._registrations import ANY, Registrations
from trenova_workers._fleet._remark import Remark
from trenova_workers._fleet._schedules import SUBJECT as SCHEDULES
from trenova_workers._service import Finding, S, Service


async def check_fleet(service: Service[S], settings: S, client: Client) -> Sequence[Finding]:
    """Compare the live workers of the service's queues, and look for schedules whose workflow nobody registers."""
    queues = list(service.queues(settings))
    try:
        workers = await Fleet(client, queues=queues).look_twice()
    except (RPCError, ConfigurationError) as error:
        return [Finding(SUBJECT, ok=True, detail=f"could not look at workers and schedules: {error.message}")]
    members = {queue: members_of(workers, queue) for queue in queues}
    found = [remark for of_queue in members.values() for remark in _among(of_queue)]
    alive = len({member.identity for of_queue in members.values() for member in of_queue})
    return [
        *_findings(SUBJECT, found, f"{alive} live workers, none known to differ"),
        *_findings(
            SCHEDULES,
            await _schedules(service, settings, client, members),
            "none known to start what no worker registers",
        ),
    ]


def _among(members: Sequence[Member]) -> Iterator[Remark]:
    """Compare every sort of worker with every other, once."""
    sorts: dict[object, list[Member]] = defaultdict(list)
    for member in members:
        sorts[member.sort].append(member)
    for one, other in combinations(sorts.values(), 2):
        yield from differences(one[0], other)


async def _schedules(
    service: Service[S], settings: S, client: Client, members: dict[str, list[Member]]
) -> list[Remark]:
    served = {queue: [one.registrations for one in alive] for queue, alive in members.items()}
    remarks = await schedule_remarks(client, served)
    if not any(remark.wrong for remark in remarks):
        return remarks
    # Only now, because it opens what the service works with: would this service itself register them?
    own = await _own(service, settings)
    return await schedule_remarks(client, {queue: [own, *alive] for queue, alive in served.items()})


async def _own(service: Service[S], settings: S) -> Registrations | None:
    try:
        async with service.work(settings) as work:
            workflows = [workflow._Definition.must_from_class(one).name or ANY for one in work.workflows]  # noqa: SLF001
            activities = [activity._Definition.must_from_callable(one).name or ANY for one in work.activities]  # noqa: SLF001
    except ApplicationError:  # the service's own check says why
        return None
    return Registrations.of(workflows=workflows, activities=activities)


def _findings(subject: str, remarks: Sequence[Remark], good: str) -> list[Finding]:
    said = [Finding(remark.subject, ok=not remark.wrong, detail=remark.text) for remark in remarks]
    return said or [Finding(subject, ok=True, detail=good)]
