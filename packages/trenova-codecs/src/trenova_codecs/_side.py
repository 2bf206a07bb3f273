"""Who meets an error of a codec, which decides whether the error ends something."""

from enum import StrEnum


class Side(StrEnum):
    """Where a codec or a key ring is used.

    A non-retryable error that is raised while a worker decodes ends the running workflow for good, so that
    on a worker every error of this package is retryable and the run waits. A caller, a command line and a
    codec server have nobody to wait for.
    """

    WORKER = "worker"
    """In a worker's process, its clients included: errors are ``unavailable``, thus retryable."""
    CALLER = "caller"
    """Anywhere else: errors are permanent."""
