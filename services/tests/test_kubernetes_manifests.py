"""The manifests agree with the workers, the image and the pool manager that they are for."""

import functools
import json
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from manifests import KUBERNETES, OVERLAYS, POOLS, ROOT, WORKERS, dockerfile, of_kind, overlay, workers
from service_processes import clean_environ

pytestmark = pytest.mark.integration
EACH = [(name, worker) for name in OVERLAYS for worker in WORKERS]


@pytest.mark.parametrize(("name", "worker"), [one for one in EACH if one[0] != "dev"])
def test_a_pod_gets_the_grace_that_its_settings_name_and_the_settings_accept_its_environment(name, worker):
    spec = workers(name)[worker]["spec"]
    settings = shown(worker, environ(name, spec))

    assert spec["terminationGracePeriodSeconds"] == settings["worker.container_grace_s"]
    assert spec["terminationGracePeriodSeconds"] >= settings["worker.graceful_shutdown_s"] + 10
    assert (
        settings["worker.build_id"]
        == of_kind(overlay(name), "Deployment")[worker]["metadata"]["labels"]["app.kubernetes.io/version"]
    )


@pytest.mark.parametrize("worker", WORKERS)
def test_a_pod_in_dev_is_told_what_one_in_staging_is(worker):
    dev, staging = (workers(name)[worker]["spec"] for name in ("dev", "staging"))

    assert dev["terminationGracePeriodSeconds"] == staging["terminationGracePeriodSeconds"]
    assert environ("dev", dev).keys() == environ("staging", staging).keys()
    assert environ("dev", dev)["TRENOVA_ENV"] == environ("staging", staging)["TRENOVA_ENV"] == "staging"


@pytest.mark.parametrize(("name", "worker"), EACH)
def test_a_pod_may_nothing_and_says_who_it_is(name, worker):
    template = workers(name)[worker]
    spec = template["spec"]
    user = int(dockerfile("USER").partition(":")[0])

    told = spec["securityContext"]
    assert (told["runAsNonRoot"], told["runAsUser"], told["runAsGroup"]) == (True, user, user)
    assert told["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is spec["enableServiceLinks"] is False
    for container in [*spec["initContainers"], *spec["containers"]]:
        locked = container["securityContext"]
        assert locked["capabilities"] == {"drop": ["ALL"]}
        assert locked["readOnlyRootFilesystem"] is True
        assert locked["allowPrivilegeEscalation"] is locked["privileged"] is False
        assert {"cpu", "memory"} <= container["resources"]["requests"].keys()
        assert "memory" in container["resources"]["limits"]
        assert container["image"] == f"trenova/{worker}:{template['metadata']['labels']['app.kubernetes.io/version']}"
        names = {one["name"] for one in container["env"]}
        assert {"POD_NAME", "TRENOVA_WORKER__BUILD_ID", "TEMPORAL_ADDRESS"} <= names


def test_an_environment_changes_what_it_says_it_changes():
    asked = {name: workers(name)["shipment-worker"]["spec"] for name in OVERLAYS}

    requests = {name: spec["containers"][0]["resources"]["requests"] for name, spec in asked.items()}
    assert requests == {
        "dev": {"cpu": "50m", "memory": "256Mi"},
        "staging": {"cpu": "250m", "memory": "512Mi"},
        "prod": {"cpu": "500m", "memory": "1Gi"},
    }
    zones = {name: spec["topologySpreadConstraints"][0]["whenUnsatisfiable"] for name, spec in asked.items()}
    assert zones == {"dev": "ScheduleAnyway", "staging": "ScheduleAnyway", "prod": "DoNotSchedule"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_probes_ask_what_the_image_answers(name):
    for template in workers(name).values():
        (container,) = template["spec"]["containers"]
        assert container["ports"] == [{"name": "health", "containerPort": int(dockerfile("EXPOSE"))}]
        paths = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
        assert {probe: asked["path"] for probe, asked in paths.items()} == {
            "startup": "/livez",
            "liveness": "/livez",
            "readiness": "/readyz",
        }
        assert {asked["port"] for asked in paths.values()} == {"health"}


@pytest.mark.parametrize("name", OVERLAYS)
def test_a_secret_is_only_referred_to_and_a_config_map_that_is_referred_to_is_there(name):
    documents = overlay(name)
    maps = of_kind(documents, "ConfigMap")

    assert not of_kind(documents, "Secret")
    for template in workers(name).values():
        for one in template["spec"]["containers"][0]["env"]:
            told = one.get("valueFrom", {}).get("configMapKeyRef")
            assert told is None or told["key"] in maps[told["name"]]["data"]
            assert "secretKeyRef" in one.get("valueFrom", {}) or not re.search("URL|KEY_|PASSWORD|TOKEN", one["name"])


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_worker_has_a_budget_a_policy_and_an_account_of_its_own(name):
    documents = overlay(name)
    deployments = of_kind(documents, "Deployment")

    for worker in WORKERS:
        own = deployments[worker]["spec"]["selector"]["matchLabels"]
        assert own["app.kubernetes.io/name"] == worker
        assert of_kind(documents, "PodDisruptionBudget")[worker]["spec"]["selector"]["matchLabels"] == own
        assert of_kind(documents, "NetworkPolicy")[worker]["spec"]["podSelector"]["matchLabels"] == own
        assert own.items() <= deployments[worker]["spec"]["template"]["metadata"]["labels"].items()
        spec = deployments[worker]["spec"]["template"]["spec"]
        assert spec["serviceAccountName"] == worker
        assert worker in of_kind(documents, "ServiceAccount")
        spread = spec["topologySpreadConstraints"]
        assert all(one["labelSelector"]["matchLabels"] == own for one in spread)


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_has_one_writer_of_replicas_at_most_and_its_manifests_are_none(name):
    documents = overlay(name)
    writers = {
        "KEDA": of_kind(documents, "ScaledObject"),
        "HPA": of_kind(documents, "HorizontalPodAutoscaler"),
        "pool manager": of_kind(documents, "RoleBinding"),
    }

    assert sum(bool(found) for found in writers.values()) <= 1
    assert all("replicas" not in of_kind(documents, "Deployment")[worker]["spec"] for worker in WORKERS)


@pytest.mark.parametrize(("command", "file"), [("keda", "scaled-objects.yaml"), ("hpa", "autoscalers.yaml")])
def test_the_autoscalers_are_what_the_command_makes_of_the_pools(command, file):
    made = subprocess.run(
        [Path(sysconfig.get_path("scripts")) / "trenova-workers", "pool", command, "--pools", str(POOLS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (made.returncode, made.stderr) == (0, "")
    assert (KUBERNETES / "components" / command / file).read_text() == made.stdout, (
        f"make it again: trenova-workers pool {command} --pools {POOLS.relative_to(ROOT)} "
        f"> services/kubernetes/components/{command}/{file}"
    )


def test_the_pools_are_of_the_queues_and_graces_of_the_workers():
    pools = yaml.safe_load(POOLS.read_text())["pools"]

    for worker in WORKERS:
        settings = shown(worker, environ("prod", workers("prod")[worker]["spec"]))
        assert pools[worker]["queues"] == settings["queues"]
        assert pools[worker]["kubernetes"] == {"deployment": worker, "drain_s": settings["worker.container_grace_s"]}


def test_the_role_of_the_pool_manager_is_what_it_asks_for_and_no_more():
    (role,) = of_kind(overlay("prod"), "Role").values()
    granted = {(verb, resource) for rule in role["rules"] for verb in rule["verbs"] for resource in rule["resources"]}
    source = ROOT / "packages/trenova-workers/src/trenova_workers/pool/kubernetes/_cluster.py"
    asked = set(re.findall(r'Asked\("(\w+)", "([\w/]+)"', source.read_text()))

    assert granted == asked
    scale = next(rule for rule in role["rules"] if rule["resources"] == ["deployments/scale"])
    assert sorted(scale["resourceNames"]) == sorted(WORKERS)


def test_the_pool_manager_is_locked_like_a_worker_and_is_told_the_pools():
    documents = overlay("prod")
    spec = of_kind(documents, "Deployment")["pool-manager"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    worker = workers("prod")["system-worker"]["spec"]["containers"][0]
    mounted = next(one for one in spec["volumes"] if one["name"] == "pools")["configMap"]["name"]

    assert container["image"] == worker["image"]
    assert container["securityContext"] == worker["securityContext"]
    assert spec["serviceAccountName"] == "pool-manager"
    (container,) = spec["containers"]
    told = {one["name"]: one.get("value") for one in container["env"]}
    (port,) = container["ports"]
    assert told["TRENOVA_POOLS_HEALTH_PORT"] == str(port["containerPort"])
    asked = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    assert {probe: (one["path"], one["port"]) for probe, one in asked.items()} == {
        "startup": ("/livez", port["name"]),
        "liveness": ("/livez", port["name"]),
        "readiness": ("/readyz", port["name"]),
    }
    assert of_kind(documents, "ConfigMap")[mounted]["data"]["pools.yaml"] == POOLS.read_text()
    assert {one["name"]: one.get("value") for one in container["env"]}["TRENOVA_POOLS"] == "/etc/trenova/pools.yaml"
    (subject,) = of_kind(documents, "RoleBinding")["pool-manager"]["subjects"]
    assert (subject["name"], subject["namespace"]) == ("pool-manager", "trenova-prod")


def environ(name, spec):
    """The environment of a worker's container, with stand-ins for secrets."""
    config = next(one for one in of_kind(overlay(name), "ConfigMap").values() if "environment" in one["data"])
    template = workers(name)
    labels = next(one["metadata"]["labels"] for one in template.values() if one["spec"] == spec)
    found = {}
    for one in spec["containers"][0]["env"]:
        told = one.get("valueFrom", {})
        if "value" in one:
            found[one["name"]] = one["value"]
        elif "configMapKeyRef" in told:
            found[one["name"]] = config["data"][told["configMapKeyRef"]["key"]]
        elif "secretKeyRef" in told:
            found[one["name"]] = "postgresql://user@127.0.0.1/tms"
        else:
            path = told["fieldRef"]["fieldPath"]
            found[one["name"]] = labels[path.split("'")[1]] if "labels" in path else "pod-1"
    return found


def shown(worker, told):
    return settings_of(worker, frozenset(told.items()))


@functools.cache
def settings_of(worker, told):
    command = [sys.executable, "-m", worker.replace("-", "_"), "config", "show", "--json"]
    env = {**clean_environ(), **dict(told)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return {setting["key"]: setting["value"] for setting in json.loads(done.stdout)["settings"]}
