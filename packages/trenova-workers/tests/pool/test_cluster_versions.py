"""A Deployment for each build of one pool, over the wire."""

import pytest
from cluster_site import LEASE, NAME, cluster_site

from trenova_errors import ConfigurationError
from trenova_workers.pool import PoolOptions
from trenova_workers.pool.kubernetes import KubernetesBackend, KubernetesVersions

NEW, GONE = "sample-worker-2", "sample-worker-0"


@pytest.fixture
async def site():
    async with cluster_site() as opened:
        opened.deploy(1)
        opened.deploy(1, image="registry.example/sample-worker:two", name=NEW)
        opened.run(opened.make(), opened.make(image="registry.example/sample-worker:two", of=NEW))
        yield opened


def backend(site, newest, *earlier):
    def of(name):
        cluster = site.cluster()
        told = cluster.options.model_copy(update={"deployment": name})
        return KubernetesBackend("sample", cluster.of(told), clock=lambda: site.now)

    return KubernetesVersions("sample", of(newest), [of(one) for one in earlier])


def builds(view):
    return sorted((one.build, str(one.phase)) for one in view.workers)


async def test_each_build_is_scaled_by_its_own_deployment(site):
    pool = backend(site, NEW, NAME)

    assert builds(await pool.look(LEASE)) == [("one", "running"), ("two", "running")]
    assert await pool.build() == "two"
    await pool.start(LEASE, 2, build="one")
    view = await pool.look(LEASE)
    (old,) = [one.id for one in view.workers if one.build == "one" and one.phase == "running"]
    await pool.drain(LEASE, old, why="version one has nothing to do")

    assert builds(view) == [("one", "running"), ("one", "starting"), ("one", "starting"), ("two", "running")]
    assert (site.replicas_of(NAME), site.replicas_of(NEW)) == (2, 1)
    assert site.pods[old]["metadata"]["annotations"]["trenova.dev/drain"] == "version one has nothing to do"


async def test_a_deployment_of_an_earlier_build_that_is_deleted_has_no_workers_any_more(site):
    pool = backend(site, NEW, GONE)

    assert builds(await pool.look(LEASE)) == [("two", "running")]
    assert pool.cannot_start("two") == ""
    assert "Apply one, and name it in the pool's kubernetes.earlier" in pool.cannot_start("one")
    with pytest.raises(ConfigurationError, match="No worker of 'one' can be started: there is no Deployment of it"):
        await pool.start(LEASE, 1, build="one")


async def test_the_newest_deployment_has_to_be_there(site):
    with pytest.raises(ConfigurationError, match="it is not there"):
        await backend(site, GONE, NAME).look(LEASE)


async def test_two_deployments_of_one_build_are_refused(site):
    site.deploy(1, name=GONE)

    with pytest.raises(ConfigurationError, match="Two Deployments of the pool 'sample' are of the build 'one'"):
        await backend(site, NEW, NAME, GONE).look(LEASE)


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"earlier": ["a"]}, "say worker_deployment too"),
        ({"earlier": ["b"], "worker_deployment": "w"}, "name each once"),
        ({"earlier": ["a", "a"], "worker_deployment": "w"}, "name each once"),
    ],
)
def test_options_that_do_not_fit_are_refused(told, said):
    with pytest.raises(ValueError, match=said):
        PoolOptions.model_validate({"queues": ["q"], "kubernetes": {"deployment": "b", **told}})
