"""The replicas of a Deployment as a pool, over the wire."""

from datetime import timedelta

import pytest
from cluster_site import LEASE, NAME, NOW, cluster_site, lost_lease
from kubernetes_asyncio import client

from trenova_errors import ConfigurationError, UnavailableError
from trenova_workers._fleet._status import WorkerState, WorkerStatus
from trenova_workers.pool.kubernetes import Cluster, ContendedError, KubernetesBackend, KubernetesOptions

COST = "controller.kubernetes.io/pod-deletion-cost"


@pytest.fixture
async def site():
    async with cluster_site() as opened:
        yield opened


def phases(view):
    return sorted(str(one.phase) for one in view.workers)


async def test_more_replicas_are_workers_that_start_before_their_pods_are_there(site):
    backend = await site.settled(2)

    await backend.start(LEASE, 2, build="one")
    unmade = await backend.look(LEASE)
    site.reconcile()
    made = await backend.look(LEASE)
    site.run()
    ready = await backend.look(LEASE)

    assert site.replicas == 4
    assert phases(unmade) == phases(made) == ["running", "running", "starting", "starting"]
    assert "has not made its pod yet" in next(one.why for one in unmade.workers if one.phase == "starting")
    assert phases(ready) == ["running"] * 4
    assert {one.build for one in ready.workers} == {"one"}


async def test_the_pod_that_is_drained_is_the_one_that_kubernetes_deletes(site):
    backend = await site.settled(3)
    second = site.active[1]

    await backend.drain(LEASE, second, why="the pool needs 2")
    told = await backend.look(LEASE)
    annotations = site.pods[second]["metadata"]["annotations"]
    site.reconcile()
    ending = await backend.look(LEASE)
    site.end()
    after = await backend.look(LEASE)

    assert site.replicas == 2
    assert annotations == {"trenova.dev/drain": "the pool needs 2", COST: "-1000"}
    for view in (told, ending):
        drained = [one for one in view.workers if one.phase == "draining"]
        assert [(one.id, one.why) for one in drained] == [(second, "the pool needs 2")]
    assert phases(after) == ["running", "running"]
    assert [(end.worker_id, end.ours, end.crashed) for end in after.ends] == [(second, True, False)]


async def test_a_drain_that_is_asked_for_again_changes_nothing(site):
    backend = await site.settled(3)
    first = site.active[0]
    await backend.drain(LEASE, first, why="once")

    await backend.drain(LEASE, first, why="again")
    site.reconcile()
    await backend.look(LEASE)
    await backend.drain(LEASE, first, why="and again")

    assert site.replicas == 2


async def test_a_pod_that_has_ended_since_the_look_needs_no_drain(site):
    backend = await site.settled(3)
    first, second, _ = site.active
    site.end(first)

    await backend.drain(LEASE, first, why="the pool needs 2")
    assert site.replicas == 3

    annotate = backend._cluster.annotate

    async def and_then_it_ends(pod, annotations):
        await annotate(pod, annotations)
        site.end(pod)

    backend._cluster.annotate = and_then_it_ends
    await backend.stop(LEASE, second)
    assert site.replicas == 2


async def test_a_manager_that_was_killed_between_mark_and_scale_has_drained_nobody(site):
    backend = await site.settled(2)
    first = site.active[0]
    site.change(first, metadata={"annotations": {"trenova.dev/drain": "the pool needs 1", COST: "-1000"}})

    view = await backend.look(LEASE)

    assert phases(view) == ["running", "running"]
    assert site.pods[first]["metadata"]["annotations"] == {}


async def test_one_that_only_looks_takes_no_marks_off(site):
    backend = await site.settled(1)
    site.change(site.active[0], metadata={"annotations": {"trenova.dev/drain": "x"}})
    site.api.written.clear()

    await backend.look(None)

    assert site.api.written == []


async def test_a_worker_whose_pod_is_not_made_yet_is_drained_by_a_replica_less(site):
    backend = await site.settled(1)
    await backend.start(LEASE, 2, build="one")
    unmade = [one.id for one in (await backend.look(LEASE)).workers if one.phase == "starting"]

    await backend.drain(LEASE, unmade[0], why="the pool needs 2")

    assert site.replicas == 2
    assert phases(await backend.look(LEASE)) == ["running", "starting"]


async def test_a_pod_whose_node_does_not_answer_is_lost_and_made_up_for(site):
    backend = await site.settled(2)
    lost = site.active[0]
    site.run(lost, ready="False", serves="True")

    seen = {one.id: one for one in (await backend.look(LEASE)).workers}[lost]
    await backend.drain(LEASE, lost, why=seen.why)
    await backend.start(LEASE, 1, build="one")
    site.reconcile()
    after = await backend.look(LEASE)

    assert (seen.phase, seen.why) == ("lost", "its node 'node-7' does not answer")
    assert site.replicas == 2
    assert phases(after) == ["draining", "running", "starting"]


async def test_a_pod_that_cannot_end_says_for_how_long(site):
    backend = await site.settled(2)
    await backend.drain(LEASE, site.active[0], why="the pool needs 1")
    site.reconcile()
    site.now = NOW + timedelta(seconds=130 + 90)

    view = await backend.look(LEASE)

    whys = [one.why for one in view.workers if one.phase == "draining"]
    assert whys == ["it should have ended 90 s ago; its node 'node-7' does not answer"]


async def test_a_worker_that_is_not_ready_says_what_kubernetes_says(site):
    site.deploy(1)
    name = site.make()
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    ended = {"terminated": {"exitCode": 2}}
    told = {"name": "worker", "image": "x", "imageID": "x", "ready": False, "restartCount": 4}
    site.run(name, ready="False", serves="False")
    site.change(name, status={"containerStatuses": [{**told, "state": waiting, "lastState": ended}]})

    (worker,) = (await site.backend().look(LEASE)).workers

    assert (worker.phase, worker.why) == ("starting", "CrashLoopBackOff (ended with 2, 4 restarts)")


async def test_a_quota_that_forbids_pods_is_said_of_the_workers_that_are_missing(site):
    failure = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: cpu"}
    site.deploy(1, status={"conditions": [failure]})

    (worker,) = (await site.backend().look(LEASE)).workers

    assert (worker.phase, worker.why) == ("starting", "exceeded quota: cpu")


async def test_an_evicted_pod_has_ended_and_is_no_crash(site):
    backend = await site.settled(1)
    site.change(site.active[0], status={"phase": "Failed", "reason": "Evicted", "message": "node was low on memory"})

    view = await backend.look(LEASE)

    assert phases(view) == ["starting"]
    assert [(end.said, end.crashed) for end in view.ends] == [("Evicted node was low on memory", False)]


async def test_a_rollout_is_kubernetes_own_and_changes_no_number(site):
    site.deploy(2, image="registry.example/sample-worker:two", status={"replicas": 3, "updatedReplicas": 1})
    old = [site.make(), site.make()]
    new = site.make(revision="bbb", image="registry.example/sample-worker:two")
    site.run(*old)

    backend = site.backend()
    view = await backend.look(LEASE)

    assert await backend.build() == "two"
    assert {one.id: one.build for one in view.workers} == {old[0]: "one", old[1]: "one", new: "two"}
    assert phases(view) == ["draining", "running", "starting"]
    assert "a rollout replaces it" in {one.why for one in view.workers}


async def test_a_label_tells_the_build_where_there_is_one(site):
    site.deploy(1)
    site.make(labels={"app.kubernetes.io/name": "sample-worker", "app.kubernetes.io/version": "1.4.2"})

    (worker,) = (await site.backend().look(LEASE)).workers

    assert worker.build == "1.4.2"


async def test_the_least_loaded_are_known_by_the_identities_that_name_their_pods(site):
    site.deploy(2)
    site.reconcile()
    site.run()
    first, second = site.active

    class Fleet:
        asked = 0

        async def look(self):
            self.asked += 1
            told = [(first, "new11111", 1), (first, "old11111", 40), (second, "two22222", 1), ("other", "x9999999", 1)]
            return [
                WorkerStatus(
                    identity=f"{NAME}@{host}:1#{instance}",
                    state=WorkerState.RUNNING,
                    heartbeats=True,
                    service=NAME,
                    host=host,
                    seen_s=seen,
                    queues=(),
                )
                for host, instance, seen in told
            ]

    fleet = Fleet()
    backend = site.backend(sights=fleet)
    view = await backend.look(LEASE)
    await backend.look(LEASE)

    assert {one.id: one.identity for one in view.workers} == {
        first: f"{NAME}@{first}:1#new11111",
        second: f"{NAME}@{second}:1#two22222",
    }
    assert fleet.asked == 1


@pytest.mark.parametrize(
    ("name", "owner", "said"),
    [
        ("by-hand", None, "the HorizontalPodAutoscaler 'by-hand' scales the Deployment 'sample-worker' too"),
        (
            "keda-hpa-x",
            ("ScaledObject", "x"),
            "KEDA, by its ScaledObject 'x', scales the Deployment 'sample-worker' too",
        ),
    ],
)
async def test_an_autoscaler_of_the_same_deployment_is_said_and_nothing_is_written(site, name, owner, said):
    site.deploy(2)
    site.reconcile()
    site.run()
    site.autoscale(name, owner)
    backend = site.backend()

    view = await backend.look(LEASE)
    with pytest.raises(ContendedError, match="nothing was changed"):
        await backend.start(LEASE, 1, build="one")
    with pytest.raises(ContendedError, match="nothing was changed"):
        await backend.drain(LEASE, site.active[0], why="the pool needs 1")

    assert view.contended == said
    assert site.api.written == []


async def test_replicas_that_somebody_else_has_set_since_the_look_are_left_alone(site):
    backend = await site.settled(2)
    first = site.active[0]
    site.scale(5)

    with pytest.raises(ContendedError, match="told to have 5 replicas where this manager left 2"):
        await backend.start(LEASE, 1, build="one")
    with pytest.raises(ContendedError, match="left 2"):
        await backend.drain(LEASE, first, why="the pool needs 1")

    assert site.replicas == 5
    assert site.pods[first]["metadata"].get("annotations") in (None, {})


async def test_a_write_between_our_read_and_our_write_is_not_overwritten(site):
    backend = await site.settled(2)
    cluster, asked = backend._cluster, []
    scale = cluster.scale

    async def then_somebody_else():
        seen = await scale()
        if not asked:
            site.scale(7)
        asked.append(seen)
        return seen

    cluster.scale = then_somebody_else
    with pytest.raises(ContendedError, match="told to have 7"):
        await backend.start(LEASE, 1, build="one")

    assert (site.replicas, len(asked)) == (7, 2)


async def test_a_change_of_status_in_between_does_not_stop_a_write(site):
    backend = await site.settled(2)
    cluster, asked = backend._cluster, []
    scale = cluster.scale

    async def then_status():
        seen = await scale()
        if not asked:
            site.scale(site.replicas)
        asked.append(seen)
        return seen

    cluster.scale = then_status
    await backend.start(LEASE, 1, build="one")

    assert (site.replicas, len(asked)) == (3, 2)


async def test_nothing_is_written_under_a_lease_that_is_lost(site):
    backend = await site.settled(2)

    with pytest.raises(RuntimeError, match="lease is lost"):
        await backend.start(lost_lease(), 1, build="one")
    with pytest.raises(RuntimeError, match="lease is lost"):
        await backend.drain(lost_lease(), site.active[0], why="x")

    assert site.api.written == []


async def test_a_dry_run_has_the_api_check_the_writes_and_changes_nothing(site):
    site.deploy(2)
    site.reconcile()
    site.run()
    backend = site.backend(dry_run=True)
    await backend.look(LEASE)

    await backend.start(LEASE, 1, build="one")
    await backend.drain(LEASE, site.active[0], why="x")
    await backend.stop(LEASE, site.active[1])

    assert site.replicas == 2
    assert {dry for _, _, dry in site.api.written} == {"All"}
    assert len(site.active) == 2
    assert all(not pod["metadata"].get("annotations") for pod in site.pods.values())


async def test_one_that_is_ended_by_force_is_gone_at_once(site):
    backend = await site.settled(2)
    first = site.active[0]

    await backend.stop(LEASE, first)

    assert site.replicas == 1
    assert first not in site.pods


@pytest.mark.parametrize(
    ("verb", "resource", "act"),
    [
        ("get", "deployments", "look"),
        ("get", "pods", "look"),
        ("get", "horizontalpodautoscalers", "look"),
        ("get", "deployments/scale", "start"),
        ("patch", "deployments/scale", "start"),
        ("patch", "pods", "drain"),
    ],
)
async def test_a_permission_that_is_missing_is_named(site, verb, resource, act):
    backend = await site.settled(2)
    backend._autoscalers_at = float("-inf")
    site.api.forbidden.add((verb, resource))
    acts = {
        "look": lambda: backend.look(LEASE),
        "start": lambda: backend.start(LEASE, 1, build="one"),
        "drain": lambda: backend.drain(LEASE, site.active[0], why="x"),
    }

    with pytest.raises(ConfigurationError) as caught:
        await acts[act]()

    asked = "list" if resource in {"pods", "horizontalpodautoscalers"} and verb == "get" else verb
    kind, _, below = resource.partition("/")
    assert f"needs the verb {asked!r} on {resource!r}" in caught.value.message
    assert (
        f"kubectl auth can-i {asked} {kind}{' --subresource=' + below if below else ''} -n tms" in caught.value.message
    )
    assert site.replicas == 2


async def test_a_deployment_that_is_not_there_is_said(site):
    with pytest.raises(ConfigurationError, match="get deployments 'sample-worker' in namespace 'tms': it is not there"):
        await site.backend().look(LEASE)


async def test_an_api_that_fails_is_tried_again(site):
    backend = await site.settled(1)
    site.api.failing = 503

    with pytest.raises(UnavailableError, match=r"failed to get deployments .*503.*etcd is away"):
        await backend.look(LEASE)
    site.api.failing = None

    assert phases(await backend.look(LEASE)) == ["running"]


async def test_an_api_that_is_not_there_is_said():
    async with client.ApiClient(client.Configuration(host="http://127.0.0.1:9")) as nobody:
        backend = KubernetesBackend("sample", Cluster(nobody, "tms", KubernetesOptions(deployment=NAME)))

        with pytest.raises(UnavailableError, match="cannot be reached to get deployments 'sample-worker'"):
            await backend.look(LEASE)


async def test_a_deployment_that_kills_before_the_grace_is_over_is_refused(site):
    site.deploy(1, grace_s=30)

    with pytest.raises(
        ConfigurationError, match=r"30 s after .* may need 130 s .* terminationGracePeriodSeconds to 130"
    ):
        await site.backend().look(LEASE)
