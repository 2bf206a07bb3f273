"""The way to a cluster, from inside and from outside."""

import pytest
import yaml
from cluster_site import NAME, NAMESPACE, cluster_site

from trenova_errors import ConfigurationError
from trenova_workers.pool.kubernetes import KubernetesOptions, open_cluster

HERE = KubernetesOptions(deployment=NAME, namespace=NAMESPACE)
INSIDE = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "6443"}


def kubeconfig(folder, url):
    told = {
        "current-context": "test",
        "clusters": [{"name": "c", "cluster": {"server": url}}],
        "users": [{"name": "u", "user": {"token": "secret-token"}}],
        "contexts": [{"name": "test", "context": {"cluster": "c", "user": "u"}}],
    }
    (folder / "config").write_text(yaml.safe_dump(told))
    return {"KUBECONFIG": str(folder / "config")}


async def test_a_kubeconfig_leads_to_the_cluster(tmp_path):
    async with cluster_site() as site:
        site.deploy(3)

        async with open_cluster(HERE, kubeconfig(tmp_path, site.url)) as cluster:
            deployment = await cluster.deployment()

    assert (deployment.name, deployment.replicas) == (NAME, 3)


async def test_a_context_that_is_not_in_the_kubeconfig_is_named(tmp_path):
    environ = kubeconfig(tmp_path, "http://127.0.0.1:9")

    with pytest.raises(ConfigurationError, match=r"by a kubeconfig .*elsewhere") as caught:
        async with open_cluster(HERE.model_copy(update={"context": "elsewhere"}), environ):
            pass

    assert "secret-token" not in caught.value.message


async def test_without_a_kubeconfig_it_is_said_where_one_is_looked_for(tmp_path):
    with pytest.raises(ConfigurationError, match=r"by a kubeconfig \(KUBECONFIG, or ~/.kube/config\)"):
        async with open_cluster(HERE, {"KUBECONFIG": str(tmp_path / "nothing")}):
            pass


async def test_a_pod_without_a_service_account_is_told_so():
    with pytest.raises(ConfigurationError, match=r"by the service account of this pod: .*token"):
        async with open_cluster(HERE, INSIDE):
            pass


async def test_a_pool_without_a_namespace_is_refused_outside_of_a_cluster(tmp_path):
    with pytest.raises(ConfigurationError, match=r"says no namespace.* Say kubernetes\.namespace"):
        async with open_cluster(KubernetesOptions(deployment=NAME), kubeconfig(tmp_path, "http://127.0.0.1:9")):
            pass
