"""What a refusal of the Kubernetes API means for whoever asked, and what to do about it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp

from trenova_errors import (
    ApplicationError,
    ConfigurationError,
    ConflictError,
    ResourceNotFoundError,
    ThrottledError,
    UnavailableError,
)

_SHOWN: Final = 300


class ChangedMeanwhileError(ConflictError):
    """Somebody else has written the object since it was read; read it again."""

    code = "pool.changed_meanwhile"


class MissingObjectError(ConfigurationError):
    """What the pool's options name is not there."""


@dataclass(frozen=True)
class Asked:
    """A request to the API, as its permissions name it.

    Attributes:
        verb: Such as ``patch``.
        resource: Such as ``deployments/scale``.
        namespace: Of Kubernetes.
        name: Of the object; empty for all of them.
    """

    verb: str
    resource: str
    namespace: str
    name: str = ""

    def __str__(self) -> str:
        named = f" {self.name!r}" if self.name else ""
        return f"{self.verb} {self.resource}{named} in namespace {self.namespace!r}"


@asynccontextmanager
async def translated(asked: Asked) -> AsyncIterator[None]:
    """Turn what the client raises in the block into typed errors.

    Raises:
        ConfigurationError: We may not, or the object is not there.
        ResourceNotFoundError: A pod is not there any more.
        ChangedMeanwhileError: It was changed since we read it.
        ThrottledError: Too many requests.
        UnavailableError: The API cannot be reached or failed.
    """
    from kubernetes_asyncio.client.exceptions import ApiException

    try:
        yield
    except ApiException as error:
        raise _refusal(asked, int(error.status or 0), _message(error.body)) from None
    except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:  # noqa: UP041 - says which is meant
        said = str(error) or type(error).__name__
        raise UnavailableError(
            f"The Kubernetes API cannot be reached to {asked}: {said}. Nothing changes meanwhile; it is tried again.",
        ) from None


def _refusal(asked: Asked, status: int, said: str) -> ApplicationError:
    told = f" It said: {said}" if said else ""
    match status:
        case 401:
            error: ApplicationError = ConfigurationError(
                f"The Kubernetes API does not know who asks to {asked} (401). Give the pool manager a service account "
                "whose token is mounted, or a kubeconfig whose credentials still hold.",
            )
        case 403:
            error = ConfigurationError(_forbidden(asked) + told, verb=asked.verb, resource=asked.resource)
        case 404 if asked.resource == "pods" and asked.name:
            error = ResourceNotFoundError(
                f"The pod {asked.name!r} has ended meanwhile; nothing is left to {asked.verb}."
            )
        case 404:
            error = MissingObjectError(
                f"The pool manager cannot {asked}: it is not there. Check the pool's kubernetes.deployment and "
                f"kubernetes.namespace with `kubectl get deployments -n {asked.namespace}`.",
            )
        case 409:
            error = ChangedMeanwhileError(f"Somebody else was first to write what we wanted to {asked}.{told}")
        case 429:
            error = ThrottledError(f"The Kubernetes API has too many requests to {asked} now; it is tried again.")
        case _ if 400 <= status < 500:  # noqa: PLR2004 - what HTTP calls the client's fault
            error = ConfigurationError(f"The Kubernetes API refuses to {asked} ({status}).{told}")
        case _:
            error = UnavailableError(f"The Kubernetes API failed to {asked} ({status}); it is tried again.{told}")
    return error


def _forbidden(asked: Asked) -> str:
    return (
        f"The pool manager may not {asked}: its service account needs the verb {asked.verb!r} on {asked.resource!r}. "
        f"Apply the Role of services/kubernetes/components/pool-manager; `kubectl auth can-i {asked.verb} "
        f"{_as_kubectl(asked.resource)} -n {asked.namespace} --as "
        f"system:serviceaccount:{asked.namespace}:pool-manager` tells when it is right."
    )


def _as_kubectl(resource: str) -> str:
    kind, _, subresource = resource.partition("/")
    return f"{kind} --subresource={subresource}" if subresource else kind


def _message(body: object) -> str:
    """Return the message of a ``Status`` object; never what else a proxy in between may have answered."""
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    try:
        said = json.loads(str(body))["message"] if body else ""
    except (ValueError, KeyError, TypeError):
        return ""
    return str(said)[:_SHOWN]
