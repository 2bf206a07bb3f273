import pytest
from asking import until
from calling_jobs import Call, call

from trenova_workers import Work
from trenova_workers.deploy import Counts
from trenova_workers.deploy._outcomes import ACTIVITIES, RUNS, WORKFLOW_TASKS, OutcomeWatch

pytestmark = pytest.mark.integration


async def test_what_ends_after_the_first_look_is_counted_by_version_and_kind(site):
    await site.start("1.0", Work([Call], [call]))
    await site.operator.promote("1.0")
    await site.client.execute_workflow("Call", id=f"{site.name}/before", task_queue=site.name)
    earlier = OutcomeWatch(site.client, site.name, ("1.0", "9.9"), frozenset({site.name}))

    async def heard():  # a worker that was first heard of later would count from there
        await earlier.look()
        return earlier.ever("1.0")[ACTIVITIES].total >= 3

    await until(heard)
    watch = OutcomeWatch(site.client, site.name, ("1.0", "9.9"), frozenset({site.name}))
    assert (await watch.look())["1.0"][RUNS] == Counts()

    for number in range(2):
        await site.client.execute_workflow("Call", id=f"{site.name}/{number}", task_queue=site.name)

    async def told():
        counts = await watch.look()
        return counts["1.0"][RUNS].total == 2 and counts["1.0"][ACTIVITIES].total >= 6

    await until(told)
    counts = await watch.look()
    assert counts["1.0"][RUNS] == Counts(2, 0)
    assert counts["1.0"][ACTIVITIES].bad >= 4
    assert counts["1.0"][WORKFLOW_TASKS].bad == 0
    assert set(counts["9.9"].values()) == {Counts()}
    assert watch.ever("1.0")[RUNS] == Counts(3, 0)
    assert watch.ever("1.0")[ACTIVITIES].total > counts["1.0"][ACTIVITIES].total
