"""A Kubernetes API over HTTP with one Deployment, and what its controllers do when a test lets them."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace

import aiohttp.web
import kmock
from kubernetes_asyncio import client

from trenova_workers.pool.kubernetes import Cluster, KubernetesBackend, KubernetesOptions

DEPLOYMENTS = kmock.resource("apps/v1/deployments")
PODS = kmock.resource("v1/pods")
AUTOSCALERS = kmock.resource("autoscaling/v2/horizontalpodautoscalers")
NAMESPACE, NAME, LABELS = "tms", "sample-worker", {"app.kubernetes.io/name": "sample-worker"}
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def stamp(at):
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


class Api(kmock.KubernetesEmulator):
    """kmock's emulator, and what a pool depends on besides: versions, selectors, permissions, dry runs, graces."""

    def __attrs_post_init__(self):
        super().__attrs_post_init__()
        self.forbidden, self.failing, self.versions, self.written = set(), None, count(100), []
        for resource in (DEPLOYMENTS, PODS, AUTOSCALERS):
            self.resources[resource] = {}

    async def _handle(self, request):
        if self.failing is not None:
            raise kmock.KubernetesError(status=self.failing, reason="Failed", message="etcd is away")
        asked = (request.method.value.lower(), "/".join(filter(None, [request.resource.plural, request.subresource])))
        if asked in self.forbidden:
            raise kmock.KubernetesError(status=403, reason="Forbidden", message=f"cannot {asked[0]} {asked[1]}")
        if asked[0] in {"patch", "delete"}:
            self.written.append((*asked, dict(request.params).get("dryRun", "")))
            key = (request.resource, request.namespace, request.name)
            if key not in self.objects or self.objects[key].deleted:
                raise kmock.KubernetesObjectNotFoundError
            found = self.objects[key]
            version = ((request.data or {}).get("metadata") or {}).pop("resourceVersion", None)
            if version not in {None, found["metadata"]["resourceVersion"]}:
                raise kmock.KubernetesError(status=409, reason="Conflict", message="the object has been modified")
            if "dryRun" in request.params:
                return aiohttp.web.json_response(self._shown(request))
            if asked[0] == "delete" and request.params.get("gracePeriodSeconds") != "0":
                found.patch({"metadata": {"deletionTimestamp": stamp(NOW + timedelta(seconds=130))}})
                return aiohttp.web.json_response(found.raw)
        answer = await super()._handle(request)
        if asked[0] == "patch":
            self.touch(request.resource, request.name)
        if request.subresource == "scale":
            return aiohttp.web.json_response(self._shown(request))
        return answer

    def _shown(self, request):
        found = self.objects[request.resource, request.namespace, request.name].raw
        if request.subresource != "scale":
            return found
        spec = {"replicas": found["spec"]["replicas"]}
        return {"kind": "Scale", "metadata": dict(found["metadata"]), "spec": spec, "status": {"replicas": 0}}

    async def _serve_list(self, request):
        answer = await super()._serve_list(request)
        told = request.params.get("labelSelector", "").split(",")
        wanted = dict(part.split("=") for part in told if part).items()
        items = [one for one in answer["items"] if wanted <= dict(one["metadata"].get("labels") or {}).items()]
        return {**answer, "items": items}

    def touch(self, resource, name):
        found = self.objects[resource, NAMESPACE, name]
        found.patch({"metadata": {"resourceVersion": str(next(self.versions))}})


class ClusterSite:
    """One Deployment in a cluster whose controllers act when told to."""

    def __init__(self, api, connection, url):
        self.api, self._connection, self.url, self._numbers = api, connection, url, count(1)
        self.now = NOW

    @property
    def replicas(self):
        return self.replicas_of(NAME)

    def replicas_of(self, name):
        return self.api.objects[DEPLOYMENTS, NAMESPACE, name]["spec"]["replicas"]

    @property
    def pods(self):
        found = {}
        for resource, namespace, name in list(self.api.objects):
            one = self.api.objects[resource, namespace, name]
            if resource == PODS and not one.deleted:
                found[name] = one.raw
        return found

    @property
    def active(self):
        return [name for name, pod in self.pods.items() if _active(pod)]

    def deploy(self, replicas, *, image="registry.example/sample-worker:one", grace_s=130, status=None, name=NAME):
        template = {"metadata": {"labels": LABELS}, "spec": _spec(image, grace_s)}
        spec = {"replicas": replicas, "selector": {"matchLabels": LABELS}, "template": template}
        metadata = {"name": name, "namespace": NAMESPACE, "resourceVersion": "1", "generation": 1}
        document = {"metadata": metadata, "spec": spec, "status": {"observedGeneration": 1, **(status or {})}}
        self.api.objects[DEPLOYMENTS, NAMESPACE, name] = document

    def autoscale(self, name, owner=None):
        metadata = {"name": name, "namespace": NAMESPACE}
        if owner:
            told = {
                "kind": owner[0],
                "name": owner[1],
                "controller": True,
                "apiVersion": "keda.sh/v1alpha1",
                "uid": "1",
            }
            metadata["ownerReferences"] = [told]
        target = {"kind": "Deployment", "name": NAME, "apiVersion": "apps/v1"}
        spec = {"maxReplicas": 9, "scaleTargetRef": target}
        self.api.objects[AUTOSCALERS, NAMESPACE, name] = {"metadata": metadata, "spec": spec}

    def scale(self, replicas):
        """Somebody else does."""
        self.api.objects[DEPLOYMENTS, NAMESPACE, NAME].patch({"spec": {"replicas": replicas}})
        self.api.touch(DEPLOYMENTS, NAME)

    def reconcile(self):
        """What the controllers of Deployments and ReplicaSets do: make what is missing, delete what is too much."""
        active = self.active
        for _ in range(self.replicas - len(active)):
            self.make()
        pods = self.pods
        order = sorted(active, key=lambda name: _deleted_first(pods[name]))
        for name in order[: max(0, len(active) - self.replicas)]:
            self.change(name, metadata={"deletionTimestamp": stamp(self.now + timedelta(seconds=130))})

    def make(self, *, image="registry.example/sample-worker:one", revision="aaa", of=NAME, **metadata):
        number = next(self._numbers)
        name = f"{of}-{revision}-{number:02}"
        owner = {"kind": "ReplicaSet", "name": f"{of}-{revision}", "controller": True, "apiVersion": "apps/v1"}
        told = {
            "name": name,
            "namespace": NAMESPACE,
            "resourceVersion": "1",
            "labels": LABELS,
            "creationTimestamp": stamp(self.now + timedelta(seconds=number)),
            "ownerReferences": [{**owner, "uid": "1"}],
            **metadata,
        }
        document = {"metadata": told, "spec": _spec(image, 130), "status": {"phase": "Pending"}}
        self.api.objects[PODS, NAMESPACE, name] = document
        return name

    def run(self, *names, ready="True", serves="True"):
        for name in names or self.active:
            conditions = [{"type": "Ready", "status": ready}, {"type": "ContainersReady", "status": serves}]
            self.change(name, status={"phase": "Running", "conditions": conditions}, spec={"nodeName": "node-7"})

    def change(self, name, **fields):
        self.api.objects[PODS, NAMESPACE, name].patch(fields)

    def end(self, *names):
        """Their containers have ended."""
        for name in names or [name for name, pod in self.pods.items() if not _active(pod)]:
            self.api.objects[PODS, NAMESPACE, name].delete()

    def cluster(self, *, dry_run=False, **options):
        told = KubernetesOptions(deployment=NAME, drain_s=130, **options)
        return Cluster(self._connection, NAMESPACE, told, dry_run=dry_run)

    def backend(self, *, sights=None, **told):
        return KubernetesBackend("sample", self.cluster(**told), sights=sights, clock=lambda: self.now)

    async def settled(self, replicas):
        """A backend that has seen so many workers run."""
        self.deploy(replicas)
        self.reconcile()
        self.run()
        backend = self.backend()
        await backend.look(LEASE)
        return backend


@contextlib.asynccontextmanager
async def cluster_site():
    api = Api()
    async with api, kmock.Server(api) as server:
        url = str(server.url).rstrip("/")
        configuration = client.Configuration(host=url)
        async with client.ApiClient(configuration) as connection:
            yield ClusterSite(api, connection, url)
        await asyncio.sleep(0.05)  # the server notices that connections have ended, and closes its sides of them


def _lease(**told):
    def require():
        if not lease.valid:
            raise RuntimeError("the lease is lost")

    lease = SimpleNamespace(valid=True, require=require, **told)
    return lease


LEASE = _lease(fence=1)


def lost_lease():
    lease = _lease(fence=1)
    lease.valid = False
    return lease


def _spec(image, grace_s):
    return {"containers": [{"name": "worker", "image": image}], "terminationGracePeriodSeconds": grace_s}


def _active(pod):
    return "deletionTimestamp" not in pod["metadata"] and pod["status"]["phase"] not in {"Succeeded", "Failed"}


def _deleted_first(pod):
    """Kubernetes' order: what is not ready, then the deletion cost, then the youngest."""
    ready = any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))
    notes = pod["metadata"].get("annotations") or {}
    cost = int(notes.get("controller.kubernetes.io/pod-deletion-cost", 0))
    return ready, cost, [-ord(one) for one in pod["metadata"]["creationTimestamp"]]
