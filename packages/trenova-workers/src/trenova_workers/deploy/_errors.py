"""Why a change of a deployment was not made."""

from temporalio.service import RPCError, RPCStatusCode

from trenova_errors import ConfigurationError, ConflictError, NonRetryableError


class DeploymentConflictError(ConflictError):
    """Somebody else has changed the deployment since it was looked at; nothing was done."""


class DeploymentRefusedError(NonRetryableError):
    """The change would leave work without workers, or there is nothing to change to; nothing was done."""


class UnknownDeploymentError(ConfigurationError):
    """The server knows no such deployment, or no such version of it."""


def refusal(error: RPCError, deployment: str, what: str) -> Exception:
    """Return what to raise for the server's answer to a read or a change; the error itself where it is the server's.

    Args:
        error: From the server.
        deployment: Whose.
        what: Was asked for, e.g. ``ramp 1.4.0 to 10 %``.
    """
    said = error.message.rstrip(".")
    if error.status == RPCStatusCode.NOT_FOUND:
        return UnknownDeploymentError(
            f"Cannot {what}: {said}. The server learns of a deployment and of a version when their first worker polls, "
            "with worker.deployment.versioned: true. 'trenova-workers deploy status' lists what there is.",
            deployment=deployment,
        )
    if error.status in {RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNAUTHENTICATED}:
        return ConfigurationError(
            f"The server does not let us {what}: {said}. Use credentials that may change worker deployments.",
            deployment=deployment,
        )
    if error.status == RPCStatusCode.UNIMPLEMENTED:
        return ConfigurationError(f"Cannot {what}: the server has no worker deployments. It needs 1.29 or newer.")
    if error.status == RPCStatusCode.FAILED_PRECONDITION and "conflict token" in said:
        return DeploymentConflictError(
            f"Cannot {what}: somebody else has changed the deployment {deployment!r} meanwhile, and nothing was done. "
            "Look at 'trenova-workers deploy status' and decide again.",
            deployment=deployment,
        )
    if error.status in {RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.INVALID_ARGUMENT}:
        return DeploymentRefusedError(f"The server refuses to {what}: {said}.", deployment=deployment)
    return error
