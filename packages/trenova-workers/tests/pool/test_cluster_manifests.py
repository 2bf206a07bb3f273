"""Autoscalers of Kubernetes from the policies of pools."""

import pytest
import yaml
from typer.testing import CliRunner

from trenova_workers._cli_workers import workers_app
from trenova_workers.pool._options import PoolOptions
from trenova_workers.pool.kubernetes._manifests import autoscaler, behavior, queue_size, scaled_object
from trenova_workers.pool.kubernetes._reading import image_build
from trenova_workers.scaling import ScalingPolicy


def pool(**policy):
    told = {"queues": ["orders", "mail"], "kubernetes": {"deployment": "clerk"}, "policy": policy}
    return PoolOptions.model_validate(told)


def test_a_pool_that_may_have_no_worker_counts_the_workflows_that_run():
    idle = scaled_object(pool(min_workers=0, wait_target_s=120))["spec"]
    kept = scaled_object(pool(min_workers=1))["spec"]

    assert idle["minReplicaCount"] == 0
    assert {one["metadata"]["includeRunningWorkflowCount"] for one in idle["triggers"]} == {"true"}
    assert all("includeRunningWorkflowCount" not in one["metadata"] for one in kept["triggers"])


def test_each_queue_is_a_trigger_and_where_temporal_is_the_worker_knows():
    triggers = scaled_object(pool(first_capacity=0.5, catch_up_s=30))["spec"]["triggers"]

    assert [one["metadata"]["taskQueue"] for one in triggers] == ["orders", "mail"]
    assert triggers[0] == {
        "type": "temporal",
        "metadata": {
            "endpointFromEnv": "TEMPORAL_ADDRESS",
            "namespaceFromEnv": "TEMPORAL_NAMESPACE",
            "taskQueue": "orders",
            "queueTypes": "workflow,activity",
            "targetQueueSize": "15",
            "activationTargetQueueSize": "0",
        },
    }


def test_a_server_that_wants_credentials_gets_them_by_reference():
    (first, _) = scaled_object(pool(), authentication="temporal-cloud")["spec"]["triggers"]

    assert first["authenticationRef"] == {"name": "temporal-cloud"}


@pytest.mark.parametrize(("capacity", "catch_up_s", "size"), [(None, 30, 5), (2, 30, 60), (0.01, 30, 1), (0.5, 25, 12)])
def test_as_many_tasks_may_wait_for_a_worker_as_it_works_off_in_time(capacity, catch_up_s, size):
    assert queue_size(ScalingPolicy(first_capacity=capacity, catch_up_s=catch_up_s)) == size


def test_steps_and_cool_downs_are_those_of_the_policy():
    policy = ScalingPolicy(
        up_step=3, up_factor=2, up_cooldown_s=20, down_step=2, down_share=0, down_cooldown_s=90.5, quiet_s=100
    )

    assert behavior(policy) == {
        "scaleUp": {
            "stabilizationWindowSeconds": 0,
            "selectPolicy": "Max",
            "policies": [
                {"type": "Pods", "value": 3, "periodSeconds": 20},
                {"type": "Percent", "value": 100, "periodSeconds": 20},
            ],
        },
        "scaleDown": {
            "stabilizationWindowSeconds": 100,
            "selectPolicy": "Max",
            "policies": [{"type": "Pods", "value": 2, "periodSeconds": 91}],
        },
    }


def test_what_kubernetes_does_not_take_is_cut_to_what_it_does():
    told = behavior(ScalingPolicy(down_cooldown_s=7200, quiet_s=7200))

    assert told["scaleDown"]["stabilizationWindowSeconds"] == 3600
    assert {one["periodSeconds"] for one in told["scaleDown"]["policies"]} == {1800}


def test_a_plain_autoscaler_never_goes_to_zero():
    spec = autoscaler(pool(min_workers=0, wait_target_s=120, utilization=0.7))["spec"]

    assert spec["minReplicas"] == 1
    assert spec["metrics"][0]["resource"]["target"] == {"type": "Utilization", "averageUtilization": 70}


@pytest.mark.parametrize(
    ("image", "build"),
    [
        ("registry.example:5000/tms/clerk:1.4.2", "1.4.2"),
        ("clerk:1.4.2@sha256:0123456789abcdef", "1.4.2"),
        ("registry.example:5000/clerk@sha256:0123456789abcdef", "sha256:0123456789ab"),
        ("registry.example:5000/clerk", "latest"),
    ],
)
def test_an_image_tells_its_build(image, build):
    assert image_build(image) == build


def run(tmp_path, text, *arguments):
    file = tmp_path / "pools.yaml"
    file.write_text(text)
    return CliRunner().invoke(workers_app(), ["pool", *arguments, "--pools", str(file)])


def test_the_command_prints_the_pools_that_are_deployments_and_warns_of_a_guess(tmp_path):
    text = """
        pools:
          here: {process: {service: clerk}}
          there: {queues: [orders], kubernetes: {deployment: clerk, namespace: tms}}
    """
    made = run(tmp_path, text, "keda", "--authentication", "cloud")

    assert made.exit_code == 0
    (document,) = yaml.safe_load_all(made.stdout)
    assert document["metadata"] == {
        "name": "clerk",
        "labels": {"app.kubernetes.io/name": "clerk"},
        "namespace": "tms",
    }
    assert "pool 'there': nothing tells what one worker can do" in made.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pools: {a: {process: {service: clerk}}}", "No pool of "),
        ("pools: {a: {queues: [q], process: {service: c}, kubernetes: {deployment: c}}}", "and not both"),
        ("pools: {a: {kubernetes: {deployment: clerk}}}", "pools.a: say queues too"),
        ("pools: {a: {queues: [q], kubernetes: {deployment: Clerk!}}}", "pools.a.kubernetes.deployment: "),
        (
            "pools: {a: {queues: [q], kubernetes: {deployment: c}, policy: {min_workers: 9, max_workers: 2}}}",
            "min_workers",
        ),
        ("pools: [", "is not YAML at line"),
    ],
)
def test_a_file_that_does_not_hold_is_refused_with_what_to_do(tmp_path, text, said):
    made = run(tmp_path, text, "hpa")

    assert (made.exit_code, made.stdout) == (2, "")
    assert said in made.stderr
