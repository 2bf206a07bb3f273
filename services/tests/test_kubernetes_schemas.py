"""Manifests hold to the schemas of Kubernetes and KEDA, and the schemas are seen to refuse what does not."""

import copy

import kubernetes_validate
import pytest
import yaml
from manifests import KUBERNETES, OVERLAYS, VERSIONS, of_kind, overlay, refuse, rendered
from pydantic import ValidationError

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(("name", "version"), [*((name, VERSIONS[-1]) for name in OVERLAYS), ("prod", VERSIONS[0])])
def test_every_document_of_an_overlay_holds_to_its_schema(name, version):
    documents = overlay(name)

    assert len(documents) == len({(one["kind"], one["metadata"]["name"]) for one in documents}) >= 14
    for document in documents:
        refuse(document, version)


@pytest.mark.parametrize("file", ["keda/scaled-objects.yaml", "hpa/autoscalers.yaml"])
def test_what_the_commands_made_holds_to_its_schema(file):
    for document in yaml.safe_load_all((KUBERNETES / "components" / file).read_text()):
        refuse(document)


@pytest.mark.parametrize(
    ("kind", "path", "value", "said"),
    [
        ("Deployment", "spec.template.spec.terminationGracePeriodSeconds", "soon", "not of type 'integer'"),
        ("Deployment", "spec.template.spec.terminationGraceSeconds", 130, "Additional properties are not allowed"),
        ("Deployment", "spec.selector", "worker", "'worker' is not of type 'object'"),
        ("PodDisruptionBudget", "spec.maxUnavailable", [1], r"\[1\] is not valid under any of the given schemas"),
        ("NetworkPolicy", "spec.policyTypes", "Egress", "'Egress' is not of type 'array'"),
    ],
)
def test_a_field_that_is_broken_is_found(kind, path, value, said):
    document = copy.deepcopy(of_kind(overlay("dev"), kind)["shipment-worker"])
    *parents, last = path.split(".")
    where = document
    for key in parents:
        where = where[key]
    where[last] = value

    with pytest.raises(kubernetes_validate.ValidationError, match=said):
        refuse(document)


@pytest.mark.parametrize(
    ("path", "value"), [("minReplicaCount", "few"), ("triggers", [{"metadata": {}}]), ("scaleTargetRef", {})]
)
def test_a_scaled_object_that_is_broken_is_found(path, value):
    document = copy.deepcopy(of_kind(overlay("staging"), "ScaledObject")["shipment-worker"])
    document["spec"][path] = value

    with pytest.raises(ValidationError, match=path):
        refuse(document)


def test_a_kustomization_with_a_resource_that_is_not_there_is_found(tmp_path):
    (tmp_path / "kustomization.yaml").write_text("resources: [nothing.yaml]\n")

    with pytest.raises(AssertionError, match=r"nothing\.yaml"):
        rendered(tmp_path)
