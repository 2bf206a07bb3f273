"""The manifests of services/kubernetes as kubectl renders them, and the schemas that they are held to."""

import functools
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
KUBERNETES = ROOT / "services" / "kubernetes"
POOLS = KUBERNETES / "components" / "pool-manager" / "pools.yaml"
OVERLAYS = ("dev", "staging", "prod")
WORKERS = ("shipment-worker", "notification-worker", "system-worker")
VERSIONS = ("1.30", "1.34")
"""Of Kubernetes: the oldest that we say works, and a newer one."""


@functools.cache
def rendered(folder: Path) -> str:
    """What ``kubectl apply -k`` would send."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not on this machine; it renders kustomizations")
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def overlay(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(rendered(KUBERNETES / "overlays" / name)))


def of_kind(documents: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in documents if one["kind"] == kind}


def workers(name: str) -> dict[str, dict[str, Any]]:
    """The pod templates of an overlay's workers, by the names of their Deployments."""
    found = of_kind(overlay(name), "Deployment")
    return {key: found[key]["spec"]["template"] for key in WORKERS}


def refuse(document: dict[str, Any], version: str = VERSIONS[-1]) -> None:
    """Raise what the schema of its kind has against a document; a field that nobody knows included."""
    if document["apiVersion"].startswith("keda.sh/"):
        from cloudcoil.models.keda import v1alpha1

        getattr(v1alpha1, document["kind"]).model_validate(document, strict=False)
        return
    kubernetes_validate.validate(document, version, strict=True)


def dockerfile(instruction: str) -> str:
    """The last argument of an instruction of the image, such as ``USER``."""
    text = (ROOT / "services" / "Dockerfile").read_text()
    return re.findall(rf"^{instruction} (.+)$", text, re.MULTILINE)[-1]
